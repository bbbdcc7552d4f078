import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, renameSync, statSync } from 'node:fs'
import path from 'node:path'
import { syncFolder } from './datasets-folder.ts'
import { markDeleted, readDeletedMark, unmarkDeleted, type DeletedMark } from './datasets-marks.ts'

export function trashFolder(dataFolder: string): string {
  return path.join(dataFolder, 'trash')
}

/** A folder in the trash. `mark` is null for one that an older version, or a person, put there. */
export interface TrashEntry {
  readonly trashId: string
  readonly folder: string
  readonly mark: DeletedMark | null
}

/** Newest first; what is no folder is not ours to list. */
export function listTrash(dataFolder: string): TrashEntry[] {
  const parent = trashFolder(dataFolder)
  if (!existsSync(parent)) return []
  return readdirSync(parent)
    .map((trashId) => ({ trashId, folder: path.join(parent, trashId) }))
    .filter(({ folder }) => statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true)
    .map((entry) => ({ ...entry, mark: readDeletedMark(entry.folder) }))
    .toSorted((one, two) => (two.mark?.deletedAtMs ?? 0) - (one.mark?.deletedAtMs ?? 0))
}

/** Marks a folder as deleted and moves it. A kill in between is made good by the next start: the mark says what was wanted. */
export function moveToTrash(dataFolder: string, folder: string, mark: DeletedMark): string {
  markDeleted(folder, mark)
  return moveMarked(dataFolder, folder, mark.id)
}

export function moveMarked(dataFolder: string, folder: string, id: string): string {
  const trash = trashFolder(dataFolder)
  mkdirSync(trash, { recursive: true })
  const target = path.join(trash, `${id}-${randomBytes(3).toString('hex')}`)
  renameSync(folder, target)
  syncFolder(trash)
  return target
}

/** Moves a folder back to where it came from, and only then takes its mark off. */
export function moveBack(entry: TrashEntry, target: string): void {
  mkdirSync(path.dirname(target), { recursive: true })
  renameSync(entry.folder, target)
  unmarkDeleted(target)
  syncFolder(path.dirname(target))
}
