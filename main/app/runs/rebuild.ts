import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { LIVE_STATES } from '../../../shared/domain.ts'
import { inTransaction, type WritableDb } from '../store/open.ts'
import { deleteRun, findRun, insertRun, listRunIds, listRuns, updateRun, type RunEntry } from '../store/runs.ts'
import { atOnce, type Sliced } from '../store/slices.ts'
import { readAppRecord } from './app-record.ts'
import { foldEvents } from './fold.ts'
import { readEvents } from '../../base/run-folder/events.ts'
import { readSpec } from '../../base/run-folder/spec.ts'
import { runPaths } from '../../base/run-folder/paths.ts'
import { runBytes } from './summary.ts'
import { readTime } from './trained-time.ts'

/** Who hears of the reading of run folders. */
export interface ReadWatcher {
  readonly warn: (text: string, details: unknown) => void
  /** Before each folder: how many were read, and of how many. */
  readonly onRead: (done: number, total: number) => void
}

/** Ids of the folders that hold a run. */
export function listRunFolders(runsFolder: string): string[] {
  if (!existsSync(runsFolder)) return []
  return readdirSync(runsFolder)
    .filter((name) => existsSync(runPaths(path.join(runsFolder, name)).spec))
    .toSorted()
}

/**
 * Brings folders and index together after either was changed behind the other's back: a new database, a folder that
 * was copied in or taken away. A run is read whole or not at all: what a kill left out is read at the next start.
 * @returns the ids that were added
 */
export function* reconcileRuns(db: WritableDb, runsFolder: string, { warn, onRead }: ReadWatcher): Sliced<string[]> {
  const folders = listRunFolders(runsFolder)
  const present = new Set(folders)
  const known = new Set(listRunIds(db))
  for (const runId of known) if (!present.has(runId)) deleteRun(db, runId)
  for (const run of listRuns(db)) {
    if (run.trainedMs === null) countTime(db, runsFolder, run, warn)
    yield
  }
  const missing = folders.filter((runId) => !known.has(runId))
  const added: string[] = []
  for (const [done, runId] of missing.entries()) {
    onRead(done, missing.length)
    if (indexRun(db, runsFolder, runId, warn)) added.push(runId)
    yield
  }
  return added
}

/** For a row that an earlier version wrote. The rest of it stays: its place in the queue and its process are in no file. */
function countTime(
  db: WritableDb,
  runsFolder: string,
  run: RunEntry,
  warn: (text: string, details: unknown) => void,
): void {
  const { events } = runPaths(path.join(runsFolder, run.runId))
  if (run.cursorSeq > 0 && !existsSync(events)) return // it stays unknown
  try {
    updateRun(db, run.runId, readTime(events, run.cursorSeq))
  } catch (error) {
    warn(`how long the run ${run.runId} trained cannot be read`, error)
  }
}

/** Forgets what the index has of every run and reads the folders again. Returns how many there are. */
export function rebuildIndex(
  db: WritableDb,
  runsFolder: string,
  warn: (text: string, details: unknown) => void,
): number {
  return listRunFolders(runsFolder).filter((runId) => indexRun(db, runsFolder, runId, warn)).length
}

/** Reads one folder into the index, in place of what it has of it, whole or not at all. @returns whether it could be read */
export function indexRun(
  db: WritableDb,
  runsFolder: string,
  runId: string,
  warn: (text: string, details: unknown) => void,
): boolean {
  try {
    inTransaction(db, () => atOnce(foldFolder(db, runsFolder, runId)))
    return true
  } catch (error) {
    warn(`the folder of run ${runId} cannot be read and is left out`, error)
    return false
  }
}

/** Bytes of an event log between two yields. */
const FOLD_BYTES = 64 * 1024

/** The same in slices, for a database that nobody else looks at. @throws what is wrong with the folder */
export function* foldFolder(db: WritableDb, runsFolder: string, runId: string): Sliced<void> {
  const folder = path.join(runsFolder, runId)
  const spec = readSpec(folder)
  const record = readAppRecord(folder)
  deleteRun(db, runId)
  insertRun(
    db,
    { ...spec, runId: spec.runId },
    { methodName: record?.methodName ?? spec.method, mainMetric: record?.mainMetric ?? null },
  )
  for (let offset = 0; ;) {
    const batch = readEvents(runPaths(folder).events, offset, FOLD_BYTES)
    if (batch.offset === offset) break
    foldEvents(db, runId, batch)
    offset = batch.offset
    yield
  }
  const run = findRun(db, runId)
  const ended = record?.ended
  const holds = run !== null && ended != null && ended.afterSeq >= run.cursorSeq
  updateRun(db, runId, {
    note: record?.note ?? '',
    diskBytes: runBytes(folder),
    ...(holds
      ? {
          state: ended.state,
          error: ended.error,
          endedAtMs: ended.atMs,
          phase: 'ended',
          pid: null,
          pidStarted: null,
          queueOrder: null,
        }
      : {}),
  })
}

/** Runs that should have a process, by the index. */
export function listUnwatched(db: WritableDb): string[] {
  return listRuns(db, { states: LIVE_STATES }).map((run) => run.runId)
}
