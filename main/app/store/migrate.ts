import { existsSync } from 'node:fs'
import type Database from 'better-sqlite3'
import { AppError } from '../../../shared/errors.ts'
import { invariant } from '../../../shared/assert.ts'

/** One step of the schema. Frozen once released: a later change is a new step. */
export interface Migration {
  /** From 1, without a gap. */
  readonly version: number
  readonly name: string
  readonly sql: string
}

/**
 * Brings the database to the last version of `list`, all steps in one transaction, after copying the file to
 * `<file>.before-<version>`. A new database is not copied.
 * @throws AppError `db-from-future` when the file's version is higher than the list's.
 */
export function migrate(db: Database.Database, file: string, list: readonly Migration[]): void {
  list.forEach((step, index) =>
    invariant(step.version === index + 1, `migration ${step.name} must have version ${index + 1}, has ${step.version}`),
  )
  const current = db.pragma('user_version', { simple: true }) as number // SQLite: an integer
  const latest = list.length
  if (current === latest) return
  if (current > latest) {
    throw new AppError({
      code: 'db-from-future',
      message: `The database ${file} was written by a newer Pairlab (schema ${current}; this version knows ${latest}).`,
      hint: `Install the newer version again. To go back to this one, close the app and put a copy ${file}.before-<number> in the file's place; later changes are then missing.`,
      details: { file, found: current, known: latest },
    })
  }
  if (current > 0) copyBefore(db, file, latest)
  // A table that others refer to can be made anew only so; the check below stands in. It cannot be changed inside.
  db.pragma('foreign_keys = OFF')
  try {
    db.transaction(() => {
      for (const step of list.slice(current)) db.exec(step.sql)
      const broken = db.pragma('foreign_key_check') as readonly unknown[] // one row per violation
      invariant(broken.length === 0, `migration to schema ${latest} left ${broken.length} dangling references`)
      db.pragma(`user_version = ${latest}`)
    }).immediate()
  } finally {
    db.pragma('foreign_keys = ON')
  }
}

/** VACUUM INTO takes what is still in the write-ahead log along, which copying the file would not. */
function copyBefore(db: Database.Database, file: string, version: number): void {
  const base = `${file}.before-${version}`
  let target = base
  for (let attempt = 2; existsSync(target); attempt += 1) target = `${base}.${attempt}`
  db.prepare('VACUUM INTO ?').run(target)
}
