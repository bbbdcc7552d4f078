import { existsSync } from 'node:fs'
import Database from 'better-sqlite3'
import { settings as settingsSchema, type Settings } from '../../../shared/contract/system.ts'
import type { AnnotatorId } from '../../../shared/domain.ts'
import { nameKey, type Person } from './annotators.ts'
import { toDataset, type DatasetEntry, type DatasetRow } from './datasets.ts'
import { journalEvent, type JournalEvent } from './labels-journal.ts'

/** What could still be read from a damaged database. */
export interface Salvage {
  readonly settings: Partial<Settings>
  readonly annotators: readonly Person[]
  readonly datasets: ReadonlyMap<string, DatasetEntry>
  /** Label events by data set, without the pair's id: the pairs are rebuilt from the records. */
  readonly events: ReadonlyMap<string, readonly Omit<JournalEvent, 'pairId'>[]>
  /** What could not be read, in words. */
  readonly problems: readonly string[]
}

const EMPTY: Salvage = { settings: {}, annotators: [], datasets: new Map(), events: new Map(), problems: [] }
const CHUNK_IDS = 500

/** Reads a damaged database as far as it goes. Never writes to it. */
export function salvageDatabase(file: string): Salvage {
  if (!existsSync(file)) return EMPTY
  const problems: string[] = []
  let db: Database.Database
  try {
    db = new Database(file, { readonly: true, timeout: 1000 })
  } catch (error) {
    return { ...EMPTY, problems: [`the database cannot be opened: ${reasonOf(error)}`] }
  }
  try {
    return {
      settings: readSettingsRows(db, problems),
      annotators: readAnnotatorRows(db, problems),
      datasets: readDatasetRows(db, problems),
      events: readEventRows(db, problems),
      problems,
    }
  } finally {
    db.close()
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Rows up to the first that cannot be read. */
function readRows<T>(db: Database.Database, table: string, problems: string[]): T[] {
  const rows: T[] = []
  try {
    for (const row of db.prepare<[], T>(`SELECT * FROM ${table}`).iterate()) rows.push(row)
  } catch (error) {
    problems.push(`the table "${table}" can be read only in part (${rows.length} rows): ${reasonOf(error)}`)
  }
  return rows
}

function readSettingsRows(db: Database.Database, problems: string[]): Partial<Settings> {
  const found: Record<string, unknown> = {}
  for (const row of readRows<{ key: string; value: string }>(db, 'settings', problems)) {
    try {
      found[row.key] = JSON.parse(row.value)
    } catch (error) {
      problems.push(`the setting "${row.key}" is lost: ${reasonOf(error)}`)
    }
  }
  const kept: Record<string, unknown> = {}
  for (const [key, schema] of Object.entries(settingsSchema.shape)) {
    const parsed = schema.safeParse(found[key])
    if (found[key] !== undefined && parsed.success) kept[key] = parsed.data
  }
  return kept as Partial<Settings> // each value was checked by its key's own schema
}

function readAnnotatorRows(db: Database.Database, problems: string[]): Person[] {
  const rows = readRows<{
    annotator_id: unknown
    name: unknown
    name_key?: unknown
    imported: unknown
    dataset_id?: unknown
    created_at_ms: unknown
  }>(db, 'annotators', problems)
  const annotators: Person[] = []
  for (const row of rows) {
    if (typeof row.annotator_id !== 'string' || typeof row.name !== 'string' || typeof row.created_at_ms !== 'number')
      continue
    annotators.push({
      annotatorId: row.annotator_id as AnnotatorId, // an id by its column
      name: row.name,
      nameKey: typeof row.name_key === 'string' ? row.name_key : nameKey(row.name),
      imported: row.imported === 1,
      datasetId: typeof row.dataset_id === 'string' ? row.dataset_id : null,
      createdAtMs: row.created_at_ms,
    })
  }
  return annotators
}

function readDatasetRows(db: Database.Database, problems: string[]): Map<string, DatasetEntry> {
  const datasets = new Map<string, DatasetEntry>()
  for (const row of readRows<DatasetRow & { ready: number }>(db, 'datasets', problems)) {
    if (row.ready !== 1) continue
    try {
      datasets.set(row.dataset_id, toDataset(row))
    } catch (error) {
      problems.push(`the entry of a data set cannot be read: ${reasonOf(error)}`)
    }
  }
  return datasets
}

/** In chunks of numbers, so that a bad page costs its own events and not all that come after it. */
function readEventRows(db: Database.Database, problems: string[]): Map<string, Omit<JournalEvent, 'pairId'>[]> {
  const byDataset = new Map<string, Omit<JournalEvent, 'pairId'>[]>()
  const last = lastEventId(db, problems)
  let lost = 0
  for (let from = 1; from <= last; from += CHUNK_IDS) {
    for (const row of readChunk(db, from, Math.min(from + CHUNK_IDS - 1, last))) {
      const event = eventWithoutPair.safeParse(row.event)
      if (!event.success || typeof row.datasetId !== 'string') {
        lost += 1
        continue
      }
      const list = byDataset.get(row.datasetId)
      if (list === undefined) byDataset.set(row.datasetId, [event.data])
      else list.push(event.data)
    }
  }
  if (lost > 0) problems.push(`${lost} label events of the damaged file are garbled; the journals are asked for them`)
  return byDataset
}

const eventWithoutPair = journalEvent.omit({ pairId: true })

const EVENT_QUERY = `SELECT dataset_id AS datasetId, label_id AS labelId, kind, annotator_id AS annotatorId, pair_idx AS pairIndex, outcome, strength, comment,
  shown_order AS shownOrder, duration_ms AS durationMs, target_id AS targetId, client_key AS clientKey, created_at_ms AS createdAtMs
  FROM label_events NOT INDEXED WHERE label_id BETWEEN ? AND ? ORDER BY label_id`

function readChunk(
  db: Database.Database,
  from: number,
  to: number,
): { readonly datasetId: unknown; readonly event: unknown }[] {
  try {
    return db
      .prepare<[number, number], Record<string, unknown>>(EVENT_QUERY)
      .all(from, to)
      .map(({ datasetId, ...event }) => ({ datasetId, event }))
  } catch (error) {
    if (!(error instanceof Database.SqliteError)) throw error
    if (from === to) return [] // this very event lies on a bad page
    const middle = Math.floor((from + to) / 2)
    return [...readChunk(db, from, middle), ...readChunk(db, middle + 1, to)]
  }
}

function lastEventId(db: Database.Database, problems: string[]): number {
  const queries = [
    'SELECT max(label_id) FROM label_events',
    "SELECT seq FROM sqlite_sequence WHERE name = 'label_events'",
  ]
  let last = 0
  for (const query of queries) {
    try {
      const value = db.prepare<[], unknown>(query).pluck().get()
      if (typeof value === 'number' && value > last) last = value
    } catch (error) {
      problems.push(`label events of the damaged file: ${reasonOf(error)}`)
    }
  }
  return last
}
