import type { LabelFilter, LabelProgress } from '../../shared/contract/labels.ts'
import type { Outcome } from '../../shared/data-kinds.ts'
import { invariant } from '../../shared/assert.ts'
import { shownNames } from './annotators.ts'
import type { ReadableDb } from './open.ts'

/**
 * The answers in force, one byte a pair and annotator, kept beside the database so that finding the next of 100,000
 * pairs costs no query. This process is the only writer, so it stays true as long as every change is noted here after
 * it was committed; a change in bulk drops it and it is read anew.
 */
interface DatasetIndex {
  readonly pairCount: number
  readonly annotators: Map<string, AnnotatorIndex>
}

interface AnnotatorIndex {
  /** 0: none in force, else a place in OUTCOMES [pair] */
  readonly outcome: Uint8Array
  /** [pair] */
  readonly flagged: Uint8Array
  /** Pairs by outcome code; place 0 is not kept. */
  readonly counts: number[]
  flaggedCount: number
}

const OUTCOMES = [null, 'a', 'b', 'tie', 'both-bad', 'skip'] as const satisfies readonly (Outcome | null)[]
const CODE = { a: 1, b: 2, tie: 3, 'both-bad': 4, skip: 5 } as const satisfies Record<Outcome, number>

const indexes = new WeakMap<ReadableDb, Map<string, DatasetIndex>>()

function indexOf(db: ReadableDb, datasetId: string): DatasetIndex {
  const byDataset = indexes.get(db) ?? new Map<string, DatasetIndex>()
  indexes.set(db, byDataset)
  const known = byDataset.get(datasetId)
  if (known !== undefined) return known
  const index = loadIndex(db, datasetId)
  byDataset.set(datasetId, index)
  return index
}

function loadIndex(db: ReadableDb, datasetId: string): DatasetIndex {
  const pairCount = db.prepare<[string], number | null>('SELECT max(idx) + 1 FROM pairs WHERE dataset_id = ?').pluck().get(datasetId) ?? 0
  const index: DatasetIndex = { pairCount, annotators: new Map() }
  for (const row of db.prepare<[string], [number, string, Outcome]>('SELECT pair_idx, annotator_id, outcome FROM answers WHERE dataset_id = ?').raw().iterate(datasetId)) {
    setOutcome(annotatorOf(index, row[1]), row[0], row[2])
  }
  for (const row of db.prepare<[string], [number, string]>('SELECT pair_idx, annotator_id FROM flags WHERE dataset_id = ?').raw().iterate(datasetId)) {
    setFlagged(annotatorOf(index, row[1]), row[0], true)
  }
  return index
}

function annotatorOf(index: DatasetIndex, annotatorId: string): AnnotatorIndex {
  const known = index.annotators.get(annotatorId)
  if (known !== undefined) return known
  const made: AnnotatorIndex = { outcome: new Uint8Array(index.pairCount), flagged: new Uint8Array(index.pairCount), counts: OUTCOMES.map(() => 0), flaggedCount: 0 }
  index.annotators.set(annotatorId, made)
  return made
}

function setOutcome(annotator: AnnotatorIndex, pairIndex: number, outcome: Outcome | null): void {
  const before = annotator.outcome[pairIndex] ?? 0
  const after = outcome === null ? 0 : CODE[outcome]
  annotator.counts[before] = (annotator.counts[before] ?? 0) - 1
  annotator.counts[after] = (annotator.counts[after] ?? 0) + 1
  annotator.outcome[pairIndex] = after
}

function setFlagged(annotator: AnnotatorIndex, pairIndex: number, flagged: boolean): void {
  annotator.flaggedCount += (flagged ? 1 : 0) - (annotator.flagged[pairIndex] ?? 0)
  annotator.flagged[pairIndex] = flagged ? 1 : 0
}

/** The next look reads the database. After changes in bulk, and when a data set goes. */
export function dropLabelIndex(db: ReadableDb, datasetId: string): void {
  indexes.get(db)?.delete(datasetId)
}

/** To be called once the change is committed. */
export function noteOutcome(db: ReadableDb, datasetId: string, annotatorId: string, pairIndex: number, outcome: Outcome | null): void {
  const index = indexes.get(db)?.get(datasetId)
  if (index !== undefined) setOutcome(annotatorOf(index, annotatorId), pairIndex, outcome)
}

/** To be called once the change is committed. */
export function noteFlag(db: ReadableDb, datasetId: string, annotatorId: string, pairIndex: number, flagged: boolean): void {
  const index = indexes.get(db)?.get(datasetId)
  if (index !== undefined) setFlagged(annotatorOf(index, annotatorId), pairIndex, flagged)
}

export function countLabels(db: ReadableDb, datasetId: string, annotatorId: string): Pick<LabelProgress, 'total' | 'answered' | 'skipped' | 'flagged'> {
  const index = indexOf(db, datasetId)
  const annotator = annotatorOf(index, annotatorId)
  return { total: index.pairCount, answered: answered(annotator), skipped: annotator.counts[CODE.skip] ?? 0, flagged: annotator.flaggedCount }
}

function answered(annotator: AnnotatorIndex): number {
  return (annotator.counts[CODE.a] ?? 0) + (annotator.counts[CODE.b] ?? 0) + (annotator.counts[CODE.tie] ?? 0) + (annotator.counts[CODE['both-bad']] ?? 0)
}

/** Over all annotators: pairs with an answer that is no skip, such answers, and who gave any answer at all. */
export function totalLabels(db: ReadableDb, datasetId: string): { readonly labeledPairs: number; readonly labels: number; readonly annotators: string[] } {
  const index = indexOf(db, datasetId)
  const shown = shownNames(db, datasetId)
  const present = [...index.annotators].filter(([, annotator]) => answered(annotator) + (annotator.counts[CODE.skip] ?? 0) > 0)
  let labeledPairs = 0
  for (let pair = 0; pair < index.pairCount; pair += 1) {
    if (present.some(([, annotator]) => isAnswer(annotator.outcome[pair]))) labeledPairs += 1
  }
  return { labeledPairs, labels: present.reduce((sum, [, annotator]) => sum + answered(annotator), 0), annotators: present.map(([id]) => shown(id)).sort() }
}

function isAnswer(code: number | undefined): boolean {
  return code !== undefined && code !== 0 && code !== CODE.skip
}

export interface QueueQuery {
  readonly datasetId: string
  readonly annotatorId: string
  readonly only: LabelFilter['only']
  /** Places of the pairs that a search found, in any order; null: no search. */
  readonly found: readonly number[] | null
  readonly fromIndex: number
  readonly direction: 'forward' | 'back'
  readonly limit: number
  /** Pairs that are not to be given again. */
  readonly exclude: ReadonlySet<number>
}

/**
 * Places of the next pairs that pass the filter, in the order of the data set from `fromIndex` on (or back), going
 * round once; and how many pass it in all, the excluded ones counted.
 */
export function findNext(db: ReadableDb, query: QueueQuery): { readonly indexes: number[]; readonly matching: number } {
  const index = indexOf(db, query.datasetId)
  const passes = filterOf(index, query)
  let matching = 0
  for (let pair = 0; pair < index.pairCount; pair += 1) if (passes(pair)) matching += 1
  const found: number[] = []
  const step = query.direction === 'forward' ? 1 : -1
  // A start beyond the end means: from the other end.
  const start = query.fromIndex < index.pairCount ? query.fromIndex : query.direction === 'forward' ? 0 : index.pairCount - 1
  for (let seen = 0, pair = start; seen < index.pairCount && found.length < query.limit; seen += 1, pair += step) {
    if (pair === index.pairCount) pair = 0
    if (pair < 0) pair = index.pairCount - 1
    if (passes(pair) && !query.exclude.has(pair)) found.push(pair)
  }
  return { indexes: found, matching }
}

function filterOf(index: DatasetIndex, query: QueueQuery): (pair: number) => boolean {
  const { outcome, flagged } = annotatorOf(index, query.annotatorId)
  const byLabel = ((): ((pair: number) => boolean) => {
    switch (query.only) {
      case 'all': return () => true
      case 'unlabeled': return (pair) => outcome[pair] === 0
      case 'labeled': return (pair) => isAnswer(outcome[pair])
      case 'skipped': return (pair) => outcome[pair] === CODE.skip
      case 'ties': return (pair) => outcome[pair] === CODE.tie
      case 'flagged': return (pair) => flagged[pair] === 1
      case 'disagreement': return disagreement([...index.annotators.values()])
    }
  })()
  if (query.found === null) return byLabel
  const found = new Uint8Array(index.pairCount)
  for (const pair of query.found) found[pair] = 1
  return (pair) => found[pair] === 1 && byLabel(pair)
}

/** Two people gave different answers; a skip is none. */
function disagreement(annotators: readonly AnnotatorIndex[]): (pair: number) => boolean {
  return (pair) => {
    let first = 0
    for (const annotator of annotators) {
      const code = annotator.outcome[pair]
      if (!isAnswer(code)) continue
      invariant(code !== undefined, 'isAnswer')
      if (first !== 0 && code !== first) return true
      first = code
    }
    return false
  }
}

/** Every pair on which two people gave different answers. */
export function findDisagreements(db: ReadableDb, datasetId: string): number[] {
  const index = indexOf(db, datasetId)
  const differs = disagreement([...index.annotators.values()])
  return Array.from({ length: index.pairCount }, (_, pair) => pair).filter(differs)
}
