import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { AppError } from '../../../shared/errors.ts'
import { moveDurably, syncTree } from '../../base/files/durable.ts'
import { isErrno } from '../../base/files/system-error.ts'

/**
 * Makes a folder whole or not at all: it is written beside its place, and moved there at the end.
 * @param target must not exist, or be empty
 * @returns names of its files, relative and sorted
 * @throws AppError `input-invalid` for a full folder, `folder-unusable` where none can be made
 */
export async function writeNewFolder(target: string, write: (folder: string) => Promise<void>): Promise<string[]> {
  if (existsSync(target) && readdirSync(target).length > 0) throw notEmpty(target)
  const staging = makeStaging(target)
  try {
    await write(staging)
    syncTree(staging)
    if (existsSync(target)) rmdirSync(target)
    moveDurably(staging, target)
  } catch (error) {
    throw isErrno(error, 'ENOTEMPTY', 'EEXIST') ? notEmpty(target) : error
  } finally {
    rmSync(staging, { recursive: true, force: true })
  }
  return readdirSync(target, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(target, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
    .toSorted()
}

/** A folder of its own beside the place: another may be writing to the same one. */
function makeStaging(target: string): string {
  try {
    mkdirSync(path.dirname(target), { recursive: true })
    return mkdtempSync(`${target}.partial-`)
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'EACCES', 'EPERM', 'EROFS')) throw error
    throw new AppError({
      code: 'folder-unusable',
      message: `${path.dirname(target)} takes no new folder.`,
      hint: 'Choose a place that you can write to, for example in your home folder.',
      cause: error,
    })
  }
}

function notEmpty(target: string): AppError {
  return new AppError({
    code: 'input-invalid',
    message: `${target} is not empty.`,
    hint: 'Name a folder that does not exist yet.',
  })
}
