// Looking through a data set: filters, and search in the text of the records themselves.
import type { z } from 'zod'
import type { datasetCalls } from '../../shared/contract/datasets.ts'
import { selectPairs } from '../store/answers.ts'
import { findDisagreements } from '../store/labels-index.ts'
import { readAnswersOf } from '../store/labels-read.ts'
import type { ReadableDb } from '../store/open.ts'
import { findPairAt, openRecords } from '../store/pairs.ts'
import { createRecordSearch, shownTexts } from './record-search.ts'

type RowsOutput = z.infer<(typeof datasetCalls)['datasets.rows']['output']>
export type RowsQuery = z.output<(typeof datasetCalls)['datasets.rows']['input']>

export interface Browser {
  /** @throws AppError `cancelled` when a newer search of the same data set overtook this one */
  readRows(query: RowsQuery, pairCount: number): Promise<RowsOutput>
}

export function createBrowser(db: ReadableDb, dataFolder: string): Browser {
  const search = createRecordSearch(dataFolder, (record) => [...shownTexts(record), record.pairId, ...Object.values(record.metadata).map((value) => (typeof value === 'string' ? value : JSON.stringify(value)))])

  async function readRows(query: RowsQuery, pairCount: number): Promise<RowsOutput> {
    const { datasetId, offset, limit } = query
    const text = query.search.trim()
    const matches = text === '' ? null : await search.find(datasetId, text)
    const indexes = select(db, datasetId, query.only, matches)
    const page = indexes === null ? range(offset, Math.min(pairCount, offset + limit)) : indexes.slice(offset, offset + limit)
    const records = openRecords(dataFolder, datasetId)
    try {
      const rows = page.flatMap((index) => {
        const pair = findPairAt(db, datasetId, index)
        if (pair === null) return []
        const { pairId, line, prompt, a, b, metadata } = records.read(pair)
        const labels = readAnswersOf(db, datasetId, index).map((answer) => ({ annotator: answer.annotatorId, outcome: answer.outcome, strength: answer.strength }))
        return [{ index, pairId, line, prompt, a, b, split: pair.split, labels, metadata }]
      })
      return { total: indexes?.length ?? pairCount, rows }
    } finally {
      records.close()
    }
  }

  return { readRows }
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, step) => from + step)
}

/** Places of the pairs that pass both; null means all of them. */
function select(db: ReadableDb, datasetId: string, only: RowsQuery['only'], matches: readonly number[] | null): readonly number[] | null {
  if (only === 'all') return matches
  const passing = only === 'disagreement' ? findDisagreements(db, datasetId) : selectPairs(db, datasetId, only)
  if (matches === null) return passing
  const wanted = new Set(matches)
  return passing.filter((index) => wanted.has(index))
}
