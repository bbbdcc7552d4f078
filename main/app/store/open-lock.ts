import { chmodSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import Database from 'better-sqlite3'
import { AppError } from '../../../shared/errors.ts'

export interface FolderLock {
  release(): void
}

const LOCK_FILE = 'app.lock'
const OWNER_FILE = 'app.owner.json'

/**
 * Makes this process the only one that writes to the folder. The lock is the operating system's own, held through
 * an otherwise unused SQLite file: it ends with the process however that ends, so that a lock is never stale. The
 * owner's name stands beside it for the message only.
 * @throws AppError `db-locked`
 */
export function lockFolder(folder: string): FolderLock {
  const ownerPath = path.join(folder, OWNER_FILE)
  const lockPath = path.join(folder, LOCK_FILE)
  let lock: Database.Database
  try {
    lock = new Database(lockPath, { timeout: 0 })
  } catch (error) {
    throw new AppError({
      code: 'folder-unusable',
      message: `${lockPath} cannot be opened: ${error instanceof Error ? error.message : String(error)}.`,
      hint: 'Check that you may write to the folder, and that it is a file: it holds nothing and can be moved away.',
      details: { folder },
      cause: error,
    })
  }
  try {
    chmodSync(lockPath, 0o600) // whoever may read it could hold it
    lock.pragma('journal_mode = MEMORY')
    lock.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY'))
      throw lockedError(folder, ownerPath, lockPath, error)
    throw error
  }
  writeFileSync(
    ownerPath,
    JSON.stringify({ pid: process.pid, startedAtMs: Math.round(Date.now() - process.uptime() * 1000) }),
  )
  return {
    release() {
      if (!lock.open) return
      rmSync(ownerPath, { force: true })
      lock.close()
    },
  }
}

function lockedError(folder: string, ownerPath: string, lockPath: string, cause: unknown): AppError {
  const owner = readOwner(ownerPath)
  const stranger = findHolder(lockPath, owner?.pid ?? null)
  if (stranger !== null) {
    return new AppError({
      code: 'db-locked',
      message: `The program "${stranger.name}" (process ${stranger.pid}) holds a lock on ${lockPath}, so that Pairlab cannot have the data folder to itself.`,
      hint: 'Wait until it is done, or end it. A backup may copy app.lock like any file, or leave it out: it holds nothing.',
      details: { folder },
      cause,
    })
  }
  const who =
    owner === null
      ? 'Another Pairlab'
      : `Another Pairlab (process ${owner.pid}, started ${new Date(owner.startedAtMs).toISOString()})`
  return new AppError({
    code: 'db-locked',
    message: `${who} is using the data folder ${folder}.`,
    hint: 'Go on in that window, close it, or choose another folder with --data-dir.',
    details: owner === null ? { folder } : { folder, pid: owner.pid },
    cause,
  })
}

/** Who holds a reader's lock, which no Pairlab does, as the kernel tells on Linux; null where it does not, or where it is one. */
function findHolder(lockPath: string, ownerPid: number | null): { readonly pid: number; readonly name: string } | null {
  try {
    const inode = String(statSync(lockPath).ino)
    for (const line of readFileSync('/proc/locks', 'utf8').split('\n')) {
      const [, , , kind, pid = '', place = ''] = line.trim().split(/\s+/)
      // A Pairlab writes, though it may not have left its name yet.
      if (kind !== 'READ' || place.split(':').at(-1) !== inode || Number(pid) <= 0 || Number(pid) === ownerPid) continue
      return { pid: Number(pid), name: readFileSync(`/proc/${pid}/comm`, 'utf8').trim() }
    }
  } catch {
    // no /proc here, or it is gone by now: the message does without
  }
  return null
}

function readOwner(ownerPath: string): { readonly pid: number; readonly startedAtMs: number } | null {
  try {
    const value: unknown = JSON.parse(readFileSync(ownerPath, 'utf8'))
    if (typeof value !== 'object' || value === null || !('pid' in value) || !('startedAtMs' in value)) return null
    return typeof value.pid === 'number' && typeof value.startedAtMs === 'number'
      ? { pid: value.pid, startedAtMs: value.startedAtMs }
      : null
  } catch (error) {
    // The owner writes the file just after it took the lock: missing or half a line means only that it is young.
    if (error instanceof SyntaxError || (error instanceof Error && 'code' in error && error.code === 'ENOENT'))
      return null
    throw error
  }
}
