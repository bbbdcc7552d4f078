import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { moveDurably } from '../../base/files/durable.ts'
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

/** What was deleted longer ago than this is removed, unless people labeled in it. */
export const TRASH_DAYS = 30
const DAY_MS = 24 * 60 * 60 * 1000

/** When the rule removes it; null: never without a command. */
export function removalTime({ mark }: TrashEntry): number | null {
  return mark === null || mark.labelEvents > 0 ? null : mark.deletedAtMs + TRASH_DAYS * DAY_MS
}

/** What an entry is and was called, also where an older version left no mark. */
export function describeEntry({ trashId, folder, mark }: TrashEntry): {
  readonly kind: DeletedMark['kind'] | 'other'
  readonly id: string
  readonly name: string
} {
  if (mark !== null) return { kind: mark.kind, id: mark.id, name: mark.name }
  const id = trashId.replace(/-([0-9a-f]{6}|\d{13})$/, '')
  const has = (file: string): boolean => existsSync(path.join(folder, file))
  return {
    kind: has('records.jsonl') ? 'dataset' : has('spec.json') ? 'run' : has('model.json') ? 'model' : 'other',
    id,
    name: id,
  }
}

/** Newest first; what is no folder is not ours to list. */
export function listTrash(dataFolder: string): TrashEntry[] {
  const parent = trashFolder(dataFolder)
  if (statSync(parent, { throwIfNoEntry: false })?.isDirectory() !== true) return []
  return readdirSync(parent)
    .map((trashId) => ({ trashId, folder: path.join(parent, trashId) }))
    .filter(({ folder }) => statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true)
    .map((entry) => ({ ...entry, mark: readDeletedMark(entry.folder) }))
    .toSorted((one, two) => (two.mark?.deletedAtMs ?? 0) - (one.mark?.deletedAtMs ?? 0))
}

/** Marks a folder as deleted and moves it, or leaves it as it was. A kill in between is made good by the next start: the mark says what was wanted. */
export function moveToTrash(dataFolder: string, folder: string, mark: DeletedMark): string {
  markDeleted(folder, mark)
  try {
    return moveMarked(dataFolder, folder, mark.id)
  } catch (error) {
    unmarkDeleted(folder)
    throw error
  }
}

/** Moves a folder to the trash, where there is one, and has the index forget it: both, or neither when one is refused, as a full disk does. */
export function discardFolder(dataFolder: string, folder: string, mark: DeletedMark, forget: () => void): void {
  const target = existsSync(folder) ? moveToTrash(dataFolder, folder, mark) : null
  try {
    forget()
  } catch (error) {
    if (target !== null) moveBack(target, folder)
    throw error
  }
}

export function moveMarked(dataFolder: string, folder: string, id: string): string {
  const trash = trashFolder(dataFolder)
  mkdirSync(trash, { recursive: true })
  const target = path.join(trash, `${id}-${randomBytes(3).toString('hex')}`)
  moveDurably(folder, target)
  return target
}

/** Moves a folder back to where it came from, and only then takes its mark off. */
export function moveBack(folder: string, target: string): void {
  mkdirSync(path.dirname(target), { recursive: true })
  moveDurably(folder, target)
  unmarkDeleted(target)
}
