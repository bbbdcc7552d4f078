import type { LabelEvent, LabelItem } from '../../../shared/contract/labels.ts'
import type { Outcome, Strength } from '../../../shared/data-kinds.ts'
import type { AnnotatorId } from '../../../shared/domain.ts'
import { isAmong, shownNames } from './annotators.ts'
import { PAGE_PAIRS } from './answers.ts'
import type { ReadableDb } from './open.ts'
import type { ItemEntry } from '../../core/formats/item-entry.ts'
import { iterateItems } from './items.ts'
import { prepared } from './prepared.ts'
import { byPages, type Sliced } from './slices.ts'

export interface Answer {
  /** As people are shown beside these labels. */
  readonly annotatorId: string
  readonly outcome: Outcome
  readonly strength: Strength | null
  /** Absent where notes were not asked for; '' where there is none. */
  readonly comment?: string
}

interface AnswerRow {
  readonly pair_idx: number
  readonly annotator_id: string
  readonly outcome: Outcome
  readonly strength: Strength | null
}

export interface PairWithAnswers {
  readonly pair: ItemEntry
  readonly answers: readonly Answer[]
}

/**
 * Every pair of a data set in order, with its answers in force. Nothing may be written through the connection
 * meanwhile: read a snapshot. @param annotators whose answers, names or ids; empty: everybody's
 * @param notes with what people wrote beside them
 */
export function* eachPairWithAnswers(
  db: ReadableDb,
  datasetId: string,
  annotators: readonly string[] = [],
  notes = false,
): Generator<PairWithAnswers> {
  const shown = shownNames(db, datasetId)
  const wanted = isAmong(annotators, shown)
  const rows = db
    .prepare<[string], AnswerRow & { readonly comment?: string }>(
      notes
        ? `SELECT a.pair_idx, a.annotator_id, a.outcome, a.strength, e.comment FROM answers a JOIN label_events e USING (label_id)
          WHERE a.dataset_id = ? ORDER BY a.pair_idx, a.annotator_id`
        : 'SELECT pair_idx, annotator_id, outcome, strength FROM answers WHERE dataset_id = ? ORDER BY pair_idx, annotator_id',
    )
    .iterate(datasetId)
  try {
    let next = rows.next()
    for (const pair of iterateItems(db, datasetId)) {
      const answers: Answer[] = []
      for (; next.done !== true && next.value.pair_idx <= pair.index; next = rows.next()) {
        const { annotator_id: id, outcome, strength, comment } = next.value
        const annotatorId = shown(id)
        if (next.value.pair_idx === pair.index && wanted(id))
          answers.push({ annotatorId, outcome, strength, ...(comment === undefined ? {} : { comment }) })
      }
      yield { pair, answers }
    }
  } finally {
    rows.return?.()
  }
}

/** Who has an answer in force, as they are shown, in order. */
export function* namesWithAnswers(db: ReadableDb, datasetId: string): Sliced<string[]> {
  const names = new Set<string>()
  let count = 0
  for (const name of db
    .prepare<[string], string>('SELECT annotator_id FROM answers WHERE dataset_id = ?')
    .pluck()
    .iterate(datasetId)) {
    names.add(name)
    if ((count += 1) % 5000 === 0) yield
  }
  const shown = shownNames(db, datasetId)
  return [...names].map(shown).sort()
}

/** Everybody's answers in force on one pair, with their notes; '' where there is none. */
export function readAnswersOf(
  db: ReadableDb,
  datasetId: string,
  pairIndex: number,
): (Answer & { readonly comment: string })[] {
  const shown = shownNames(db, datasetId)
  return prepared<[string, number], AnswerRow & { readonly comment: string }>(
    db,
    `SELECT a.pair_idx, a.annotator_id, a.outcome, a.strength, e.comment
    FROM answers a JOIN label_events e USING (label_id) WHERE a.dataset_id = ? AND a.pair_idx = ? ORDER BY a.annotator_id`,
  )
    .all(datasetId, pairIndex)
    .map(({ annotator_id: id, outcome, strength, comment }) => ({ annotatorId: shown(id), outcome, strength, comment }))
}

/** Places of the pairs with a note beside an answer in force, in order. */
export function* findNoted(db: ReadableDb, datasetId: string, itemCount: number): Sliced<number[]> {
  const page = db
    .prepare<[string, number, number], number>(
      `SELECT DISTINCT a.pair_idx FROM answers a JOIN label_events e USING (label_id)
      WHERE a.dataset_id = ? AND a.pair_idx >= ? AND a.pair_idx < ? AND e.comment <> '' ORDER BY a.pair_idx`,
    )
    .pluck()
  return yield* byPages(itemCount, PAGE_PAIRS, (from, to) => page.all(datasetId, from, to))
}

/** One annotator's answer in force on one pair, with its comment. */
export function readCurrent(
  db: ReadableDb,
  datasetId: string,
  annotatorId: string,
  pairIndex: number,
): LabelItem['current'] {
  const row = db
    .prepare<
      [string, number, string],
      { label_id: number; outcome: Outcome; strength: Strength | null; comment: string }
    >(`SELECT a.label_id, a.outcome, a.strength, e.comment
    FROM answers a JOIN label_events e USING (label_id) WHERE a.dataset_id = ? AND a.pair_idx = ? AND a.annotator_id = ?`)
    .get(datasetId, pairIndex, annotatorId)
  return row === undefined
    ? null
    : { labelId: row.label_id, outcome: row.outcome, strength: row.strength, comment: row.comment }
}

export function isFlagged(db: ReadableDb, datasetId: string, annotatorId: string, pairIndex: number): boolean {
  return (
    db
      .prepare('SELECT 1 FROM flags WHERE dataset_id = ? AND annotator_id = ? AND pair_idx = ?')
      .get(datasetId, annotatorId, pairIndex) !== undefined
  )
}

/** Median time between a pair's painting and its answer, over the last `count` answers; null before the first. */
export function readPaceMs(db: ReadableDb, datasetId: string, annotatorId: string, count = 50): number | null {
  const durations = db
    .prepare<
      [string, string, number],
      number | null
    >(`SELECT duration_ms FROM label_events INDEXED BY label_events_answers
    WHERE dataset_id = ? AND annotator_id = ? AND kind = 'answer' ORDER BY label_id DESC LIMIT ?`)
    .pluck()
    .all(datasetId, annotatorId, count)
  const known = durations.filter((value) => value !== null).sort((x, y) => x - y)
  const middle = known.length / 2
  const upper = known[Math.floor(middle)]
  const lower = known[Math.ceil(middle) - 1]
  return upper === undefined || lower === undefined ? null : (upper + lower) / 2
}

export interface AnswerRef {
  readonly labelId: number
  readonly pairIndex: number
}

/** What undo would take back: the latest answer of their own that is not undone yet. What came with a file has no key and is nobody's to take back. */
export function findUndoable(db: ReadableDb, datasetId: string, annotatorId: string): AnswerRef | null {
  return (
    db
      .prepare<
        [string, string],
        AnswerRef
      >(`SELECT e.label_id AS labelId, e.pair_idx AS pairIndex FROM label_events e INDEXED BY label_events_answers
    WHERE e.dataset_id = ? AND e.annotator_id = ? AND e.kind = 'answer' AND e.client_key IS NOT NULL AND NOT EXISTS (SELECT 1 FROM undone_answers u WHERE u.label_id = e.label_id)
    ORDER BY e.label_id DESC LIMIT 1`)
      .get(datasetId, annotatorId) ?? null
  )
}

/** What redo would restore: the answer undone last, unless an answer came after it. */
export function findRedoable(db: ReadableDb, datasetId: string, annotatorId: string): AnswerRef | null {
  return (
    db
      .prepare<
        [string, string],
        AnswerRef
      >(`SELECT u.label_id AS labelId, e.pair_idx AS pairIndex FROM undone_answers u JOIN label_events e USING (label_id)
    WHERE u.dataset_id = ? AND u.annotator_id = ? AND u.redoable = 1 ORDER BY u.undo_id DESC LIMIT 1`)
      .get(datasetId, annotatorId) ?? null
  )
}

/** An event as far as it tells whether a step is the same as before. */
export interface KeyedEvent extends AnswerRef {
  readonly kind: LabelEvent['kind']
  readonly outcome: Outcome | null
  readonly targetId: number | null
}

export function findByClientKey(
  db: ReadableDb,
  datasetId: string,
  annotatorId: string,
  clientKey: string,
): KeyedEvent | null {
  return (
    db
      .prepare<[string, string, string], KeyedEvent>(
        'SELECT label_id AS labelId, pair_idx AS pairIndex, kind, outcome, target_id AS targetId FROM label_events WHERE dataset_id = ? AND annotator_id = ? AND client_key = ?',
      )
      .get(datasetId, annotatorId, clientKey) ?? null
  )
}

type HistoryRow = Omit<LabelEvent, 'annotatorId' | 'inForce'> & {
  readonly annotatorId: string
  readonly inForce: number
}

/** Keys of events looked at between two yields. */
const PAGE_EVENTS = 5000

/**
 * Newest first; events before and after the page are only counted, in the index. An undo is in force while what it took
 * back is gone, a flag while the pair carries it.
 */
export function* readHistory(
  db: ReadableDb,
  datasetId: string,
  annotatorId: string,
  limit: number,
  offset: number,
): Sliced<{ total: number; events: LabelEvent[] }> {
  const keys = db
    .prepare<[string, string, number, number], number>(
      'SELECT label_id FROM label_events INDEXED BY label_events_by_annotator WHERE dataset_id = ? AND annotator_id = ? AND label_id < ? ORDER BY label_id DESC LIMIT ?',
    )
    .pluck()
  const wanted: number[] = []
  let total = 0
  for (let below = Number.MAX_SAFE_INTEGER; ;) {
    const page = keys.all(datasetId, annotatorId, below, PAGE_EVENTS)
    wanted.push(...page.slice(Math.max(0, offset - total), Math.max(0, offset + limit - total)))
    total += page.length
    below = page.at(-1) ?? 0
    if (page.length < PAGE_EVENTS) break
    yield
  }
  const rows = db
    .prepare<
      [string, string, number, number],
      HistoryRow
    >(`SELECT e.label_id AS labelId, e.kind, p.pair_id AS pairId, e.pair_idx AS pairIndex, e.annotator_id AS annotatorId,
      e.outcome, e.strength, e.comment, e.shown_order AS shownOrder, e.duration_ms AS durationMs, e.target_id AS targetId, e.created_at_ms AS createdAtMs, p.title,
      CASE e.kind
        WHEN 'answer' THEN EXISTS (SELECT 1 FROM answers a WHERE a.dataset_id = e.dataset_id AND a.pair_idx = e.pair_idx AND a.annotator_id = e.annotator_id AND a.label_id = e.label_id)
        WHEN 'undo' THEN EXISTS (SELECT 1 FROM undone_answers u WHERE u.label_id = e.target_id AND u.undo_id = e.label_id)
        WHEN 'redo' THEN NOT EXISTS (SELECT 1 FROM undone_answers u WHERE u.label_id = e.target_id)
        WHEN 'flag' THEN EXISTS (SELECT 1 FROM flags f WHERE f.dataset_id = e.dataset_id AND f.annotator_id = e.annotator_id AND f.pair_idx = e.pair_idx)
        ELSE NOT EXISTS (SELECT 1 FROM flags f WHERE f.dataset_id = e.dataset_id AND f.annotator_id = e.annotator_id AND f.pair_idx = e.pair_idx)
      END AS inForce
    FROM label_events e INDEXED BY label_events_by_annotator JOIN pairs p ON p.dataset_id = e.dataset_id AND p.idx = e.pair_idx
    WHERE e.dataset_id = ? AND e.annotator_id = ? AND e.label_id BETWEEN ? AND ?
    ORDER BY e.label_id DESC`)
    .all(datasetId, annotatorId, wanted.at(-1) ?? 0, wanted[0] ?? -1)
  return {
    total,
    events: rows.map((row) => ({ ...row, annotatorId: row.annotatorId as AnnotatorId, inForce: row.inForce === 1 })),
  } // an id by its column
}

export interface Habits {
  readonly left: { wins: number; n: number }
  readonly longer: { wins: number; n: number }
}

/** Decided answers in force: how many chose the left side, and how many the longer of two completions of unequal length. */
export function* countHabits(db: ReadableDb, datasetId: string, annotatorId: string): Sliced<Habits> {
  const last =
    db
      .prepare<[string], number | null>('SELECT max(pair_idx) FROM answers WHERE dataset_id = ?')
      .pluck()
      .get(datasetId) ?? -1
  const page = db.prepare<
    [string, string, number, number],
    Record<'leftWins' | 'leftN' | 'longerWins' | 'longerN', number | null>
  >(`SELECT
      sum((a.outcome = 'a') = (e.shown_order = 'ab')) AS leftWins, count(e.shown_order) AS leftN,
      sum(p.a_words <> p.b_words AND (a.outcome = 'a') = (p.a_words > p.b_words)) AS longerWins, sum(p.a_words <> p.b_words) AS longerN
    FROM answers a JOIN label_events e USING (label_id) JOIN pairs p ON p.dataset_id = a.dataset_id AND p.idx = a.pair_idx
    WHERE a.dataset_id = ? AND a.annotator_id = ? AND a.pair_idx >= ? AND a.pair_idx < ? AND a.outcome IN ('a', 'b')`)
  const habits: Habits = { left: { wins: 0, n: 0 }, longer: { wins: 0, n: 0 } }
  for (let from = 0; from <= last; from += PAGE_PAIRS) {
    const row = page.get(datasetId, annotatorId, from, from + PAGE_PAIRS)
    habits.left.wins += row?.leftWins ?? 0
    habits.left.n += row?.leftN ?? 0
    habits.longer.wins += row?.longerWins ?? 0
    habits.longer.n += row?.longerN ?? 0
    yield
  }
  return habits
}
