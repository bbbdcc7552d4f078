import { z } from 'zod'
import { settings, type Settings } from '../../../shared/contract/system.ts'
import { inTransaction, type ReadableDb, type WritableDb } from './open.ts'
import { prepared } from './prepared.ts'
import { storedJson, storedValue } from './stored-json.ts'

/** Settings are one row a key, so that a key this version does not know is left alone. */
export function readSettings(db: ReadableDb): Settings {
  const rows = prepared<[], { key: string; value: string }>(db, 'SELECT key, value FROM settings').all()
  const known = new Set(Object.keys(settings.shape))
  const stored = Object.fromEntries(
    rows
      .filter((row) => known.has(row.key))
      .map((row) => [row.key, storedJson(z.json(), row.value, `the setting ${row.key}`)]),
  )
  return storedValue(settings, stored, 'the settings')
}

/** Writes the given keys and returns the whole. */
export function writeSettings(db: WritableDb, changes: Partial<Settings>): Settings {
  const put = db.prepare<[string, string]>(
    'INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
  )
  inTransaction(db, () => {
    for (const [key, value] of Object.entries(changes)) {
      if (value !== undefined) put.run(key, JSON.stringify(value))
    }
  })
  return readSettings(db)
}
