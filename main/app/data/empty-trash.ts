import { existsSync, readdirSync } from 'node:fs'
import { rm, readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { forgetPeopleOf } from '../store/annotators.ts'
import { writeAnnotatorsFile } from '../store/annotators-file.ts'
import { truncateLog, type WritableDb } from '../store/open.ts'
import { noteRemovedRun } from '../store/run-numbers.ts'
import { listRuns } from '../store/runs.ts'
import { describeEntry, listTrash, removalTime, type TrashEntry } from '../store/trash.ts'

export interface Emptied {
  readonly removed: number
  readonly freedBytes: number
  /** Where texts of what was removed may still stand: copies that only a person should throw away. */
  readonly remains: readonly string[]
}

/**
 * Removes entries of the trash for good, and what the database still holds of them: their rows were overwritten when
 * they were deleted, and the write-ahead log is emptied here.
 */
export async function emptyTrash(db: WritableDb, dataFolder: string, entries: readonly TrashEntry[]): Promise<Emptied> {
  let freedBytes = 0
  const datasets: string[] = []
  for (const entry of entries) {
    const { kind, id } = describeEntry(entry)
    freedBytes += await folderBytes(entry.folder)
    if (kind === 'run') noteRemovedRun(db, id)
    await rm(entry.folder, { recursive: true })
    if (kind !== 'dataset') continue
    datasets.push(id)
    forgetPeopleOf(db, id)
  }
  if (datasets.length > 0) writeAnnotatorsFile(db, dataFolder)
  if (entries.length > 0) truncateLog(db)
  return {
    removed: entries.length,
    freedBytes,
    remains: datasets.length === 0 ? [] : findRemains(db, dataFolder, datasets),
  }
}

/** What the rule removes now. Nothing in which people labeled, and nothing that came there unmarked. */
export function emptyByRule(db: WritableDb, dataFolder: string, nowMs: number): Promise<Emptied> {
  return emptyTrash(
    db,
    dataFolder,
    listTrash(dataFolder).filter((entry) => (removalTime(entry) ?? Number.POSITIVE_INFINITY) <= nowMs),
  )
}

function findRemains(db: WritableDb, dataFolder: string, datasets: readonly string[]): string[] {
  const copies = readdirSync(dataFolder)
    .filter((name) => /^app\.sqlite\.(before|damaged)-/.test(name))
    .map((name) => path.join(dataFolder, name))
  const exported = path.join(dataFolder, 'exports')
  const exports = existsSync(exported) ? readdirSync(exported).map((name) => path.join(exported, name)) : []
  const runs = listRuns(db)
    .filter((run) => datasets.includes(run.datasetId))
    .map((run) => path.join(dataFolder, 'runs', run.runId))
  return [...copies, ...exports, ...runs]
}

export async function folderBytes(folder: string): Promise<number> {
  let total = 0
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) total += (await stat(path.join(entry.parentPath, entry.name)).catch(() => null))?.size ?? 0 // gone meanwhile
  }
  return total
}
