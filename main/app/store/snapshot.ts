import Database from 'better-sqlite3'
import { BUSY_TIMEOUT_MS, type ReadableDb } from './open.ts'

export interface Snapshot {
  readonly db: ReadableDb
  close(): void
}

/**
 * The database as it is now, for reading in slices: what is written meanwhile is not seen. The write-ahead log grows
 * while it is open; close it.
 */
export function openSnapshot(db: ReadableDb): Snapshot {
  const connection = new Database(db.name, { readonly: true, timeout: BUSY_TIMEOUT_MS })
  try {
    connection.exec('BEGIN')
    connection.prepare('SELECT count(*) FROM sqlite_schema').get() // the first read takes the snapshot
    return { db: connection as unknown as ReadableDb, close: () => void connection.close() } // a connection that can read
  } catch (error) {
    connection.close()
    throw error
  }
}

/** Reads from one state of the database, however long the work takes. */
export async function withSnapshot<T>(db: ReadableDb, work: (snapshot: ReadableDb) => Promise<T>): Promise<T> {
  const snapshot = openSnapshot(db)
  try {
    return await work(snapshot.db)
  } finally {
    snapshot.close()
  }
}
