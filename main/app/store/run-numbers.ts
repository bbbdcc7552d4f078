import { z } from 'zod'
import type { ReadableDb, WritableDb } from './open.ts'
import { storedJson } from './stored-json.ts'

const NUMBERED = /^(.+)-(\d+)$/
const keyOf = (base: string): string => `runs.removed.${base}`

/** A run that is removed for good: others may have started from it, and papers name it, so its number is not given again. */
export function noteRemovedRun(db: WritableDb, runId: string): void {
  const [, base, number] = NUMBERED.exec(runId) ?? []
  if (base === undefined || Number(number) <= highestRemoved(db, base)) return
  db.prepare<[string, string]>(
    'INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
  ).run(keyOf(base), JSON.stringify(Number(number)))
}

function highestRemoved(db: ReadableDb, base: string): number {
  const value = db.prepare<[string], string>('SELECT value FROM settings WHERE key = ?').pluck().get(keyOf(base))
  return value === undefined ? 0 : storedJson(z.int(), value, `the setting ${keyOf(base)}`)
}

/** One more than the highest number after this name that was ever given. @param known ids of runs that are there or in the trash */
export function nextRunNumber(db: ReadableDb, base: string, known: readonly string[]): number {
  const numbers = known
    .map((runId) => NUMBERED.exec(runId))
    .map((found) => (found?.[1] === base ? Number(found[2]) : 0))
  return numbers.reduce((highest, number) => Math.max(highest, number), highestRemoved(db, base)) + 1
}
