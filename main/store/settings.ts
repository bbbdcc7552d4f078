import { settings, type Settings } from '../../shared/contract/system.ts'
import { AppError, describeIssues } from '../../shared/errors.ts'
import { inTransaction, type ReadableDb, type WritableDb } from './open.ts'

/** Settings are one row a key, so that a key this version does not know is left alone. */
export function readSettings(db: ReadableDb): Settings {
  const rows = db.prepare<[], { key: string; value: string }>('SELECT key, value FROM settings').all()
  const known = new Set(Object.keys(settings.shape))
  const stored = Object.fromEntries(rows.filter((row) => known.has(row.key)).map((row) => [row.key, JSON.parse(row.value) as unknown]))
  const parsed = settings.safeParse(stored)
  if (!parsed.success) {
    throw new AppError({ code: 'db-damaged', message: `The stored settings cannot be read: ${describeIssues(parsed.error)}.`, hint: 'Run "pairlab recover" for this data folder.' })
  }
  return parsed.data
}

/** Writes the given keys and returns the whole. */
export function writeSettings(db: WritableDb, changes: Partial<Settings>): Settings {
  const put = db.prepare<[string, string]>('INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value')
  inTransaction(db, () => {
    for (const [key, value] of Object.entries(changes)) {
      if (value !== undefined) put.run(key, JSON.stringify(value))
    }
  })
  return readSettings(db)
}
