import { closeSync, openSync, readSync } from 'node:fs'
import { extraRecord } from '../../../shared/data-kinds.ts'
import { AppError } from '../../../shared/errors.ts'
import { parseItem } from '../store/records.ts'
import { eachPairWithAnswers } from '../store/labels-read.ts'
import { reduceLabels } from './reduce-labels.ts'
import type { Rows, Source } from './view-rows.ts'

/** Items of another kind, judged by people or not, and what they refer to. A side that the source gives is kept. */
export function* itemRows({ db, spec, sideOf, records, totals }: Source, file: string): Rows {
  let end = 0
  for (const { pair: entry, answers } of eachPairWithAnswers(db, spec.datasetId, spec.annotators)) {
    end = entry.byteOffset + entry.byteLength + 1
    const item = parseItem(records.readLine(entry))
    if (typeof item === 'string')
      throw new AppError({
        code: 'dataset-invalid',
        message: `Item ${entry.index + 1} of ${file} cannot be read: ${item}.`,
        hint: 'The file was changed after it was written. Put a copy back, or make the data set again.',
      })
    const split = sideOf(entry, item.split)
    const reduced = reduceLabels(answers, spec.aggregation)
    const judged = reduced.kind === 'preference' ? reduced : { preferenceA: null, strength: 1, labelCount: 0 }
    totals.counts[split] += 1
    totals.labels += judged.labelCount
    totals.preferred += 1
    if (judged.preferenceA === 0.5) totals.ties += 1
    if (judged.preferenceA === null) totals.unlabeled += 1
    yield {
      pairId: item.pairId,
      split,
      preferenceA: judged.preferenceA,
      strength: judged.strength,
      labelCount: judged.labelCount,
      data: item.data,
    }
  }
  for (const line of linesFrom(file, end)) yield extraRecord.parse(JSON.parse(line))
}

const READ_BYTES = 1024 * 1024

/** Whole lines of a file from a byte on, one at a time. */
function* linesFrom(file: string, start: number): Generator<string> {
  const handle = openSync(file, 'r')
  try {
    const buffer = Buffer.alloc(READ_BYTES)
    let rest: Buffer = Buffer.alloc(0)
    for (let position = start; ;) {
      const count = readSync(handle, buffer, 0, READ_BYTES, position)
      if (count === 0) break
      position += count
      const whole = Buffer.concat([rest, buffer.subarray(0, count)])
      let from = 0
      for (let at = whole.indexOf(10); at >= 0; at = whole.indexOf(10, from)) {
        yield whole.toString('utf8', from, at)
        from = at + 1
      }
      rest = whole.subarray(from)
    }
  } finally {
    closeSync(handle)
  }
}
