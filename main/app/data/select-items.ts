// Which items of a data set pass several filters at once.
import type { SplitName } from '../../../shared/data-kinds.ts'
import type { ReadableDb } from '../store/open.ts'
import { openRecords, type RecordReader } from '../store/records.ts'
import { findSide } from '../store/sides.ts'
import { inSlices, type Sliced } from '../store/slices.ts'
import type { RecordSearch } from './record-search.ts'

export interface ItemFilter {
  readonly datasetId: string
  /** '' for any. */
  readonly search: string
  /** Null for any. */
  readonly side: SplitName | null
}

/** Places of the items that hold the text and are on the side, in order; null means all of them. */
export async function selectItems(
  db: ReadableDb,
  { datasetId, search, side }: ItemFilter,
  itemCount: number,
  records: RecordSearch,
): Promise<readonly number[] | null> {
  const text = search.trim()
  const holding = text === '' ? null : await records.find(datasetId, text)
  const onSide = side === null ? null : await inSlices(findSide(db, datasetId, itemCount, side))
  if (holding === null || onSide === null) return holding ?? onSide
  return inSlices(inBoth(onSide, holding, itemCount))
}

/** The places of `these` that are among `those`, in order. */
export function* inBoth(these: readonly number[], those: readonly number[], itemCount: number): Sliced<number[]> {
  const wanted = new Uint8Array(itemCount)
  for (const index of those) wanted[index] = 1
  yield
  const both: number[] = []
  for (const [at, index] of these.entries()) {
    if (wanted[index] === 1) both.push(index)
    if (at % 50_000 === 0) yield
  }
  return both
}

/** Their number, and the rows of a page of them. @param places null: all items   @throws AppError as `rowsAt` */
export async function readPage<Row>(
  dataFolder: string,
  { datasetId, itemCount }: { readonly datasetId: string; readonly itemCount: number },
  places: readonly number[] | null,
  page: { readonly offset: number; readonly limit: number },
  rowsAt: (page: readonly number[], records: RecordReader) => Sliced<Row[]>,
): Promise<{ total: number; rows: Row[] }> {
  const records = openRecords(dataFolder, datasetId)
  try {
    return {
      total: places?.length ?? itemCount,
      rows: await inSlices(rowsAt(pageOf(places, itemCount, page), records)),
    }
  } finally {
    records.close()
  }
}

/** The places on a page of them. @param places null: all items */
function pageOf(
  places: readonly number[] | null,
  itemCount: number,
  { offset, limit }: { readonly offset: number; readonly limit: number },
): number[] {
  if (places !== null) return places.slice(offset, offset + limit)
  return Array.from({ length: Math.max(0, Math.min(limit, itemCount - offset)) }, (_none, step) => offset + step)
}
