import { existsSync, mkdirSync, readdirSync, renameSync, statSync, statfsSync } from 'node:fs'
import path from 'node:path'
import Database from 'better-sqlite3'
import { AppError } from '../../../shared/errors.ts'
import { compareSum, leaveSum, removeSum, type Left } from './close-sum.ts'
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
  /** How the file was found, compared with how the last close left it. */
  readonly found: Left
  /** Gives the file and the folder back. Safe to call twice. */
  close(): void
}

export const DATABASE_FILE = 'app.sqlite'
export const BUSY_TIMEOUT_MS = 5000
/** Less than SQLite needs for its helper files. */
const FULL_BELOW_BYTES = 256 * 1024

export function databasePath(folder: string): string {
  return path.join(folder, DATABASE_FILE)
}

/**
 * Opens the database of a data folder as its only writer, checks it and brings its schema up to date.
 * @throws AppError `db-locked` when another process has the folder, `db-damaged` when the file cannot be trusted or is
 *   gone while data sets are there, `db-from-future` when a newer version of the app wrote it, `folder-unusable` when
 *   the folder cannot be made, read or written, `disk-full`.
 */
export function openStore(folder: string): Store {
  let lock: FolderLock | null = null
  let db: Database.Database | null = null
  try {
    mkdirSync(folder, { recursive: true })
    lock = lockFolder(folder)
    const file = databasePath(folder)
    const existed = sizeOf(file) > 0
    if (!existed) {
      refuseMissingFile(folder)
      setAside(file, Date.now()) // what a log alone would bring back is half a database
    }
    const found = existed ? compareSum(file) : 'unknown'
    db = connect(file)
    if (existed) checkIntegrity(db, folder, found)
    removeSum(file) // only now: a file that was refused is refused again
    migrate(db, file, migrations)
    return store(db as WritableDb, folder, lock, found) // the lock above makes it the only writer
  } catch (error) {
    db?.close()
    lock?.release()
    throw folderError(storeError(error, folder), folder)
  }
}

/** @throws AppError `folder-unusable`, `disk-full` */
export function makeDataFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true })
  } catch (error) {
    throw folderError(error, folder)
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}

/** Renames a database with its log files, so that none of them is taken for another's. @returns its new path; null when there was nothing */
export function setAside(file: string, nowMs: number): string | null {
  const aside = `${file}.damaged-${new Date(nowMs).toISOString().replace(/[:.]/g, '-')}`
  const there = ['-wal', '-shm', ''].filter((suffix) => existsSync(`${file}${suffix}`))
  for (const suffix of there) renameSync(`${file}${suffix}`, `${aside}${suffix}`)
  removeSum(file)
  return there.includes('') ? aside : null
}

/** What the system says of the folder, in the user's words; anything else as it came. */
function folderError(error: unknown, folder: string): unknown {
  if (!(error instanceof Error && 'syscall' in error && 'code' in error)) return error
  const code = String(error.code)
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new AppError({
      code: 'disk-full',
      message: `The disk with ${folder} is full.`,
      hint: 'Free some space and start again.',
      cause: error,
    })
  const why =
    code === 'EEXIST' || code === 'ENOTDIR'
      ? 'there is a file in its place'
      : code === 'EROFS'
        ? 'it is on a read-only disk'
        : code === 'EACCES' || code === 'EPERM'
          ? 'you may not read or write it'
          : error.message
  return new AppError({
    code: 'folder-unusable',
    message: `The data folder ${folder} cannot be used: ${why}.`,
    hint: 'Mend its rights, or choose another folder with --data-dir.',
    details: { folder },
    cause: error,
  })
}

function store(db: WritableDb, folder: string, lock: FolderLock, found: Left): Store {
  return {
    db,
    folder,
    found,
    close() {
      if (!db.open) return
      db.close()
      leaveSum(databasePath(folder))
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
  // What is deleted is overwritten: texts of a data set that was deleted for good are not left in free pages.
  db.pragma('secure_delete = ON')
}

/** A folder with data sets but no database lost its file; an empty new one would look like lost work. */
function refuseMissingFile(folder: string): void {
  const datasets = path.join(folder, 'datasets')
  const names = existsSync(datasets) ? readdirSync(datasets) : []
  const count = names.filter((name) =>
    ['records.jsonl', 'labels.jsonl', 'dataset.json'].some((file) => existsSync(path.join(datasets, name, file))),
  ).length
  if (count === 0) return
  throw damaged(
    folder,
    `The database file is ${existsSync(databasePath(folder)) ? 'empty' : 'missing'}, but the folder holds ${count} data set${count === 1 ? '' : 's'}.`,
  )
}

/** A file that is as it was left needs no check; one that something else wrote is checked with its indexes. */
function checkIntegrity(db: Database.Database, folder: string, found: Left): void {
  const rows =
    found === 'as-left'
      ? []
      : (db
          .prepare(`PRAGMA ${found === 'otherwise' ? 'integrity_check' : 'quick_check'}(5)`)
          .pluck()
          .all() as readonly string[]) // shape documented by SQLite
  const problems = rows.filter((text) => text !== 'ok')
  if (problems.length > 0) throw damaged(folder, `SQLite reports: ${problems.join('; ').replaceAll('\n', ' ')}.`)
  const version = db.pragma('user_version', { simple: true }) as number // SQLite: an integer
  if (version > migrations.length) return // refused by `migrate`, in its own words
  const present = tablesOf(db)
  if (version === 0 && present.size === 0) return refuseMissingFile(folder)
  if (version === 0) throw damaged(folder, 'It is the database of another program.')
  const lost = [...expectedTables(version)]
    .filter(([name, columns]) => present.get(name) !== columns)
    .map(([name]) => name)
  if (lost.length > 0)
    throw damaged(
      folder,
      `The table${lost.length === 1 ? '' : 's'} ${lost.join(', ')} ${lost.length === 1 ? 'is' : 'are'} missing or not as Pairlab makes them.`,
    )
}

/** Table → its columns, in order. */
function tablesOf(db: Database.Database): Map<string, string> {
  const rows = db
    .prepare<
      [],
      { name: string; columns: string }
    >(`SELECT m.name, group_concat(c.name, ' ') AS columns FROM sqlite_master m JOIN pragma_table_info(m.name) c
    WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' GROUP BY m.name ORDER BY c.cid`)
    .all()
  return new Map(rows.map((row) => [row.name, row.columns]))
}

/** What the first `version` steps make. */
function expectedTables(version: number): Map<string, string> {
  const model = new Database(':memory:')
  try {
    for (const step of migrations.slice(0, version)) model.exec(step.sql)
    return tablesOf(model)
  } finally {
    model.close()
  }
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

/** A row that contradicts the others: two with one key, one that refers to nothing. */
export function isMisfit(error: unknown): error is Error {
  return error instanceof Database.SqliteError && error.code.startsWith('SQLITE_CONSTRAINT')
}

/** SQLite's error codes in the user's words; anything else is returned as it came. */
export function storeError(error: unknown, folder: string): unknown {
  if (!(error instanceof Database.SqliteError)) return error
  const code = error.code
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB')
    return damaged(folder, `SQLite reports: ${error.message}.`, error)
  if (code === 'SQLITE_FULL' || (code.startsWith('SQLITE_IOERR') && isFull(folder)))
    return new AppError({
      code: 'disk-full',
      message: `The disk with ${folder} is full; nothing was saved.`,
      hint: 'Free some space and do it again.',
      cause: error,
    })
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED'))
    return new AppError({
      code: 'db-locked',
      message: `Another program is using the database in ${folder}.`,
      hint: 'Close it and try again.',
      cause: error,
    })
  if (code.startsWith('SQLITE_IOERR') || code === 'SQLITE_CANTOPEN' || code.startsWith('SQLITE_READONLY')) {
    return new AppError({
      code: 'folder-unusable',
      message: `The database in ${folder} cannot be opened or written (${code}: ${error.message}).`,
      hint: 'Check that the disk is present and that you may write to the folder.',
      cause: error,
    })
  }
  return error
}

/** SQLite tells a full disk as an error of reading or writing where it is about its helper files. */
function isFull(folder: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(folder)
    return bavail * bsize < FULL_BELOW_BYTES
  } catch {
    return false // the folder itself is out of reach: that is another trouble
  }
}

/** Runs `work` in one transaction that holds the write lock from its start; nested calls join as savepoints. */
export function inTransaction<T>(db: WritableDb, work: () => T): T {
  return db.transaction(work).immediate()
}

/** Moves what is in the write-ahead log into the database and empties the log, old pages included. */
export function truncateLog(db: WritableDb): void {
  db.pragma('wal_checkpoint(TRUNCATE)')
}

/** Size of a database, free pages included. */
export function bytesOf(db: ReadableDb): number {
  return Number(db.pragma('page_count', { simple: true })) * Number(db.pragma('page_size', { simple: true }))
}

export function sqliteVersion(db: ReadableDb): string {
  return db.prepare<[], string>('SELECT sqlite_version()').pluck().get() ?? 'unknown'
}
