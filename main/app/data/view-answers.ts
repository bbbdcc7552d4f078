import { eachPairWithAnswers } from '../store/labels-read.ts'
import { readUnpaired } from '../store/records.ts'
import { reduceLabels } from './reduce-labels.ts'
import type { Rows, Source } from './view-rows.ts'

/**
 * Answers that stand alone and that somebody judged, each with P(good): labels are reduced as those of pairs, `a` being
 * good. A side that the source gives is kept. For a method that imitates, those that all call bad are left out.
 */
export function* answerRows({ db, spec, use, sideOf, records, totals }: Source): Rows {
  for (const { pair: entry, answers } of eachPairWithAnswers(db, spec.datasetId, spec.annotators)) {
    const reduced = reduceLabels(answers, spec.aggregation)
    if (reduced.kind !== 'preference') {
      totals.unlabeled += 1
      yield null
      continue
    }
    const { preferenceA: good, labelCount } = reduced
    if (use.answers === 'good' && good === 0) {
      totals.badLeftOut += 1
      yield null
      continue
    }
    const { pairId, split: given, data } = readUnpaired(records, entry)
    const split = sideOf(entry, given)
    totals.counts[split] += 1
    totals.labels += labelCount
    totals.preferred += 1
    if (good === 0.5) totals.ties += 1
    if (split === 'train') {
      totals.desirable += good
      totals.undesirable += 1 - good
    }
    yield { pairId, split, prompt: data.prompt, completion: data.completion, good, labelCount }
  }
}
