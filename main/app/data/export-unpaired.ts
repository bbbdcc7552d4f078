import type { DatasetEntry } from '../store/datasets.ts'
import { openRecords, readUnpaired } from '../store/records.ts'
import { eachPairWithAnswers, type Answer } from '../store/labels-read.ts'
import type { ReadableDb } from '../store/open.ts'
import { LABEL_PREFIX } from '../../core/formats/mapping-compile.ts'
import { notesOf, withMetadata, type Row } from './export-metadata.ts'
import { reduceLabels } from './reduce-labels.ts'

/**
 * Answers that stand alone, a line each; both forms can be imported again.
 * @param annotators null: TRL's unpaired preferences, `label` being what most say, without the answers that nobody judged
 * or that are called good as often as bad; else every answer, with a column for each person
 */
export function* unpairedLines(
  db: ReadableDb,
  dataFolder: string,
  { datasetId }: DatasetEntry,
  annotators: readonly string[] | null,
): Generator<string> {
  const records = openRecords(dataFolder, datasetId)
  try {
    for (const { pair: entry, answers } of eachPairWithAnswers(db, datasetId, [], true)) {
      const { pairId, data } = readUnpaired(records, entry)
      const labels = annotators === null ? labelOf(answers) : labelsOf(answers, annotators)
      const { prompt, completion, metadata } = data
      yield labels === null
        ? ''
        : JSON.stringify(withMetadata({ id: pairId, prompt, completion, ...labels, split: entry.split }, metadata))
    }
  } finally {
    records.close()
  }
}

/** `good` is the share of the labels that say so. */
function labelOf(answers: readonly Answer[]): Row | null {
  const reduced = reduceLabels(answers, 'mean')
  if (reduced.kind !== 'preference' || reduced.preferenceA === 0.5) return null
  return { label: reduced.preferenceA > 0.5, good_share: reduced.preferenceA, label_count: reduced.labelCount }
}

const WORDS = { a: true, b: false, skip: 'skip', tie: null, 'both-bad': null } as const

function labelsOf(answers: readonly Answer[], annotators: readonly string[]): Row {
  const labels = Object.fromEntries(
    annotators.map((annotator) => {
      const outcome = answers.find((one) => one.annotatorId === annotator)?.outcome
      return [`${LABEL_PREFIX}${annotator}`, outcome === undefined ? null : WORDS[outcome]]
    }),
  )
  return { ...labels, ...notesOf(answers) }
}
