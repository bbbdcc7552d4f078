import { existsSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { hideDataset, requireDataset, showDataset } from '../store/datasets.ts'
import { datasetFolder } from '../store/datasets-folder.ts'
import { countPeoplesEvents, markDeleted, unmarkDeleted } from '../store/datasets-marks.ts'
import { discardRows } from '../store/imports.ts'
import { appendToJournal, forgetJournal } from '../store/labels-journal.ts'
import type { WritableDb } from '../store/open.ts'
import { labelClock } from '../store/runs.ts'
import { inSlices } from '../store/slices.ts'
import { moveMarked } from '../store/trash.ts'

/**
 * Moves a data set to the trash, and then takes its rows out of the database. The mark in its folder is the decision:
 * from there on every interruption ends, at the next start, with the data set in the trash and nowhere else.
 * @returns the folder in the trash
 * @throws AppError `not-found`; `disk-full`, `folder-unusable` and nothing changed, when the labels, the mark or
 *   the database cannot be written, or the trash takes nothing
 */
export async function deleteDataset(
  db: WritableDb,
  dataFolder: string,
  datasetId: string,
  nowMs: number,
  watcher: DeletionWatcher = {},
): Promise<string> {
  const labelEvents = await countAll(db, dataFolder, datasetId)
  const { name } = requireDataset(db, datasetId)
  watcher.beforeMark?.()
  markDeleted(datasetFolder(dataFolder, datasetId), {
    kind: 'dataset',
    id: datasetId,
    name,
    deletedAtMs: nowMs,
    labelEvents,
  })
  const kept = takeAwayOrNot(db, dataFolder, datasetId)
  watcher.onHidden?.()
  try {
    for (const _ of discardRows(db, datasetId)) await nextTurn()
  } catch (error) {
    watcher.onLeft?.(error)
  }
  return kept
}

export interface DeletionWatcher {
  /** The last moment to refuse, by throwing: counting took a while. */
  beforeMark?(): void
  /** From here on the data set is not listed. */
  onHidden?(): void
  /** It is deleted for everybody, and what is left to do is left to the next start. */
  onLeft?(error: unknown): void
}

/** Label events of people, those too that come while it counts: the journal, and so the trash, holds every one. */
async function countAll(db: WritableDb, dataFolder: string, datasetId: string): Promise<number> {
  for (;;) {
    requireDataset(db, datasetId)
    appendToJournal(db, dataFolder, datasetId)
    const clock = labelClock(db, datasetId)
    const count = await inSlices(countPeoplesEvents(dataFolder, datasetId))
    if (labelClock(db, datasetId) === clock) return count
  }
}

/** What follows the mark, at a start. Each step is done where it was not done yet. @returns the folder in the trash */
export async function finishDeletion(db: WritableDb, dataFolder: string, datasetId: string): Promise<string> {
  const kept = takeAway(db, dataFolder, datasetId)
  for (const _ of discardRows(db, datasetId)) await nextTurn()
  return kept
}

/** A refusal (a full disk, something in the place of the trash) leaves the data set as it was, without a mark. */
function takeAwayOrNot(db: WritableDb, dataFolder: string, datasetId: string): string {
  try {
    return takeAway(db, dataFolder, datasetId)
  } catch (error) {
    showDataset(db, datasetId)
    unmarkDeleted(datasetFolder(dataFolder, datasetId))
    throw error
  }
}

function takeAway(db: WritableDb, dataFolder: string, datasetId: string): string {
  hideDataset(db, datasetId)
  forgetJournal(db, datasetId)
  const folder = datasetFolder(dataFolder, datasetId)
  return existsSync(folder) ? moveMarked(dataFolder, folder, datasetId) : folder
}
