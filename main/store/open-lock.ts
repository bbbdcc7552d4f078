import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import Database from 'better-sqlite3'
import { AppError } from '../../shared/errors.ts'

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
  const lock = new Database(path.join(folder, LOCK_FILE), { timeout: 0 })
  try {
    lock.pragma('journal_mode = MEMORY')
    lock.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY')) throw lockedError(folder, ownerPath, error)
    throw error
  }
  writeFileSync(ownerPath, JSON.stringify({ pid: process.pid, startedAtMs: Math.round(Date.now() - process.uptime() * 1000) }))
  return {
    release() {
      if (!lock.open) return
      rmSync(ownerPath, { force: true })
      lock.close()
    },
  }
}

function lockedError(folder: string, ownerPath: string, cause: unknown): AppError {
  const owner = readOwner(ownerPath)
  const who = owner === null ? 'Another Pairlab' : `Another Pairlab (process ${owner.pid}, started ${new Date(owner.startedAtMs).toISOString()})`
  return new AppError({
    code: 'db-locked',
    message: `${who} is using the data folder ${folder}.`,
    hint: 'Go on in that window, close it, or choose another folder with --data-dir.',
    details: owner === null ? { folder } : { folder, pid: owner.pid },
    cause,
  })
}

function readOwner(ownerPath: string): { readonly pid: number; readonly startedAtMs: number } | null {
  try {
    const value: unknown = JSON.parse(readFileSync(ownerPath, 'utf8'))
    if (typeof value !== 'object' || value === null || !('pid' in value) || !('startedAtMs' in value)) return null
    return typeof value.pid === 'number' && typeof value.startedAtMs === 'number' ? { pid: value.pid, startedAtMs: value.startedAtMs } : null
  } catch (error) {
    // The owner writes the file just after it took the lock: missing or half a line means only that it is young.
    if (error instanceof SyntaxError || (error instanceof Error && 'code' in error && error.code === 'ENOENT')) return null
    throw error
  }
}
