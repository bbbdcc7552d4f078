import { stat } from 'node:fs/promises'
import type { ImportMapping } from '../../../shared/contract/import-mapping.ts'
import { AppError } from '../../../shared/errors.ts'
import { createRowConverter, type ImportBatch, type RowConverter } from './import-rows.ts'
import { openRows } from './readers.ts'

/** Rows that are worth a transaction, and how far the file was read when they were there. */
export interface PairPiece extends ImportBatch {
  readonly bytesRead: number
  readonly totalBytes: number
  /** Of all pieces so far, this one included. */
  readonly counts: RowConverter['counts']
}

/** Rows of one transaction: few enough that a label waits for no more than some milliseconds. */
const BATCH_ROWS = 1000
/** Characters after which long rows are written though they are few. */
const BATCH_LENGTH = 2_000_000

/**
 * A file's rows as records, index rows and labels, whether they are short or long.
 * @throws AppError when the file cannot be read, or was changed meanwhile
 */
export async function* readPairs(path: string, mapping: ImportMapping): AsyncGenerator<PairPiece> {
  const source = await openRows(path, { format: mapping.format })
  const before = await stat(path)
  const converter = createRowConverter(mapping)
  const take = (): PairPiece => ({
    ...converter.take(),
    bytesRead: source.bytesRead(),
    totalBytes: source.totalBytes,
    counts: { ...converter.counts },
  })
  for await (const rows of source.batches()) {
    for (const row of rows) {
      converter.add(row)
      if (converter.waitingRows >= BATCH_ROWS || converter.waitingLength >= BATCH_LENGTH) yield take()
    }
  }
  if (converter.waitingRows > 0) yield take()
  const after = await stat(path)
  if (after.size !== before.size || after.mtimeMs !== before.mtimeMs)
    throw new AppError({
      code: 'dataset-invalid',
      message: `${path} was changed while it was read.`,
      hint: 'Wait until whatever writes the file is done, then import it again.',
    })
}
