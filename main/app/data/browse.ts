// Looking through a data set: filters, and search in the text of the records themselves.
import type { z } from 'zod'
import type { datasetCalls } from '../../../shared/contract/datasets.ts'
import { findEmptyAnswers } from '../store/answers.ts'
import { findLabeled, loadLabelIndex } from '../store/labels-index.ts'
import { findNoted, readAnswersOf } from '../store/labels-read.ts'
import type { ReadableDb } from '../store/open.ts'
import type { ItemEntry } from '../../core/formats/item-entry.ts'
import type { DatasetEntry } from '../store/datasets.ts'
import { findItemAt } from '../store/items.ts'
import { readUnpaired, type RecordReader } from '../store/records.ts'
import { inSlices, type Sliced } from '../store/slices.ts'
import { createRecordSearch, shownTexts } from './record-search.ts'
import { inBoth, readPage } from './select-items.ts'

type RowsOutput = z.infer<(typeof datasetCalls)['datasets.rows']['output']>
export type RowsQuery = z.output<(typeof datasetCalls)['datasets.rows']['input']>

export interface Browser {
  /** @throws AppError `cancelled` when a newer search of the same data set overtook this one */
  readRows(query: RowsQuery, dataset: Pick<DatasetEntry, 'itemCount' | 'kind'>): Promise<RowsOutput>
}

export function createBrowser(db: ReadableDb, dataFolder: string): Browser {
  const search = createRecordSearch(dataFolder, (record) => [
    ...shownTexts(record),
    record.pairId,
    ...Object.values(record.metadata).map((value) => (typeof value === 'string' ? value : JSON.stringify(value))),
  ])

  async function readRows(query: RowsQuery, dataset: Pick<DatasetEntry, 'itemCount' | 'kind'>): Promise<RowsOutput> {
    const { datasetId } = query
    const { itemCount, kind } = dataset
    const text = query.search.trim()
    const matches = text === '' ? null : await search.find(datasetId, text)
    const indexes = await select(db, query, itemCount, matches)
    return readPage(dataFolder, { datasetId, itemCount }, indexes, query, (page, records) =>
      rowsAt(datasetId, page, records, kind === 'unpaired-responses'),
    )
  }

  function* rowsAt(
    datasetId: string,
    page: readonly number[],
    records: RecordReader,
    isUnpaired: boolean,
  ): Sliced<RowsOutput['rows']> {
    const rows: RowsOutput['rows'] = []
    for (const index of page) {
      const pair = findItemAt(db, datasetId, index)
      if (pair === null) continue
      const { pairId, line, prompt, a, b, metadata } = isUnpaired ? readAlone(records, pair) : records.read(pair)
      const labels = readAnswersOf(db, datasetId, index).map((answer) => ({
        annotator: answer.annotatorId,
        outcome: answer.outcome,
        strength: answer.strength,
        comment: answer.comment,
      }))
      rows.push({ index, pairId, line, prompt, a, b, split: pair.split, labels, metadata })
      yield
    }
    return rows
  }

  return { readRows }
}

type Shown = Pick<RowsOutput['rows'][number], 'pairId' | 'line' | 'prompt' | 'a' | 'b' | 'metadata'>

function readAlone(records: RecordReader, entry: ItemEntry): Shown {
  const { pairId, line, data } = readUnpaired(records, entry)
  return { pairId, line, prompt: data.prompt, a: data.completion, b: null, metadata: data.metadata }
}

/** Places of the pairs that pass both; null means all of them. */
async function select(
  db: ReadableDb,
  { datasetId, only }: RowsQuery,
  itemCount: number,
  matches: readonly number[] | null,
): Promise<readonly number[] | null> {
  if (only === 'all') return matches
  await loadLabelIndex(db, datasetId)
  const passing = await inSlices(
    only === 'empty-answer'
      ? findEmptyAnswers(db, datasetId, itemCount)
      : only === 'noted'
        ? findNoted(db, datasetId, itemCount)
        : findLabeled(db, datasetId, only),
  )
  return matches === null ? passing : inSlices(inBoth(passing, matches, itemCount))
}
