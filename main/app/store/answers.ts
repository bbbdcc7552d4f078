import type { Outcome } from '../../../shared/data-kinds.ts'
import { shownNames } from './annotators.ts'
import type { ReadableDb } from './open.ts'
import { byPages, type Sliced } from './slices.ts'

export interface PairAnswers {
  /** `annotatorId` as people are shown beside these labels. */
  readonly given: { readonly annotatorId: string; readonly outcome: Outcome }[]
  readonly aWords: number
  readonly bWords: number
}

type AnswerRow = [pairIndex: number, annotatorId: string, outcome: Outcome, aWords: number, bWords: number]

/** Pairs whose answers are read at one go: some milliseconds. */
export const PAGE_PAIRS = 1000

/**
 * The answers in force of every pair that has any, a page of pairs at a time. Labels may be added between the pages;
 * those of a pair are always read together.
 */
export function* pagesOfAnswers(db: ReadableDb, datasetId: string): Generator<PairAnswers[]> {
  const last =
    db
      .prepare<[string], number | null>('SELECT max(pair_idx) FROM answers WHERE dataset_id = ?')
      .pluck()
      .get(datasetId) ?? -1
  const page = db
    .prepare<[string, number, number], AnswerRow>(`SELECT a.pair_idx, a.annotator_id, a.outcome, p.a_words, p.b_words
    FROM answers a JOIN pairs p ON p.dataset_id = a.dataset_id AND p.idx = a.pair_idx
    WHERE a.dataset_id = ? AND a.pair_idx >= ? AND a.pair_idx < ? ORDER BY a.pair_idx, a.annotator_id`)
    .raw()
  const shown = shownNames(db, datasetId)
  for (let from = 0; from <= last; from += PAGE_PAIRS)
    yield groupByPair(page.all(datasetId, from, from + PAGE_PAIRS), shown)
}

function groupByPair(rows: readonly AnswerRow[], shown: (annotatorId: string) => string): PairAnswers[] {
  const pairs: PairAnswers[] = []
  let current = -1
  for (const [pairIndex, annotatorId, outcome, aWords, bWords] of rows) {
    if (pairIndex !== current) pairs.push({ given: [], aWords, bWords })
    current = pairIndex
    pairs.at(-1)?.given.push({ annotatorId: shown(annotatorId), outcome })
  }
  return pairs
}

/** Places of the pairs one of whose answers says nothing, in order. Records never change, nor does this. */
export function* findEmptyAnswers(db: ReadableDb, datasetId: string, itemCount: number): Sliced<number[]> {
  const page = db
    .prepare<[string, number, number], number>(
      'SELECT idx FROM pairs WHERE dataset_id = ? AND idx >= ? AND idx < ? AND (a_empty = 1 OR b_empty = 1) ORDER BY idx',
    )
    .pluck()
  return yield* byPages(itemCount, PAGE_PAIRS, (from, to) => page.all(datasetId, from, to))
}
