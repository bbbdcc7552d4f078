import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { shownOrder } from '../../../shared/contract/labels.ts'
import { outcome, strength } from '../../../shared/data-kinds.ts'
import { AppError, describeIssues } from '../../../shared/errors.ts'
import { journalPath } from './datasets-folder.ts'
import { syncFolder } from '../../base/files/durable.ts'
import type { ReadableDb } from './open.ts'
import { prepared } from './prepared.ts'

/** One line of labels.jsonl: a label event in full, so that the database can be rebuilt from these files. */
export const journalEvent = z.strictObject({
  labelId: z.int().positive(),
  kind: z.enum(['answer', 'undo', 'redo', 'flag', 'unflag']),
  annotatorId: z.string(),
  pairId: z.string(),
  pairIndex: z.int().nonnegative(),
  outcome: outcome.nullable(),
  strength: strength.nullable(),
  comment: z.string(),
  shownOrder: shownOrder.nullable(),
  durationMs: z.number().nullable(),
  targetId: z.int().nullable(),
  clientKey: z.string().nullable(),
  createdAtMs: z.number(),
})
export type JournalEvent = z.infer<typeof journalEvent>

const NEWLINE = 10
const CHUNK_BYTES = 1024 * 1024
/** Rows turned to text at a time. */
const BATCH_ROWS = 2000

/** Number of the last event that the journal holds for sure, by data set. */
const journaled = new WeakMap<ReadableDb, Map<string, number>>()
/** Why the journal of a data set lacks events that the database has. */
const behind = new WeakMap<ReadableDb, Map<string, string>>()

/**
 * Adds every committed event that the journal lacks and waits until they are on the disk.
 * @throws AppError `disk-full`, `folder-unusable`; the file then ends with a whole line
 */
export function appendToJournal(db: ReadableDb, dataFolder: string, datasetId: string): void {
  const known = mapOf(journaled, db)
  const file = journalPath(dataFolder, datasetId)
  const from = known.get(datasetId)
  known.delete(datasetId) // unknown, until all of it went well
  try {
    known.set(datasetId, append(db, datasetId, file, from))
  } catch (error) {
    throw explainJournal(error, file)
  }
  mapOf(behind, db).delete(datasetId)
}

/**
 * The same for a label that is in the database: it is in force and on the disk whether the journal can be written now
 * or not. What is kept out is caught up by the next label or the next start, and `journalTrouble` says so until then.
 */
export function tryAppendToJournal(db: ReadableDb, dataFolder: string, datasetId: string): void {
  try {
    appendToJournal(db, dataFolder, datasetId)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    mapOf(behind, db).set(datasetId, error.message)
  }
}

/** Why the last label could not be written to the journal as well; null while it holds everything. */
export function journalTrouble(db: ReadableDb, datasetId: string): string | null {
  return behind.get(db)?.get(datasetId) ?? null
}

function mapOf<V>(maps: WeakMap<ReadableDb, Map<string, V>>, db: ReadableDb): Map<string, V> {
  const known = maps.get(db) ?? new Map<string, V>()
  maps.set(db, known)
  return known
}

/** @returns number of the last event in the file */
function append(db: ReadableDb, datasetId: string, file: string, from: number | undefined): number {
  let last = from ?? cutAndReadLast(file)
  const isNew = !existsSync(file)
  mkdirSync(path.dirname(file), { recursive: true })
  const handle = openSync(file, 'a')
  try {
    for (;;) {
      const rows = readEvents(db, datasetId, last, BATCH_ROWS)
      const final = rows.at(-1)
      if (final === undefined) break
      appendWhole(handle, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
      last = final.labelId
    }
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
  if (isNew) syncFolder(path.dirname(file))
  return last
}

/** All of the text or none of it; where even cutting it off fails, the next append cuts the half line. */
function appendWhole(handle: number, text: string): void {
  const before = fstatSync(handle).size
  const bytes = Buffer.from(text)
  try {
    for (let written = 0; written < bytes.length;) written += writeSync(handle, bytes, written)
  } catch (error) {
    ftruncateSync(handle, before)
    throw error
  }
}

/** EFBIG is what a limit of size says, EDQUOT a quota. */
const FULL = ['ENOSPC', 'EDQUOT', 'EFBIG']

function explainJournal(error: unknown, file: string): unknown {
  if (!(error instanceof Error && 'code' in error && typeof error.code === 'string') || !('syscall' in error))
    return error
  if (FULL.includes(error.code))
    return new AppError({
      code: 'disk-full',
      message: `The disk is full: ${file} could not be written.`,
      hint: 'Free some space. What is in the database is not lost.',
      cause: error,
    })
  return new AppError({
    code: 'folder-unusable',
    message: `${file} cannot be written (${error.message}).`,
    hint: 'Look at the file and its rights. What is in the database is not lost.',
    cause: error,
  })
}

const EVENT_COLUMNS = `e.label_id AS labelId, e.kind, e.annotator_id AS annotatorId, p.pair_id AS pairId, e.pair_idx AS pairIndex, e.outcome, e.strength,
  e.comment, e.shown_order AS shownOrder, e.duration_ms AS durationMs, e.target_id AS targetId, e.client_key AS clientKey, e.created_at_ms AS createdAtMs`

/** Events after a number, in their order, as the journal would have them. */
export function readEvents(db: ReadableDb, datasetId: string, afterId: number, limit: number): JournalEvent[] {
  return prepared<[string, number, number], JournalEvent>(
    db,
    `SELECT ${EVENT_COLUMNS} FROM label_events e INDEXED BY label_events_in_order
    JOIN pairs p ON p.dataset_id = e.dataset_id AND p.idx = e.pair_idx
    WHERE e.dataset_id = ? AND e.label_id > ? ORDER BY e.label_id LIMIT ?`,
  ).all(datasetId, afterId, limit)
}

/** Every event of a data set in order, as the journal would have it. */
export function* iterateEvents(db: ReadableDb, datasetId: string): Generator<JournalEvent> {
  for (let last = 0; ;) {
    const rows = readEvents(db, datasetId, last, BATCH_ROWS)
    const final = rows.at(-1)
    if (final === undefined) return
    yield* rows
    last = final.labelId
  }
}

/** Number of the last event in the file, 0 without one. A half line at the end was never acknowledged and is cut off. */
export function cutAndReadLast(file: string): number {
  if (!existsSync(file)) return 0
  const handle = openSync(file, 'r+')
  try {
    const size = fstatSync(handle).size
    const end = lastNewline(handle, size) + 1
    if (end < size) ftruncateSync(handle, end)
    for (let lineEnd = end - 1; lineEnd > 0;) {
      const start = lastNewline(handle, lineEnd) + 1
      const event = parseEvent(readRange(handle, start, lineEnd))
      if (typeof event !== 'string') return event.labelId
      lineEnd = start - 1
    }
    return 0
  } finally {
    closeSync(handle)
  }
}

/** Place of the last newline before `end`, −1 without one. */
function lastNewline(handle: number, end: number): number {
  for (let upTo = end; upTo > 0;) {
    const from = Math.max(0, upTo - 65_536)
    const bytes = Buffer.alloc(upTo - from)
    readSync(handle, bytes, 0, bytes.length, from)
    const found = bytes.lastIndexOf(NEWLINE)
    if (found >= 0) return from + found
    upTo = from
  }
  return -1
}

function readRange(handle: number, start: number, end: number): string {
  const bytes = Buffer.alloc(end - start)
  readSync(handle, bytes, 0, bytes.length, start)
  return bytes.toString('utf8')
}

/** A line of the journal, or what is wrong with it. */
function parseEvent(line: string): JournalEvent | string {
  try {
    const parsed = journalEvent.safeParse(JSON.parse(line))
    return parsed.success ? parsed.data : describeIssues(parsed.error)
  } catch (error) {
    if (error instanceof SyntaxError) return error.message
    throw error
  }
}

/** Every whole line in order; `onDamaged` hears of lines that are no events. */
export function* readJournal(
  dataFolder: string,
  datasetId: string,
  onDamaged: (line: number, reason: string) => void,
): Generator<JournalEvent> {
  const file = journalPath(dataFolder, datasetId)
  if (!existsSync(file)) return
  const handle = openSync(file, 'r')
  try {
    let rest = Buffer.alloc(0)
    const chunk = Buffer.alloc(CHUNK_BYTES)
    let line = 0
    for (let offset = 0; ;) {
      const count = readSync(handle, chunk, 0, chunk.length, offset)
      if (count === 0) return // what is left without a newline was never acknowledged
      offset += count
      const bytes = Buffer.concat([rest, chunk.subarray(0, count)])
      let start = 0
      for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
        line += 1
        const event = parseEvent(bytes.toString('utf8', start, end))
        if (typeof event === 'string') onDamaged(line, event)
        else yield event
        start = end + 1
      }
      rest = bytes.subarray(start)
    }
  } finally {
    closeSync(handle)
  }
}

/** The file was taken away: the next append looks at it afresh. */
export function forgetJournal(db: ReadableDb, datasetId: string): void {
  journaled.get(db)?.delete(datasetId)
}
