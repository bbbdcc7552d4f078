import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { datasetFolder, journalPath, recordsPath } from './datasets-folder.ts'
import { replaceFile } from '../../base/files/durable.ts'
import { readJournal } from './labels-journal.ts'
import { atOnce, type Sliced } from './slices.ts'

/** Stands in a folder while an import fills it: written before anything else, taken away last. */
const IMPORTING = 'importing.json'
/** Stands in a folder from the moment it was deleted, in the trash too. Whatever is interrupted, the next start knows what was wanted. */
const DELETED = 'deleted.json'

export const trashKinds = ['dataset', 'import', 'run', 'model'] as const

const deletedMark = z.object({
  formatVersion: z.literal(1),
  kind: z.enum(trashKinds),
  id: z.string(),
  name: z.string(),
  deletedAtMs: z.number(),
  /** Label events of people: such a folder is never removed by a rule. */
  labelEvents: z.int(),
})
export type DeletedMark = Omit<z.infer<typeof deletedMark>, 'formatVersion'>

/** Makes the folder of an import, marked as such. */
export function beginFolder(dataFolder: string, id: string): void {
  const folder = datasetFolder(dataFolder, id)
  mkdirSync(folder, { recursive: true })
  replaceFile(path.join(folder, IMPORTING), `${JSON.stringify({ formatVersion: 1 })}\n`)
}

/** The import has ended; where it failed the folder is gone already. A mark that stays behind does no harm once dataset.json is there. */
export function finishFolder(dataFolder: string, id: string): void {
  rmSync(path.join(datasetFolder(dataFolder, id), IMPORTING), { force: true })
}

export function isImporting(dataFolder: string, id: string): boolean {
  return existsSync(path.join(datasetFolder(dataFolder, id), IMPORTING))
}

export function markDeleted(folder: string, mark: DeletedMark): void {
  replaceFile(path.join(folder, DELETED), `${JSON.stringify({ formatVersion: 1, ...mark })}\n`)
}

/** What the mark says; null where there is none, or none that this version reads. */
export function readDeletedMark(folder: string): DeletedMark | null {
  const file = path.join(folder, DELETED)
  try {
    if (!existsSync(file)) return null
    const { formatVersion: _, ...mark } = deletedMark.parse(JSON.parse(readFileSync(file, 'utf8')))
    return mark
  } catch {
    return null // a mark that cannot be read orders nothing
  }
}

export function unmarkDeleted(folder: string): void {
  rmSync(path.join(folder, DELETED), { force: true })
}

/**
 * What an entry of `datasets/` is, by its files alone. `unfinished`: an import died in it, and nobody labeled it since.
 * `unusable` says why nothing can be made of it.
 */
export type FolderState =
  | { readonly state: 'usable' | 'unfinished' }
  | { readonly state: 'deleted'; readonly mark: DeletedMark }
  | { readonly state: 'unusable'; readonly reason: string }

export function lookAtFolder(dataFolder: string, id: string): FolderState {
  const folder = datasetFolder(dataFolder, id)
  try {
    if (!statSync(folder).isDirectory())
      return { state: 'unusable', reason: 'it is a file, and no folder of a data set' }
    const mark = readDeletedMark(folder)
    if (mark !== null) return { state: 'deleted', mark }
    const people = (): number => atOnce(countPeoplesEvents(dataFolder, id)) // reads every label: only where it decides
    if (isImporting(dataFolder, id) && !existsSync(path.join(folder, 'dataset.json')) && people() === 0)
      return { state: 'unfinished' }
    if (statSync(recordsPath(dataFolder, id), { throwIfNoEntry: false })?.isFile() !== true)
      return { state: 'unusable', reason: describeWithoutRecords(folder, people()) }
    return { state: 'usable' }
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error
    return { state: 'unusable', reason: `it cannot be read (${error.message})` }
  }
}

function describeWithoutRecords(folder: string, people: number): string {
  if (people > 0)
    return `its records.jsonl is missing; ${people} label events of people are in its labels.jsonl and stay there`
  return readdirSync(folder).length === 0 ? 'it is empty' : 'it has no records.jsonl, so it is no data set'
}

/** Events of the journal that a person made, not a file; 0 where there is no journal. */
export function* countPeoplesEvents(dataFolder: string, id: string): Sliced<number> {
  if (statSync(journalPath(dataFolder, id), { throwIfNoEntry: false })?.isFile() !== true) return 0
  let count = 0
  // A line that cannot be read may be somebody's.
  for (const event of readJournal(dataFolder, id, () => {
    count += 1
  })) {
    if (event.clientKey !== null || event.kind !== 'answer') count += 1
    yield
  }
  return count
}
