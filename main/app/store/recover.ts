import { existsSync, readdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { AppError } from '../../../shared/errors.ts'
import { listAnnotators, restorePeople } from './annotators.ts'
import { readAnnotatorsFile, writeAnnotatorsFile } from './annotators-file.ts'
import { datasetFolder } from './datasets-folder.ts'
import { moveDurably } from '../../base/files/durable.ts'
import { lookAtFolder } from './datasets-marks.ts'
import { lockFolder } from './open-lock.ts'
import { createDatabase, databasePath, setAside, type WritableDb } from './open.ts'
import { rebuildDataset, type RebuildOptions, type RebuiltDataset } from './rebuild-dataset.ts'
import { salvageDatabase, type Salvage } from './recover-salvage.ts'
import { writeSettings } from './settings.ts'

export interface RecoveryReport {
  /** Where the damaged database was put; null when there was none. */
  readonly keptAs: string | null
  readonly datasets: readonly RebuiltDataset[]
  readonly annotators: number
  readonly settings: number
  /** Folders that the next start reads back into the list of runs. */
  readonly runFolders: number
  /** What was lost or stays doubtful, in words. Empty: everything is back. */
  readonly problems: readonly string[]
}

/**
 * Builds the database anew from the files that do not need it — records, dataset.json, journals, annotators.json — and
 * from what the damaged file still gives. The damaged file is kept, and stays in its place until the new one is
 * complete, so that an interrupted recovery can simply be run again.
 * @throws AppError `db-locked` while the app is open, `file-not-found` when the folder holds nothing to recover
 */
export async function recoverStore(folder: string, options: RebuildOptions): Promise<RecoveryReport> {
  const file = databasePath(folder)
  if (!existsSync(file) && !existsSync(path.join(folder, 'datasets'))) {
    throw new AppError({
      code: 'file-not-found',
      message: `There is nothing to recover in ${folder}.`,
      hint: 'Name the data folder with --data-dir.',
    })
  }
  const lock = lockFolder(folder)
  try {
    const salvage = salvageDatabase(file)
    const fresh = `${file}.recovering`
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${fresh}${suffix}`, { force: true })
    const db = createDatabase(fresh)
    const report = await rebuild(db, folder, salvage, options).finally(() => db.close())
    const keptAs = setAside(file, options.nowMs)
    moveDurably(fresh, file)
    return { ...report, keptAs }
  } finally {
    lock.release()
  }
}

async function rebuild(
  db: WritableDb,
  folder: string,
  salvage: Salvage,
  options: RebuildOptions,
): Promise<Omit<RecoveryReport, 'keptAs'>> {
  const problems = [...salvage.problems]
  restoreAnnotators(db, folder, salvage, problems)
  writeSettings(db, salvage.settings)
  const datasets: RebuiltDataset[] = []
  // Those that the damaged file knew come first: their label events keep their numbers.
  const ids = listNames(path.join(folder, 'datasets')).toSorted(
    (one, two) => Number(isKnown(salvage, two)) - Number(isKnown(salvage, one)),
  )
  for (const id of ids) {
    try {
      const recovered = await recoverFolder(db, folder, id, salvage, options)
      if (typeof recovered === 'string') problems.push(`${datasetFolder(folder, id)} is left as it is: ${recovered}`)
      else datasets.push(recovered)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error
      problems.push(`${datasetFolder(folder, id)} is left as it is: ${error.message}`)
    }
  }
  for (const [id, entry] of salvage.datasets) {
    if (!ids.includes(id)) problems.push(`the records of "${entry.name}" (${id}) are missing from the folder`)
  }
  writeAnnotatorsFile(db, folder)
  return {
    datasets,
    annotators: listAnnotators(db).length,
    settings: Object.keys(salvage.settings).length,
    runFolders: listNames(path.join(folder, 'runs')).length,
    problems,
  }
}

/** The data set, or why none can be made of the folder. */
async function recoverFolder(
  db: WritableDb,
  folder: string,
  id: string,
  salvage: Salvage,
  options: RebuildOptions,
): Promise<RebuiltDataset | string> {
  const found = lookAtFolder(folder, id)
  if (found.state === 'unfinished') return 'an import that never ended; the next start moves it to the trash'
  if (found.state === 'deleted') return `"${found.mark.name}" was deleted; the next start moves it to the trash`
  if (found.state === 'unusable') return found.reason
  const remembered = isKnown(salvage, id)
    ? { entry: salvage.datasets.get(id) ?? null, events: salvage.events.get(id) ?? [] }
    : null
  return rebuildDataset(db, folder, id, remembered, options)
}

function isKnown(salvage: Salvage, id: string): boolean {
  return salvage.datasets.has(id) || salvage.events.has(id)
}

function listNames(parent: string): string[] {
  return existsSync(parent) ? readdirSync(parent).sort() : []
}

function restoreAnnotators(db: WritableDb, folder: string, salvage: Salvage, problems: string[]): void {
  const saved = readAnnotatorsFile(folder)
  if (saved.problem !== null) problems.push(saved.problem)
  restorePeople(db, saved.annotators)
  restorePeople(db, salvage.annotators)
}
