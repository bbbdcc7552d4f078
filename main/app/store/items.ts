import type { SplitName } from '../../../shared/data-kinds.ts'
import { AppError } from '../../../shared/errors.ts'
import { inTransaction, type ReadableDb, type WritableDb } from './open.ts'
import type { ItemEntry } from '../../core/formats/item-entry.ts'
import { prepared } from './prepared.ts'
import { changedSide } from './sides.ts'
import type { Sliced } from './slices.ts'

interface ItemRow {
  readonly idx: number
  readonly pair_id: string
  readonly line: number
  readonly byte_offset: number
  readonly byte_length: number
  readonly prompt_hash: string
  readonly a_words: number
  readonly b_words: number
  readonly a_empty: number
  readonly b_empty: number
  readonly title: string
  readonly split: SplitName
}

function toItem(db: ReadableDb, datasetId: string, row: ItemRow): ItemEntry {
  return {
    index: row.idx,
    pairId: row.pair_id,
    line: row.line,
    byteOffset: row.byte_offset,
    byteLength: row.byte_length,
    promptHash: row.prompt_hash,
    aWords: row.a_words,
    bWords: row.b_words,
    aEmpty: row.a_empty === 1,
    bEmpty: row.b_empty === 1,
    title: row.title,
    split: changedSide(db, datasetId, row.idx) ?? row.split,
  }
}

/** One transaction; a batch of about a thousand keeps an import fast and other calls waiting for little. */
export function insertItems(db: WritableDb, datasetId: string, items: readonly ItemEntry[]): void {
  const insert =
    db.prepare(`INSERT INTO pairs (dataset_id, idx, pair_id, line, byte_offset, byte_length, prompt_hash, a_words, b_words, a_empty, b_empty, title, split)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
  inTransaction(db, () => {
    for (const item of items) {
      insert.run(
        datasetId,
        item.index,
        item.pairId,
        item.line,
        item.byteOffset,
        item.byteLength,
        item.promptHash,
        item.aWords,
        item.bWords,
        item.aEmpty ? 1 : 0,
        item.bEmpty ? 1 : 0,
        item.title,
        item.split,
      )
    }
  })
}

/** In the order of the data set, one at a time. The database must not be written to while iterating. */
export function* iterateItems(db: ReadableDb, datasetId: string): Generator<ItemEntry> {
  for (const row of db
    .prepare<[string], ItemRow>('SELECT * FROM pairs WHERE dataset_id = ? ORDER BY idx')
    .iterate(datasetId))
    yield toItem(db, datasetId, row)
}

/** Up to `count` items from a place on, in the order of the data set. */
export function readItems(db: ReadableDb, datasetId: string, from: number, count: number): ItemEntry[] {
  return prepared<[string, number, number], ItemRow>(
    db,
    'SELECT * FROM pairs WHERE dataset_id = ? AND idx >= ? AND idx < ? ORDER BY idx',
  )
    .all(datasetId, from, from + count)
    .map((row) => toItem(db, datasetId, row))
}

export function findItemAt(db: ReadableDb, datasetId: string, index: number): ItemEntry | null {
  const row = prepared<[string, number], ItemRow>(db, 'SELECT * FROM pairs WHERE dataset_id = ? AND idx = ?').get(
    datasetId,
    index,
  )
  return row === undefined ? null : toItem(db, datasetId, row)
}

/** @throws AppError `not-found` */
export function requireItem(db: ReadableDb, datasetId: string, pairId: string): ItemEntry {
  const row = prepared<[string, string], ItemRow>(db, 'SELECT * FROM pairs WHERE dataset_id = ? AND pair_id = ?').get(
    datasetId,
    pairId,
  )
  if (row === undefined)
    throw new AppError({
      code: 'not-found',
      message: `The data set "${datasetId}" has no pair "${pairId}".`,
      hint: 'Open the data set again; it may have been deleted and imported anew.',
    })
  return toItem(db, datasetId, row)
}

/** Prompt hash of every item [item], in order. */
export function readPromptHashes(db: ReadableDb, datasetId: string): string[] {
  return db
    .prepare<[string], string>('SELECT prompt_hash FROM pairs WHERE dataset_id = ? ORDER BY idx')
    .pluck()
    .all(datasetId)
}

const PAGE_PAIRS = 2000

/** The same in slices, told one by one. */
export function* eachPromptHash(db: ReadableDb, datasetId: string, tell: (promptHash: string) => void): Sliced<void> {
  const last =
    db.prepare<[string], number | null>('SELECT max(idx) FROM pairs WHERE dataset_id = ?').pluck().get(datasetId) ?? -1
  const page = db
    .prepare<[string, number, number], string>(
      'SELECT prompt_hash FROM pairs WHERE dataset_id = ? AND idx >= ? AND idx < ? ORDER BY idx',
    )
    .pluck()
  for (let from = 0; from <= last; from += PAGE_PAIRS) {
    page.all(datasetId, from, from + PAGE_PAIRS).forEach(tell)
    yield
  }
}

export function countPrompts(db: ReadableDb, datasetId: string): number {
  return (
    db
      .prepare<[string], number>('SELECT count(DISTINCT prompt_hash) FROM pairs WHERE dataset_id = ?')
      .pluck()
      .get(datasetId) ?? 0
  )
}

/** Stores which side of the split each item is on: `splits` [item], in order. */
export function setSplits(
  db: WritableDb,
  datasetId: string,
  spec: { readonly seed: number; readonly validation: number; readonly test: number },
  splits: readonly SplitName[],
): void {
  const update = db.prepare('UPDATE pairs SET split = ? WHERE dataset_id = ? AND idx = ? AND split <> ?')
  inTransaction(db, () => {
    splits.forEach((split, index) => update.run(split, datasetId, index, split))
    db.prepare('UPDATE datasets SET split_seed = ?, split_validation = ?, split_test = ? WHERE dataset_id = ?').run(
      spec.seed,
      spec.validation,
      spec.test,
      datasetId,
    )
  })
}

/** Places of the given items; ids that are not there are left out. */
export function findItemIndexes(db: ReadableDb, datasetId: string, pairIds: readonly string[]): number[] {
  const find = db
    .prepare<[string, string], number>('SELECT idx FROM pairs WHERE dataset_id = ? AND pair_id = ?')
    .pluck()
  return pairIds.map((pairId) => find.get(datasetId, pairId)).filter((index) => index !== undefined)
}

/** Titles of the given items, those that are there. */
export function findTitles(db: ReadableDb, datasetId: string, pairIds: readonly string[]): Map<string, string> {
  const find = prepared<[string, string], { readonly title: string }>(
    db,
    'SELECT title FROM pairs WHERE dataset_id = ? AND pair_id = ?',
  )
  return new Map(
    pairIds.flatMap((pairId) => {
      const title = find.get(datasetId, pairId)?.title ?? ''
      return title === '' ? [] : [[pairId, title] as const]
    }),
  )
}
