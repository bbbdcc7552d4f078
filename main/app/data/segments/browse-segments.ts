import type { SegmentRow } from '../../../../shared/contract/segments.ts'
import { AppError } from '../../../../shared/errors.ts'
import { segmentPair } from '../../../../shared/segment-pair.ts'
import type { DatasetEntry } from '../../store/datasets.ts'
import { readAnswersOf } from '../../store/labels-read.ts'
import type { ReadableDb } from '../../store/open.ts'
import { findItemAt } from '../../store/items.ts'
import { openRecords, parseItem } from '../../store/records.ts'

/** @throws AppError `not-found`, `dataset-invalid` */
export function readSegmentRow(
  db: ReadableDb,
  dataFolder: string,
  { datasetId, name, kind }: DatasetEntry,
  index: number,
): SegmentRow {
  const entry = kind === 'segment-pairs' ? findItemAt(db, datasetId, index) : null
  if (entry === null)
    throw new AppError({
      code: 'not-found',
      message: `"${name}" has no pair of segments number ${index + 1}.`,
      hint: 'Choose a smaller number, or another data set.',
    })
  const records = openRecords(dataFolder, datasetId)
  try {
    const item = parseItem(records.readLine(entry))
    const pair = segmentPair.safeParse(typeof item === 'string' ? null : item.data)
    if (!pair.success)
      throw new AppError({
        code: 'dataset-invalid',
        message: `Pair ${index + 1} of "${name}" cannot be read.`,
        hint: 'The file was changed after it was written. Put a copy back, or make the data set again.',
      })
    const labels = readAnswersOf(db, datasetId, index).map((answer) => ({
      annotator: answer.annotatorId,
      outcome: answer.outcome,
      strength: answer.strength,
      comment: answer.comment,
    }))
    return { index, pairId: entry.pairId, split: entry.split, pair: pair.data, labels }
  } finally {
    records.close()
  }
}
