import type { Statement } from 'better-sqlite3'
import type { ReadableDb } from './open.ts'

const statements = new WeakMap<ReadableDb, Map<string, Statement>>()

/**
 * A statement that is asked again and again, prepared once a connection: a million of them thrown away hold the process
 * for a third of a second when the collector and the allocator come to them. Not to be iterated over, because it cannot
 * be asked anew meanwhile; one text has one mode, plucked or not.
 */
export function prepared<P extends unknown[], R = unknown>(db: ReadableDb, sql: string): Statement<P, R> {
  let known = statements.get(db)
  if (known === undefined) statements.set(db, (known = new Map()))
  let statement = known.get(sql)
  if (statement === undefined) known.set(sql, (statement = db.prepare(sql)))
  return statement as Statement<P, R> // as the caller's text says
}
