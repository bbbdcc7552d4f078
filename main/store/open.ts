import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import path from 'node:path'
import Database from 'better-sqlite3'
import { AppError } from '../../shared/errors.ts'
import { lockFolder, type FolderLock } from './open-lock.ts'
import { migrate } from './migrate.ts'
import { migrations } from './migrations/list.ts'

declare const readable: unique symbol
declare const writable: unique symbol

/** A connection that queries may be run on. */
export type ReadableDb = Database.Database & { readonly [readable]: true }
/** The one connection of the one process that owns the data folder. */
export type WritableDb = ReadableDb & { readonly [writable]: true }

export interface Store {
  readonly db: WritableDb
  readonly folder: string
  /** Gives the file and the folder back. Safe to call twice. */
  close(): void
}

export const DATABASE_FILE = 'app.sqlite'
export const BUSY_TIMEOUT_MS = 5000

export function databasePath(folder: string): string {
  return path.join(folder, DATABASE_FILE)
}

/**
 * Opens the database of a data folder as its only writer, checks it and brings its schema up to date.
 * @throws AppError `db-locked` when another process has the folder, `db-damaged` when the file cannot be trusted,
 *   `db-from-future` when a newer version of the app wrote it, `disk-full`.
 */
export function openStore(folder: string): Store {
  mkdirSync(folder, { recursive: true })
  const lock = lockFolder(folder)
  let db: Database.Database | null = null
  try {
    refuseMissingFile(folder)
    const existed = existsSync(databasePath(folder))
    db = connect(databasePath(folder))
    if (existed) checkIntegrity(db, folder)
    migrate(db, databasePath(folder), migrations)
    return store(db as WritableDb, folder, lock) // the lock above makes it the only writer
  } catch (error) {
    db?.close()
    lock.release()
    throw storeError(error, folder)
  }
}

function store(db: WritableDb, folder: string, lock: FolderLock): Store {
  return {
    db,
    folder,
    close() {
      if (!db.open) return
      db.close()
      lock.release()
    },
  }
}

function connect(file: string): Database.Database {
  const db = new Database(file, { timeout: BUSY_TIMEOUT_MS })
  configure(db)
  return db
}

/** A new database beside the one in use, for a rebuild. The caller holds the folder's lock. */
export function createDatabase(file: string): WritableDb {
  const db = connect(file)
  migrate(db, file, migrations)
  return db as WritableDb // new, and nobody else knows its name
}

/** A database in memory with the present schema, to build something in and compare it. */
export function createScratch(): WritableDb {
  return createDatabase(':memory:')
}

function configure(db: Database.Database): void {
  db.pragma('journal_mode = WAL')
  // FULL: a label that was acknowledged is on the disk, not only with the operating system.
  db.pragma('synchronous = FULL')
  db.pragma('foreign_keys = ON')
  db.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`)
  db.pragma('trusted_schema = OFF')
}

/** A folder with data sets but no database lost its file; an empty new one would look like lost work. */
function refuseMissingFile(folder: string): void {
  const datasets = path.join(folder, 'datasets')
  if (existsSync(databasePath(folder)) || !existsSync(datasets)) return
  const count = readdirSync(datasets).filter((name) => existsSync(path.join(datasets, name, 'dataset.json'))).length
  if (count === 0) return
  throw damaged(folder, `The database file is missing, but the folder holds ${count} data set${count === 1 ? '' : 's'}.`)
}

function checkIntegrity(db: Database.Database, folder: string): void {
  const rows = db.pragma('quick_check(5)') as readonly { quick_check: string }[] // shape documented by SQLite
  const problems = rows.map((row) => row.quick_check).filter((text) => text !== 'ok')
  if (problems.length > 0) throw damaged(folder, `SQLite reports: ${problems.join('; ').replaceAll('\n', ' ')}.`)
}

function damaged(folder: string, what: string, cause?: unknown): AppError {
  return new AppError({
    code: 'db-damaged',
    message: `The database in ${folder} is damaged. ${what}`,
    hint: 'Run "pairlab recover" for this data folder. Records and labels are kept in files of their own and are read back; the damaged file is kept beside the new one.',
    details: { folder, file: databasePath(folder) },
    cause,
  })
}

/** SQLite's error codes in the user's words; anything else is returned as it came. */
export function storeError(error: unknown, folder: string): unknown {
  if (!(error instanceof Database.SqliteError)) return error
  const code = error.code
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB') return damaged(folder, `SQLite reports: ${error.message}.`, error)
  if (code === 'SQLITE_FULL') return new AppError({ code: 'disk-full', message: `The disk with ${folder} is full; nothing was saved.`, hint: 'Free some space and do it again.', cause: error })
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) return new AppError({ code: 'db-locked', message: `Another program is using the database in ${folder}.`, hint: 'Close it and try again.', cause: error })
  if (code.startsWith('SQLITE_IOERR') || code === 'SQLITE_CANTOPEN' || code.startsWith('SQLITE_READONLY')) {
    return new AppError({ code: 'internal', message: `The database in ${folder} cannot be written (${code}: ${error.message}).`, hint: 'Check that the disk is present and that you may write to the folder.', cause: error })
  }
  return error
}

/** Runs `work` in one transaction that holds the write lock from its start; nested calls join as savepoints. */
export function inTransaction<T>(db: WritableDb, work: () => T): T {
  return db.transaction(work).immediate()
}

export function sqliteVersion(db: ReadableDb): string {
  return db.prepare<[], string>('SELECT sqlite_version()').pluck().get() ?? 'unknown'
}
