import { z } from 'zod'
import { AppError } from '../../../shared/errors.ts'
import { modelEntry, type ModelEntry } from './models-file.ts'
import type { ReadableDb, WritableDb } from './open.ts'
import { storedJson, storedValue } from './stored-json.ts'

interface ModelRow {
  readonly model_id: string
  readonly name: string
  readonly place: string
  readonly source: string
  readonly origin_run_id: string | null
  readonly hash: string
  readonly facts: string
  readonly files: string
  readonly verified: string | null
  readonly added_at_ms: number
}

/** @throws AppError `db-damaged` when a column is not what this version writes */
function toEntry(row: ModelRow): ModelEntry {
  const json = (text: string): unknown => storedJson(z.json(), text, `the model ${row.model_id}`)
  const entry = {
    modelId: row.model_id,
    name: row.name,
    place: row.place,
    source: row.source,
    originRunId: row.origin_run_id,
    hash: row.hash,
    facts: json(row.facts),
    files: json(row.files),
    verified: row.verified === null ? null : json(row.verified),
    addedAtMs: row.added_at_ms,
  }
  return storedValue(modelEntry, entry, `the model ${row.model_id}`)
}

export function insertModel(db: WritableDb, entry: ModelEntry): void {
  db.prepare(
    'INSERT INTO models (model_id, name, place, source, origin_run_id, hash, facts, files, verified, added_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
  ).run(
    entry.modelId,
    entry.name,
    entry.place,
    entry.source,
    entry.originRunId,
    entry.hash,
    JSON.stringify(entry.facts),
    JSON.stringify(entry.files),
    entry.verified === null ? null : JSON.stringify(entry.verified),
    entry.addedAtMs,
  )
}

/** Newest first. */
export function listModels(db: ReadableDb): ModelEntry[] {
  return db.prepare<[], ModelRow>('SELECT * FROM models ORDER BY added_at_ms DESC, model_id').all().map(toEntry)
}

export function findModel(db: ReadableDb, modelId: string): ModelEntry | null {
  const row = db.prepare<[string], ModelRow>('SELECT * FROM models WHERE model_id = ?').get(modelId)
  return row === undefined ? null : toEntry(row)
}

/** @throws AppError `not-found` */
export function requireModel(db: ReadableDb, modelId: string): ModelEntry {
  const entry = findModel(db, modelId)
  if (entry === null)
    throw new AppError({
      code: 'not-found',
      message: `There is no model "${modelId}".`,
      hint: 'Open the list of models; it may have been removed.',
    })
  return entry
}

/** What may change of a model that was added: its name, and what is known of its files. */
export function updateModel(db: WritableDb, { modelId, name, files, verified }: ModelEntry): void {
  db.prepare('UPDATE models SET name = ?, files = ?, verified = ? WHERE model_id = ?').run(
    name,
    JSON.stringify(files),
    verified === null ? null : JSON.stringify(verified),
    modelId,
  )
}

export function deleteModel(db: WritableDb, modelId: string): void {
  db.prepare('DELETE FROM models WHERE model_id = ?').run(modelId)
}
