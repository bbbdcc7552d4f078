// Looking through a data set: filters, and search in the text of the records themselves.
import type { z } from 'zod'
import type { datasetCalls } from '../../shared/contract/datasets.ts'
import { AppError } from '../../shared/errors.ts'
import { selectPairs } from '../store/answers.ts'
import { recordsPath } from '../store/datasets-folder.ts'
import { findDisagreements } from '../store/labels-index.ts'
import { readAnswersOf } from '../store/labels-read.ts'
import type { ReadableDb } from '../store/open.ts'
import { findPairAt, openRecords, parseRecord } from '../store/pairs.ts'
import type { Content, ResponsePair } from '../../shared/data-kinds.ts'
import { streamLines } from './export.ts'

type RowsOutput = z.infer<(typeof datasetCalls)['datasets.rows']['output']>
export type RowsQuery = z.output<(typeof datasetCalls)['datasets.rows']['input']>

export interface Browser {
  /** @throws AppError `cancelled` when a newer search of the same data set overtook this one */
  readRows(query: RowsQuery, pairCount: number): Promise<RowsOutput>
}

/** Records never change, so what a search found stays found; only the last one of each data set is kept. */
export function createBrowser(db: ReadableDb, dataFolder: string): Browser {
  const found = new Map<string, { readonly text: string; readonly indexes: readonly number[] }>()
  const searching = new Map<string, { readonly text: string; readonly abort: AbortController; readonly result: Promise<readonly number[]> }>()

  async function search(datasetId: string, text: string): Promise<readonly number[]> {
    const known = found.get(datasetId)
    if (known?.text === text) return known.indexes
    const current = searching.get(datasetId)
    if (current?.text === text) return current.result
    current?.abort.abort(new AppError({ code: 'cancelled', message: 'Another search was started.', hint: 'Nothing to do; the newer one answers.' }))
    const abort = new AbortController()
    const result = searchRecords(recordsPath(dataFolder, datasetId), text, abort.signal)
    searching.set(datasetId, { text, abort, result })
    try {
      const indexes = await result
      found.set(datasetId, { text, indexes })
      return indexes
    } finally {
      if (searching.get(datasetId)?.abort === abort) searching.delete(datasetId)
    }
  }

  async function readRows(query: RowsQuery, pairCount: number): Promise<RowsOutput> {
    const { datasetId, offset, limit } = query
    const text = query.search.trim().toLowerCase()
    const matches = text === '' ? null : await search(datasetId, text)
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

/** Pairs whose prompt, answers, id or other columns hold the text, whatever its case. */
async function searchRecords(file: string, text: string, signal: AbortSignal): Promise<number[]> {
  const indexes: number[] = []
  // As the text stands inside a JSON string: lines without it need not be parsed.
  const escaped = JSON.stringify(text).slice(1, -1).toLowerCase()
  for await (const line of streamLines(file, signal)) {
    if (!line.toLowerCase().includes(escaped)) continue
    const record = parseRecord(line)
    if (typeof record !== 'string' && holds(record, text)) indexes.push(record.index)
  }
  return indexes
}

function holds(record: ResponsePair, text: string): boolean {
  const texts = [textOf(record.prompt), textOf(record.a), textOf(record.b), record.pairId, ...Object.values(record.metadata).map((value) => (typeof value === 'string' ? value : JSON.stringify(value)))]
  return texts.some((candidate) => candidate.toLowerCase().includes(text))
}

function textOf(content: Content): string {
  return typeof content === 'string' ? content : content.map((turn) => turn.content).join('\n')
}
