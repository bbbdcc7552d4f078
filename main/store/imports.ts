import type { SplitName } from '../../shared/data-kinds.ts'
import { inTransaction, type ReadableDb, type WritableDb } from './open.ts'

/** Rows changed in one transaction: few enough that a label waits for no more than some milliseconds. */
const STEP_ROWS = 2000

/**
 * Marks on which side of the split each pair is, a step at a time; do other work between the steps. For data sets
 * that are not published yet: half of it may be on disk when the app dies.
 * @param sideOf side of the pair at an index; pairs are inserted as `train`
 */
export function* markSplits(db: WritableDb, datasetId: string, pairCount: number, sideOf: (index: number) => SplitName): Generator<void> {
  const update = db.prepare<[string, string, number]>('UPDATE pairs SET split = ? WHERE dataset_id = ? AND idx = ?')
  for (let from = 0; from < pairCount; from += STEP_ROWS) {
    inTransaction(db, () => {
      for (let index = from; index < Math.min(pairCount, from + STEP_ROWS); index += 1) {
        const side = sideOf(index)
        if (side !== 'train') update.run(side, datasetId, index)
      }
    })
    yield
  }
}

/** Takes away an import that was not published, a step at a time, because a million rows at once would hold everything up. */
export function* discardImport(db: WritableDb, datasetId: string): Generator<void> {
  if (!isDraft(db, datasetId)) return
  const tables = [db.prepare<[string, number]>('DELETE FROM pairs WHERE dataset_id = ? AND idx < ?'), db.prepare<[string, number]>('DELETE FROM answers WHERE dataset_id = ? AND pair_idx < ?')]
  const last = db.prepare<[string], number | null>('SELECT max(idx) FROM pairs WHERE dataset_id = ?').pluck().get(datasetId) ?? -1
  for (let from = 0; from <= last; from += STEP_ROWS) {
    for (const table of tables) table.run(datasetId, from + STEP_ROWS)
    yield
  }
  // Label events go with the data set alone: a trigger keeps them while it is there.
  db.prepare<[string]>('DELETE FROM datasets WHERE dataset_id = ? AND ready = 0').run(datasetId)
}

function isDraft(db: ReadableDb, datasetId: string): boolean {
  return db.prepare<[string]>('SELECT 1 FROM datasets WHERE dataset_id = ? AND ready = 0').get(datasetId) !== undefined
}
