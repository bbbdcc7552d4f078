import type { SplitName } from '../../../shared/data-kinds.ts'
import { inTransaction, type ReadableDb, type WritableDb } from './open.ts'
import { createStepSize } from './step-size.ts'

/** Rows changed in one transaction: few enough that a label waits for no more than some milliseconds. */
const STEP_ROWS = 2000

/**
 * Marks on which side of the split each pair is, a step at a time; do other work between the steps. For data sets
 * that are not published yet: half of it may be on disk when the app dies.
 * @param sideOf side of the pair at an index; pairs are inserted as `train`
 */
export function* markSplits(
  db: WritableDb,
  datasetId: string,
  itemCount: number,
  sideOf: (index: number) => SplitName,
): Generator<void> {
  const update = db.prepare<[string, string, number]>('UPDATE pairs SET split = ? WHERE dataset_id = ? AND idx = ?')
  for (let from = 0; from < itemCount; from += STEP_ROWS) {
    inTransaction(db, () => {
      for (let index = from; index < Math.min(itemCount, from + STEP_ROWS); index += 1) {
        const side = sideOf(index)
        if (side !== 'train') update.run(side, datasetId, index)
      }
    })
    yield
  }
}

/**
 * Takes the rows of a data set away that is not listed (an import that failed, one that was deleted), a step at a time,
 * because a million rows at once would hold everything up. A start goes on where a kill ended it.
 */
export function* discardRows(db: WritableDb, datasetId: string): Generator<void> {
  if (!isDraft(db, datasetId)) return
  const last =
    db
      .prepare<[string, string], number | null>(
        'SELECT max(idx) FROM (SELECT max(idx) AS idx FROM pairs WHERE dataset_id = ? UNION ALL SELECT max(pair_idx) FROM label_events WHERE dataset_id = ?)',
      )
      .pluck()
      .get(datasetId, datasetId) ?? -1
  const tables = [
    'answers WHERE dataset_id = ? AND pair_idx < ?',
    'label_events WHERE dataset_id = ? AND pair_idx < ?',
    'pairs WHERE dataset_id = ? AND idx < ?',
  ].map((rows) => db.prepare<[string, number]>(`DELETE FROM ${rows}`))
  const size = createStepSize()
  for (let below = 0; below <= last;) {
    below += size.rows
    size.step(() => inTransaction(db, () => tables.forEach((table) => table.run(datasetId, below))))
    yield
  }
  inTransaction(db, () => {
    db.prepare('DELETE FROM datasets WHERE dataset_id = ? AND ready = 0').run(datasetId)
  })
}

function isDraft(db: ReadableDb, datasetId: string): boolean {
  return db.prepare<[string]>('SELECT 1 FROM datasets WHERE dataset_id = ? AND ready = 0').get(datasetId) !== undefined
}
