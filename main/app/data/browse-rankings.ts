// Looking through judged lists: queries with what was judged for them. Their documents are read by a process of their own.
import type { z } from 'zod'
import type { rankingCalls, QueryRow } from '../../../shared/contract/rankings.ts'
import { AppError } from '../../../shared/errors.ts'
import { rankingItem, type RankingItem } from '../../../shared/rankings.ts'
import type { ItemEntry } from '../../core/formats/item-entry.ts'
import type { DatasetEntry } from '../store/datasets.ts'
import { findItemAt } from '../store/items.ts'
import type { ReadableDb } from '../store/open.ts'
import { openRecords, parseItem, type RecordReader } from '../store/records.ts'
import type { Sliced } from '../store/slices.ts'
import { createItemSearch } from './record-search.ts'
import { readPage, selectItems } from './select-items.ts'

type QueriesOutput = z.infer<(typeof rankingCalls)['rankings.queries']['output']>
type QueriesQuery = z.output<(typeof rankingCalls)['rankings.queries']['input']>
type QueryOutput = z.infer<(typeof rankingCalls)['rankings.query']['output']>

export interface RankingBrowser {
  /** @throws AppError `dataset-invalid`; `cancelled` when a newer search of the same data set overtook this one */
  readQueries(asked: QueriesQuery, dataset: DatasetEntry): Promise<QueriesOutput>
  /** @throws AppError `not-found`, `dataset-invalid` */
  readQuery(index: number, dataset: DatasetEntry): QueryOutput
}

export function createRankingBrowser(db: ReadableDb, dataFolder: string): RankingBrowser {
  const search = createItemSearch(dataFolder, (item) => {
    const data = rankingItem.safeParse(item.data)
    return [item.pairId, data.success && data.data.kind === 'query' ? data.data.text : '']
  })

  function* rowsAt(dataset: DatasetEntry, page: readonly number[], records: RecordReader): Sliced<QueryRow[]> {
    const rows: QueryRow[] = []
    for (const index of page) {
      const entry = findItemAt(db, dataset.datasetId, index)
      if (entry !== null) rows.push(rowOf(entry, dataOf(records, entry, dataset)))
      yield
    }
    return rows
  }

  return {
    async readQueries(asked, dataset) {
      const places = await selectItems(db, asked, dataset.itemCount, search)
      return readPage(dataFolder, dataset, places, asked, (page, records) => rowsAt(dataset, page, records))
    },
    readQuery(index, dataset) {
      const entry = findItemAt(db, dataset.datasetId, index)
      if (entry === null)
        throw new AppError({
          code: 'not-found',
          message: `"${dataset.name}" has no query number ${index + 1}.`,
          hint: 'Choose a smaller number, or another data set.',
        })
      const records = openRecords(dataFolder, dataset.datasetId)
      try {
        const data = dataOf(records, entry, dataset)
        return {
          ...rowOf(entry, data),
          features: data.kind === 'features',
          judgments: judgmentsOf(data)
            .map(([docId, grade]) => ({ docId, grade }))
            .sort((a, b) => b.grade - a.grade || (a.docId < b.docId ? -1 : 1)),
        }
      } finally {
        records.close()
      }
    },
  }
}

function dataOf(records: RecordReader, entry: ItemEntry, { name }: DatasetEntry): RankingItem {
  const item = parseItem(records.readLine(entry))
  const data = typeof item === 'string' ? null : rankingItem.safeParse(item.data)
  if (data?.success === true) return data.data
  throw new AppError({
    code: 'dataset-invalid',
    message: `Query ${entry.index + 1} of "${name}" cannot be read.`,
    hint: 'The file was changed after it was written. Put a copy back, or import it again.',
  })
}

function judgmentsOf(data: RankingItem): readonly (readonly [string, number])[] {
  if (data.kind === 'query') return data.judgments
  return data.docIds.map((docId, at) => [docId, data.grades[at] ?? 0] as const) // a list of features has a grade for each
}

function rowOf(entry: ItemEntry, data: RankingItem): QueryRow {
  const judgments = judgmentsOf(data)
  return {
    index: entry.index,
    queryId: entry.pairId,
    text: data.kind === 'query' ? data.text : '',
    split: entry.split,
    judged: judgments.length,
    relevant: judgments.filter(([, grade]) => grade > 0).length,
  }
}
