import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { Trouble } from '../../../shared/contract/system.ts'
import { AppError } from '../../../shared/errors.ts'
import { moveDurably } from '../../base/files/durable.ts'
import { listPeople, restorePeople } from '../store/annotators.ts'
import { readAnnotatorsFile, writeAnnotatorsFile } from '../store/annotators-file.ts'
import { findDataset, grows, listDatasets, listDrafts, type DatasetEntry } from '../store/datasets.ts'
import { readDatasetFile, writeDatasetFile } from '../store/datasets-file.ts'
import { datasetFolder, recordsPath } from '../store/datasets-folder.ts'
import { finishFolder, isImporting, lookAtFolder, readDeletedMark } from '../store/datasets-marks.ts'
import { discardRows } from '../store/imports.ts'
import { databasePath, storeError, type WritableDb } from '../store/open.ts'
import { rebuildDataset } from '../store/rebuild-dataset.ts'
import { moveToTrash } from '../store/trash.ts'
import { finishDeletion } from './delete-dataset.ts'
import { settleGrowth } from './growing-dataset.ts'
import { assignSplits } from './split.ts'

export interface Settled {
  /** What was done, in words. */
  readonly done: readonly string[]
  /** What was found and left as it is. */
  readonly troubles: readonly Trouble[]
}

/**
 * Brings `datasets/` and the database to the same data sets when the app starts, before anybody asks. Nothing is
 * deleted here: what an import left behind when it died goes to the trash, what was on its way there arrives, a data
 * set that the database does not know is made again from its records and journal, and everything else stays where it
 * is and is named.
 */
export async function settleFolders(db: WritableDb, dataFolder: string, nowMs: number): Promise<Settled> {
  const done: string[] = []
  const troubles: Trouble[] = []
  restorePeople(
    db,
    readAnnotatorsFile(dataFolder).annotators.filter((person) => !person.imported),
  )
  // Rows of an import or a deletion that was interrupted: their folders decide, below.
  for (const id of listDrafts(db)) {
    try {
      for (const _ of discardRows(db, id)) await nextTurn()
    } catch (error) {
      const known = storeError(error, dataFolder)
      if (!(known instanceof AppError)) throw error
      // Nobody sees these rows: they can wait for room.
      troubles.push({
        path: databasePath(dataFolder),
        trouble: `What an import or a deletion left of ${id} cannot be taken away: ${known.message}`,
        hint: known.hint,
      })
    }
  }
  const parent = path.join(dataFolder, 'datasets')
  for (const id of existsSync(parent) ? readdirSync(parent).sort() : []) {
    try {
      const known = findDataset(db, id)
      const found =
        known === null
          ? await settleUnknown(db, dataFolder, id, nowMs)
          : await settleKnown(db, dataFolder, known, nowMs)
      if (found === null) continue
      if (typeof found === 'string') done.push(found)
      else troubles.push(found)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error
      troubles.push({
        path: path.join(parent, id),
        trouble: `${error.message}`,
        hint: 'It is left as it is. The other data sets are not touched by it.',
      })
    }
  }
  for (const { datasetId, name } of listDatasets(db)) {
    if (existsSync(recordsPath(dataFolder, datasetId))) continue
    troubles.push({
      path: recordsPath(dataFolder, datasetId),
      trouble: `The records of "${name}" are missing. Its labels are safe.`,
      hint: 'Put a copy of the file back.',
    })
  }
  const names = settleAnnotators(db, dataFolder, nowMs)
  if (names !== null) done.push(names)
  return { done, troubles }
}

/** annotators.json says what the database does, so that journals can be read without it. */
function settleAnnotators(db: WritableDb, dataFolder: string, nowMs: number): string | null {
  const { annotators, problem } = readAnnotatorsFile(dataFolder)
  const known = listPeople(db)
  if (problem === null && isDeepStrictEqual(annotators, known)) return null
  const file = path.join(dataFolder, 'annotators.json')
  const isGone = !existsSync(file)
  if (problem !== null) moveDurably(file, `${file}.damaged-${nowMs}`)
  writeAnnotatorsFile(db, dataFolder)
  if (isGone) return known.length === 0 ? null : `${file} was missing; it was written anew from the database`
  return problem === null ? null : `${problem}; it was written anew, and the damaged one is kept beside it`
}

/** A folder that the database does not know. */
async function settleUnknown(db: WritableDb, dataFolder: string, id: string, nowMs: number): Promise<string | Trouble> {
  const folder = datasetFolder(dataFolder, id)
  const found = lookAtFolder(dataFolder, id)
  switch (found.state) {
    case 'deleted':
      return `"${found.mark.name}" was being deleted; it is in the trash now: ${await finishDeletion(db, dataFolder, id)}`
    case 'unfinished':
      return `an import that never ended is in the trash now: ${moveToTrash(dataFolder, folder, { kind: 'import', id, name: `unfinished import ${id}`, deletedAtMs: nowMs, labelEvents: 0 })}`
    case 'unusable':
      return {
        path: folder,
        trouble: `This is no data set that can be opened: ${found.reason}.`,
        hint: 'It is left as it is. Put back what is missing, or move it out of the data folder.',
      }
    case 'usable': {
      const { name, pairs, labelEvents, problems } = await rebuildDataset(db, dataFolder, id, null, {
        assignSplits,
        nowMs,
      })
      finishFolder(dataFolder, id)
      return `recovered "${name}" from ${folder}: ${pairs} pairs, ${labelEvents} label events${problems.length === 0 ? '' : `; ${problems.join('; ')}`}`
    }
  }
}

/** A folder whose data set is listed: null when there is nothing to do. */
async function settleKnown(
  db: WritableDb,
  dataFolder: string,
  dataset: DatasetEntry,
  nowMs: number,
): Promise<string | null> {
  const { datasetId, name } = dataset
  const folder = datasetFolder(dataFolder, datasetId)
  if (readDeletedMark(folder) !== null)
    return `"${name}" was being deleted; it is in the trash now: ${await finishDeletion(db, dataFolder, datasetId)}`
  if (isImporting(dataFolder, datasetId)) finishFolder(dataFolder, datasetId) // it died between its last two steps
  const grown =
    grows(dataset) && existsSync(recordsPath(dataFolder, datasetId)) ? settleGrowth(db, dataFolder, dataset) : null
  if (grown !== null) return grown
  const file = path.join(folder, 'dataset.json')
  const aside = (why: string): void => {
    if (existsSync(file)) moveDurably(file, `${file}.${why}-${nowMs}`)
  }
  try {
    if (isDeepStrictEqual(readDatasetFile(dataFolder, datasetId), dataset)) return null
    aside('before') // the app died between the file and the database, or one of them was put back
  } catch {
    aside('damaged') // missing, empty, cut or unreadable
  }
  writeDatasetFile(dataFolder, dataset)
  return `wrote ${file} anew from the database; what it held before is kept beside it`
}
