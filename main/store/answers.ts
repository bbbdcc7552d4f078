import type { Outcome } from '../../shared/data-kinds.ts'
import type { ReadableDb } from './open.ts'

export interface PairAnswers {
  readonly given: { readonly annotatorId: string; readonly outcome: Outcome }[]
  readonly aWords: number
  readonly bWords: number
}

type AnswerRow = [pairIndex: number, annotatorId: string, outcome: Outcome, aWords: number, bWords: number]

/**
 * The answers in force of every pair that has any, a pair at a time, so that a million pairs need no more memory than
 * one. The database must not be written to while iterating.
 */
export function* iterateAnswers(db: ReadableDb, datasetId: string): Generator<PairAnswers> {
  const rows = db.prepare<[string], AnswerRow>(`SELECT a.pair_idx, a.annotator_id, a.outcome, p.a_words, p.b_words
    FROM answers a JOIN pairs p ON p.dataset_id = a.dataset_id AND p.idx = a.pair_idx WHERE a.dataset_id = ? ORDER BY a.pair_idx, a.annotator_id`).raw().iterate(datasetId)
  let current: (PairAnswers & { readonly pairIndex: number }) | null = null
  for (const [pairIndex, annotatorId, outcome, aWords, bWords] of rows) {
    if (current !== null && current.pairIndex !== pairIndex) yield current
    if (current === null || current.pairIndex !== pairIndex) current = { pairIndex, given: [], aWords, bWords }
    current.given.push({ annotatorId, outcome })
  }
  if (current !== null) yield current
}

const FILTERS = {
  labeled: "SELECT DISTINCT pair_idx FROM answers WHERE dataset_id = ? AND outcome <> 'skip' ORDER BY pair_idx",
  unlabeled: "SELECT idx FROM pairs p WHERE dataset_id = ? AND NOT EXISTS (SELECT 1 FROM answers a WHERE a.dataset_id = p.dataset_id AND a.pair_idx = p.idx AND a.outcome <> 'skip') ORDER BY idx",
  'empty-answer': 'SELECT idx FROM pairs WHERE dataset_id = ? AND (a_empty = 1 OR b_empty = 1) ORDER BY idx',
} as const

/** Places of the pairs of one sort, in order. */
export function selectPairs(db: ReadableDb, datasetId: string, filter: keyof typeof FILTERS): number[] {
  return db.prepare<[string], number>(FILTERS[filter]).pluck().all(datasetId)
}
