import type { LabelFilter, LabelProgress } from '../../../shared/contract/labels.ts'
import type { Outcome } from '../../../shared/data-kinds.ts'
import { shownNames } from './annotators.ts'
import type { ReadableDb } from './open.ts'
import { atOnce, inSlices, type Sliced } from './slices.ts'
import { withSnapshot } from './snapshot.ts'

/**
 * The answers in force, one byte a pair and annotator, kept beside the database so that finding the next of a million
 * pairs costs no query. This process is the only writer, so it stays true as long as every change is noted here after
 * it was committed; a change in bulk drops it and it is read anew.
 */
interface DatasetIndex {
  readonly itemCount: number
  readonly annotators: Map<string, AnnotatorIndex>
  /** How many people's answers count [pair] */
  readonly counting: Uint16Array
  /** 1 where two people gave different answers [pair] */
  readonly differs: Uint8Array
  labeledPairs: number
  differingPairs: number
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

interface Loading {
  readonly done: Promise<void>
  /** Changes that were committed since the snapshot, in order. */
  readonly notes: ((index: DatasetIndex) => void)[]
}
const loading = new WeakMap<ReadableDb, Map<string, Loading>>()

function mapOf<T>(all: WeakMap<ReadableDb, Map<string, T>>, db: ReadableDb): Map<string, T> {
  const known = all.get(db)
  if (known !== undefined) return known
  const made = new Map<string, T>()
  all.set(db, made)
  return made
}

/**
 * Reads the index in slices where it is not there yet. Every call that asks of it waits here first: a look at an index
 * that is not there reads all answers at once.
 */
export async function loadLabelIndex(db: ReadableDb, datasetId: string): Promise<void> {
  const [ready, underWay] = [mapOf(indexes, db), mapOf(loading, db)]
  while (!ready.has(datasetId)) {
    const current = underWay.get(datasetId)
    if (current !== undefined) {
      await current.done
      continue
    }
    const notes: Loading['notes'] = []
    const entry: Loading = { notes, done: read() }
    underWay.set(datasetId, entry)
    try {
      await entry.done
    } finally {
      if (underWay.get(datasetId) === entry) underWay.delete(datasetId)
    }
    async function read(): Promise<void> {
      const index = await withSnapshot(db, (snapshot) => inSlices(loadIndex(snapshot, datasetId)))
      if (underWay.get(datasetId)?.notes !== notes) return // dropped meanwhile: it is read anew
      for (const note of notes) note(index)
      ready.set(datasetId, index)
    }
  }
}

function indexOf(db: ReadableDb, datasetId: string): DatasetIndex {
  const known = mapOf(indexes, db).get(datasetId)
  if (known !== undefined) return known
  const index = atOnce(loadIndex(db, datasetId))
  mapOf(indexes, db).set(datasetId, index)
  return index
}

const ROWS_A_STEP = 2000
/** The same where nothing is asked of the database. */
const PAIRS_A_STEP = 50_000

function* loadIndex(db: ReadableDb, datasetId: string): Sliced<DatasetIndex> {
  const itemCount =
    db.prepare<[string], number | null>('SELECT max(idx) + 1 FROM pairs WHERE dataset_id = ?').pluck().get(datasetId) ??
    0
  const index: DatasetIndex = {
    itemCount,
    annotators: new Map(),
    counting: new Uint16Array(itemCount),
    differs: new Uint8Array(itemCount),
    labeledPairs: 0,
    differingPairs: 0,
  }
  let count = 0
  for (const row of db
    .prepare<[string], [number, string, Outcome]>(
      'SELECT pair_idx, annotator_id, outcome FROM answers WHERE dataset_id = ?',
    )
    .raw()
    .iterate(datasetId)) {
    setOutcome(index, row[1], row[0], row[2])
    if ((count += 1) % ROWS_A_STEP === 0) yield
  }
  for (const row of db
    .prepare<[string], [number, string]>('SELECT pair_idx, annotator_id FROM flags WHERE dataset_id = ?')
    .raw()
    .iterate(datasetId)) {
    setFlagged(annotatorOf(index, row[1]), row[0], true)
    if ((count += 1) % ROWS_A_STEP === 0) yield
  }
  return index
}

function annotatorOf(index: DatasetIndex, annotatorId: string): AnnotatorIndex {
  const known = index.annotators.get(annotatorId)
  if (known !== undefined) return known
  const made: AnnotatorIndex = {
    outcome: new Uint8Array(index.itemCount),
    flagged: new Uint8Array(index.itemCount),
    counts: OUTCOMES.map(() => 0),
    flaggedCount: 0,
  }
  index.annotators.set(annotatorId, made)
  return made
}

function setOutcome(index: DatasetIndex, annotatorId: string, pairIndex: number, outcome: Outcome | null): void {
  const annotator = annotatorOf(index, annotatorId)
  const before = annotator.outcome[pairIndex] ?? 0
  const after = outcome === null ? 0 : CODE[outcome]
  annotator.counts[before] = (annotator.counts[before] ?? 0) - 1
  annotator.counts[after] = (annotator.counts[after] ?? 0) + 1
  annotator.outcome[pairIndex] = after
  const counted = index.counting[pairIndex] ?? 0
  const counts = counted + Number(isAnswer(after)) - Number(isAnswer(before))
  index.counting[pairIndex] = counts
  index.labeledPairs += Number(counts > 0) - Number(counted > 0)
  const differs = counts > 1 && disagree(index.annotators, pairIndex) ? 1 : 0
  index.differingPairs += differs - (index.differs[pairIndex] ?? 0)
  index.differs[pairIndex] = differs
}

function setFlagged(annotator: AnnotatorIndex, pairIndex: number, flagged: boolean): void {
  annotator.flaggedCount += (flagged ? 1 : 0) - (annotator.flagged[pairIndex] ?? 0)
  annotator.flagged[pairIndex] = flagged ? 1 : 0
}

/** The next look reads the database. After changes in bulk, and when a data set goes. */
export function dropLabelIndex(db: ReadableDb, datasetId: string): void {
  indexes.get(db)?.delete(datasetId)
  loading.get(db)?.delete(datasetId)
}

function note(db: ReadableDb, datasetId: string, change: (index: DatasetIndex) => void): void {
  const index = indexes.get(db)?.get(datasetId)
  if (index !== undefined) change(index)
  loading.get(db)?.get(datasetId)?.notes.push(change)
}

/** To be called once the change is committed. */
export function noteOutcome(
  db: ReadableDb,
  datasetId: string,
  annotatorId: string,
  pairIndex: number,
  outcome: Outcome | null,
): void {
  note(db, datasetId, (index) => setOutcome(index, annotatorId, pairIndex, outcome))
}

/** To be called once the change is committed. */
export function noteFlag(
  db: ReadableDb,
  datasetId: string,
  annotatorId: string,
  pairIndex: number,
  flagged: boolean,
): void {
  note(db, datasetId, (index) => setFlagged(annotatorOf(index, annotatorId), pairIndex, flagged))
}

export function countLabels(
  db: ReadableDb,
  datasetId: string,
  annotatorId: string,
): Pick<LabelProgress, 'total' | 'answered' | 'skipped' | 'flagged'> {
  const index = indexOf(db, datasetId)
  const annotator = annotatorOf(index, annotatorId)
  return {
    total: index.itemCount,
    answered: answered(annotator),
    skipped: annotator.counts[CODE.skip] ?? 0,
    flagged: annotator.flaggedCount,
  }
}

function answered(annotator: AnnotatorIndex): number {
  return (
    (annotator.counts[CODE.a] ?? 0) +
    (annotator.counts[CODE.b] ?? 0) +
    (annotator.counts[CODE.tie] ?? 0) +
    (annotator.counts[CODE['both-bad']] ?? 0)
  )
}

/** Over all annotators: pairs with an answer that is no skip, such answers, and who gave any answer at all. */
export function totalLabels(
  db: ReadableDb,
  datasetId: string,
): { readonly labeledPairs: number; readonly labels: number; readonly annotators: string[] } {
  const index = indexOf(db, datasetId)
  const shown = shownNames(db, datasetId)
  const present = [...index.annotators].filter(
    ([, annotator]) => answered(annotator) + (annotator.counts[CODE.skip] ?? 0) > 0,
  )
  return {
    labeledPairs: index.labeledPairs,
    labels: present.reduce((sum, [, annotator]) => sum + answered(annotator), 0),
    annotators: present.map(([id]) => shown(id)).sort(),
  }
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
  // A start beyond the end means: from the other end.
  const start =
    query.fromIndex < index.itemCount ? query.fromIndex : query.direction === 'forward' ? 0 : index.itemCount - 1
  const passing = query.found === null ? null : query.found.filter(filterOf(index, query))
  const matching = passing === null ? countPassing(index, query) : passing.length
  const found: number[] = []
  let passed = 0
  for (const pair of passing === null ? walkRing(index, query, start) : inRingOrder(passing, start, query.direction)) {
    if (!query.exclude.has(pair)) found.push(pair)
    if (found.length === query.limit || (passed += 1) === matching) break // whoever stands behind the last one looks at a million for nothing
  }
  return { indexes: found, matching }
}

/** Pairs that pass the label filter, once round from `start`. */
function* walkRing(index: DatasetIndex, query: QueueQuery, start: number): Generator<number> {
  if (countPassing(index, query) === 0) return
  const { itemCount } = index
  const passes = filterOf(index, query)
  const step = query.direction === 'forward' ? 1 : -1
  for (let seen = 0, pair = start; seen < itemCount; seen += 1, pair += step) {
    if (pair === itemCount) pair = 0
    if (pair < 0) pair = itemCount - 1
    if (passes(pair)) yield pair
  }
}

function inRingOrder(pairs: readonly number[], start: number, direction: QueueQuery['direction']): number[] {
  const sorted = pairs.toSorted((x, y) => x - y)
  if (direction === 'forward')
    return [...sorted.filter((pair) => pair >= start), ...sorted.filter((pair) => pair < start)]
  const back = sorted.reverse()
  return [...back.filter((pair) => pair <= start), ...back.filter((pair) => pair > start)]
}

function filterOf(index: DatasetIndex, query: QueueQuery): (pair: number) => boolean {
  const { outcome, flagged } = annotatorOf(index, query.annotatorId)
  switch (query.only) {
    case 'all':
      return () => true
    case 'unlabeled':
      return (pair) => outcome[pair] === 0
    case 'labeled':
      return (pair) => isAnswer(outcome[pair])
    case 'skipped':
      return (pair) => outcome[pair] === CODE.skip
    case 'ties':
      return (pair) => outcome[pair] === CODE.tie
    case 'flagged':
      return (pair) => flagged[pair] === 1
    case 'disagreement':
      return (pair) => index.differs[pair] === 1
  }
}

/** How many pass the label filter, from the counts that are kept. */
function countPassing(index: DatasetIndex, { annotatorId, only }: QueueQuery): number {
  const annotator = annotatorOf(index, annotatorId)
  switch (only) {
    case 'all':
      return index.itemCount
    case 'unlabeled':
      return index.itemCount - answered(annotator) - (annotator.counts[CODE.skip] ?? 0)
    case 'labeled':
      return answered(annotator)
    case 'skipped':
      return annotator.counts[CODE.skip] ?? 0
    case 'ties':
      return annotator.counts[CODE.tie] ?? 0
    case 'flagged':
      return annotator.flaggedCount
    case 'disagreement':
      return index.differingPairs
  }
}

/** Two people gave different answers; a skip is none. */
function disagree(annotators: ReadonlyMap<string, AnnotatorIndex>, pair: number): boolean {
  let first = 0
  for (const { outcome } of annotators.values()) {
    const code = outcome[pair] ?? 0
    if (!isAnswer(code)) continue
    if (first !== 0 && code !== first) return true
    first = code
  }
  return false
}

/** Places of the pairs of one sort, in order, whoever labeled them. */
export function* findLabeled(
  db: ReadableDb,
  datasetId: string,
  only: 'labeled' | 'unlabeled' | 'disagreement',
): Sliced<number[]> {
  const { itemCount, counting, differs } = indexOf(db, datasetId)
  const found: number[] = []
  for (let pair = 0; pair < itemCount; pair += 1) {
    if (only === 'disagreement' ? differs[pair] === 1 : (counting[pair] ?? 0) > 0 === (only === 'labeled'))
      found.push(pair)
    if (pair % PAIRS_A_STEP === 0) yield
  }
  return found
}
