import { existsSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { hideDataset, requireDataset } from '../store/datasets.ts'
import { datasetFolder } from '../store/datasets-folder.ts'
import { countPeoplesEvents, markDeleted } from '../store/datasets-marks.ts'
import { discardRows } from '../store/imports.ts'
import { appendToJournal, forgetJournal } from '../store/labels-journal.ts'
import type { WritableDb } from '../store/open.ts'
import { moveMarked } from '../store/trash.ts'

/**
 * Moves a data set to the trash, and then takes its rows out of the database. The mark in its folder is the decision:
 * from there on every interruption ends, at the next start, with the data set in the trash and nowhere else.
 * @returns the folder in the trash
 * @throws AppError `not-found`; `disk-full`, `folder-unusable` before anything changed, when the labels or the mark
 *   cannot be written beside the records
 */
export async function deleteDataset(db: WritableDb, dataFolder: string, datasetId: string, nowMs: number): Promise<string> {
  const { name } = requireDataset(db, datasetId)
  appendToJournal(db, dataFolder, datasetId) // the trash must hold every label
  const folder = datasetFolder(dataFolder, datasetId)
  markDeleted(folder, { kind: 'dataset', id: datasetId, name, deletedAtMs: nowMs, labelEvents: countPeoplesEvents(dataFolder, datasetId) })
  return finishDeletion(db, dataFolder, datasetId)
}

/** What follows the mark. Each step is done where it was not done yet. */
export async function finishDeletion(db: WritableDb, dataFolder: string, datasetId: string): Promise<string> {
  hideDataset(db, datasetId)
  forgetJournal(db, datasetId)
  const folder = datasetFolder(dataFolder, datasetId)
  const target = existsSync(folder) ? moveMarked(dataFolder, folder, datasetId) : folder
  for (const _ of discardRows(db, datasetId)) await nextTurn()
  return target
}
