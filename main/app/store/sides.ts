import { hash } from 'node:crypto'
import type { SplitName } from '../../../shared/data-kinds.ts'
import type { SplitSpec } from '../../../shared/run-spec.ts'
import { inTransaction, type ReadableDb, type WritableDb } from './open.ts'
import { byPages, type Sliced } from './slices.ts'

/** What a byte of `dataset_sides` stands for. */
export const SIDES = ['train', 'validation', 'test'] as const satisfies readonly SplitName[]
const CODE = { train: 0, validation: 1, test: 2 } as const satisfies Record<SplitName, number>

/** Of the data set that was looked at last: a page asks of hundreds of pairs. */
const latest = new WeakMap<ReadableDb, { readonly datasetId: string; readonly sides: Uint8Array | null }>()

function read(db: ReadableDb, datasetId: string): Uint8Array | null {
  const known = latest.get(db)
  if (known?.datasetId === datasetId) return known.sides
  const sides =
    db.prepare<[string], Uint8Array>('SELECT sides FROM dataset_sides WHERE dataset_id = ?').pluck().get(datasetId) ??
    null
  latest.set(db, { datasetId, sides })
  return sides
}

/** Changes the split of a data set: every pair at one moment, with the numbers it was drawn from. */
export function putSides(db: WritableDb, datasetId: string, spec: SplitSpec, sides: Uint8Array): void {
  inTransaction(db, () => {
    db.prepare('INSERT OR REPLACE INTO dataset_sides (dataset_id, sides) VALUES (?, ?)').run(datasetId, sides)
    db.prepare('UPDATE datasets SET split_seed = ?, split_validation = ?, split_test = ? WHERE dataset_id = ?').run(
      spec.seed,
      spec.validation,
      spec.test,
      datasetId,
    )
  })
  latest.set(db, { datasetId, sides })
}

/** Null where the split was not changed since the import: the pair's own row says. */
export function changedSide(db: ReadableDb, datasetId: string, index: number): SplitName | null {
  const side = read(db, datasetId)?.[index]
  return side === undefined ? null : (SIDES[side] ?? null)
}

/** Sides as they are stored [pair]. */
export function* packSides(sideOf: (index: number) => SplitName, itemCount: number): Sliced<Uint8Array> {
  const sides = new Uint8Array(itemCount)
  for (let index = 0; index < itemCount; index += 1) {
    sides[index] = CODE[sideOf(index)]
    if (index % 10_000 === 0) yield
  }
  return sides
}

/**
 * The side of a prompt by itself, whatever others there are: in a data set that grows, no prompt may change sides because
 * another one came. The shares are met in the mean only.
 */
export function sideByItself(promptHash: string, { seed, validation, test }: SplitSpec): SplitName {
  const place = Number.parseInt(hash('sha256', `split:${seed}:${promptHash}`).slice(0, 13), 16) / 2 ** 52
  return place < test ? 'test' : place < test + validation ? 'validation' : 'train'
}

/** One more pair at the end, where the sides were drawn anew once. */
export function addSide(db: WritableDb, datasetId: string, side: SplitName): void {
  const sides = read(db, datasetId)
  if (sides === null) return
  const more = new Uint8Array(sides.length + 1)
  more.set(sides)
  more[sides.length] = CODE[side]
  db.prepare('UPDATE dataset_sides SET sides = ? WHERE dataset_id = ?').run(more, datasetId)
  latest.delete(db)
}

const PAGE_PAIRS = 2000

export function* countSplits(db: ReadableDb, datasetId: string): Sliced<Record<SplitName, number>> {
  const counts = { train: 0, validation: 0, test: 0 }
  const sides = read(db, datasetId)
  if (sides !== null) {
    for (let index = 0; index < sides.length; index += 1) {
      counts[SIDES[sides[index] ?? 0] ?? 'train'] += 1
      if (index % 10_000 === 0) yield
    }
    return counts
  }
  const last =
    db.prepare<[string], number | null>('SELECT max(idx) FROM pairs WHERE dataset_id = ?').pluck().get(datasetId) ?? -1
  const page = db.prepare<[string, number, number], { split: SplitName; n: number }>(
    'SELECT split, count(*) AS n FROM pairs WHERE dataset_id = ? AND idx >= ? AND idx < ? GROUP BY split',
  )
  for (let from = 0; from <= last; from += PAGE_PAIRS) {
    for (const row of page.all(datasetId, from, from + PAGE_PAIRS)) counts[row.split] += row.n
    yield
  }
  return counts
}

/** Places of the items of one side, in order. */
export function* findSide(db: ReadableDb, datasetId: string, itemCount: number, side: SplitName): Sliced<number[]> {
  const sides = read(db, datasetId)
  if (sides !== null) {
    const found: number[] = []
    for (let index = 0; index < sides.length; index += 1) {
      if (sides[index] === CODE[side]) found.push(index)
      if (index % 10_000 === 0) yield
    }
    return found
  }
  const page = db
    .prepare<[string, number, number, string], number>(
      'SELECT idx FROM pairs WHERE dataset_id = ? AND idx >= ? AND idx < ? AND split = ? ORDER BY idx',
    )
    .pluck()
  return yield* byPages(itemCount, PAGE_PAIRS, (from, to) => page.all(datasetId, from, to, side))
}
