import type { Output, Input } from '../../shared/contract.ts'
import type { LabelFilter, LabelItem, LabelProgress } from '../../shared/contract/labels.ts'
import type { Strength } from '../../shared/data-kinds.ts'
import type { AppError } from '../../shared/errors.ts'
import { describeAnswer, judgmentOf, strengthOf, toOutcome, type Verdict } from './verdicts.ts'

/**
 * Labeling as a pure function of what happened: the answer to the pair in view, the pairs in hand behind it, and one
 * law: the next pair is shown only when the answer before it is on disk. session-store.ts does what it asks for.
 */

/** An answer on its way to the disk. `clientKey` stays the same when it is sent again. */
export type Answer = Omit<Input<'labels.add'>, 'datasetId' | 'annotatorId'> & { readonly verdict: Verdict }

export interface Session {
  readonly filter: LabelFilter
  /** The pair in view; null while the first is on its way, and when none is left. */
  readonly current: LabelItem | null
  /** Pairs in hand, in the order in which they come. */
  readonly ahead: readonly LabelItem[]
  /** Where the next fetch begins. */
  readonly nextIndex: number
  readonly fetching: boolean
  /** Nothing beyond what is in hand passes the filter. */
  readonly exhausted: boolean
  readonly matching: number | null
  readonly strength: Strength
  readonly comment: string
  /** Set from the key press until the row is on disk. */
  readonly answer: Answer | null
  /** Why the answer could not be saved, or a step not be taken. */
  readonly failure: AppError | null
  /** Undo, redo, a flag or a jump is on its way. */
  readonly moving: boolean
  readonly progress: LabelProgress | null
  /** Time the pair was in view before `sinceMs`; hidden windows do not count. */
  readonly viewedMs: number
  readonly sinceMs: number | null
  /** For the screen reader. */
  readonly announcement: string
}

export type Action =
  | { readonly type: 'restarted'; readonly filter: LabelFilter; readonly fromIndex: number }
  | { readonly type: 'fetch-started' }
  | {
      readonly type: 'fetched'
      readonly queue: Output<'labels.queue'>
      readonly wanted: number
      readonly nowMs: number
    }
  | { readonly type: 'progressed'; readonly progress: LabelProgress }
  | { readonly type: 'strength-set'; readonly strength: Strength }
  | { readonly type: 'comment-set'; readonly comment: string }
  | { readonly type: 'chosen'; readonly verdict: Verdict; readonly clientKey: string; readonly nowMs: number }
  | { readonly type: 'resent' }
  | { readonly type: 'saved'; readonly progress: LabelProgress; readonly labelId: number; readonly nowMs: number }
  | { readonly type: 'failed'; readonly error: AppError }
  | { readonly type: 'dismissed' }
  | { readonly type: 'move-started' }
  | {
      readonly type: 'shown'
      readonly item: LabelItem
      readonly keepCurrent: boolean
      readonly progress?: LabelProgress
      readonly nowMs: number
    }
  | {
      readonly type: 'redone'
      readonly pairId: string | null
      readonly progress: LabelProgress
      readonly nowMs: number
    }
  | { readonly type: 'move-ended' }
  | { readonly type: 'passed'; readonly nowMs: number }
  | { readonly type: 'flagged'; readonly pairId: string; readonly flagged: boolean; readonly progress: LabelProgress }
  | { readonly type: 'hidden'; readonly nowMs: number }
  | { readonly type: 'visible'; readonly nowMs: number }

/** Pairs kept in hand, so that a key paints at once. */
export const IN_HAND = 3
export const USUAL_STRENGTH: Strength = 'clearly'

export function startSession(filter: LabelFilter): Session {
  return {
    filter,
    current: null,
    ahead: [],
    nextIndex: 0,
    fetching: false,
    exhausted: false,
    matching: null,
    strength: USUAL_STRENGTH,
    comment: '',
    answer: null,
    failure: null,
    moving: false,
    progress: null,
    viewedMs: 0,
    sinceMs: null,
    announcement: '',
  }
}

/** True while keys that answer or move must wait. */
export function isBusy(session: Session): boolean {
  return session.answer !== null || session.moving || session.current === null
}

/** How many pairs to fetch now; 0 for none. */
export function wantedPairs(session: Session): number {
  if (session.fetching || session.exhausted) return 0
  const wanted = IN_HAND + (session.current === null ? 1 : 0) - session.ahead.length
  return Math.max(0, wanted)
}

export function isDone(session: Session): boolean {
  return session.current === null && session.exhausted && !session.fetching
}

export function inHandIds(session: Session): string[] {
  return [session.current, ...session.ahead].flatMap((item) => (item === null ? [] : [item.pairId]))
}

export function viewedForMs(session: Session, nowMs: number): number {
  return session.viewedMs + (session.sinceMs === null ? 0 : Math.max(0, nowMs - session.sinceMs))
}

function show(session: Session, item: LabelItem | null, ahead: readonly LabelItem[], nowMs: number): Session {
  return {
    ...session,
    current: item,
    ahead,
    strength: item?.current?.strength ?? USUAL_STRENGTH,
    comment: item?.current?.comment ?? '',
    viewedMs: 0,
    sinceMs: nowMs,
  }
}

function advance(session: Session, nowMs: number): Session {
  const [next = null, ...rest] = session.ahead
  return show(session, next, rest, nowMs)
}

/**
 * Takes fetched pairs. The store's queue wraps once: for "unlabeled" the pairs before the start are as good as any,
 * but a person who looks through all skipped ones wants an end.
 */
function take(session: Session, queue: Output<'labels.queue'>, wanted: number, nowMs: number): Session {
  const known = new Set(inHandIds(session))
  const wraps = session.filter.only === 'unlabeled'
  const fresh = queue.items.filter((item) => !known.has(item.pairId) && (wraps || item.index >= session.nextIndex))
  const last = fresh.at(-1)
  const ahead = [...session.ahead, ...fresh]
  const next: Session = {
    ...session,
    ahead,
    fetching: false,
    matching: queue.matching,
    exhausted: queue.items.length < wanted || fresh.length === 0,
    nextIndex: last === undefined ? session.nextIndex : last.index + 1,
  }
  return next.current === null && ahead.length > 0 ? advance(next, nowMs) : next
}

function choose(session: Session, action: Extract<Action, { type: 'chosen' }>): Session {
  const item = session.current
  if (item === null || isBusy(session)) return session
  const verdict = item.b === null ? judgmentOf(action.verdict) : action.verdict
  if (verdict === null) return session
  const answer: Answer = {
    pairId: item.pairId,
    verdict,
    outcome: toOutcome(verdict, item),
    strength: strengthOf(verdict, session.strength, item),
    comment: session.comment.trim(),
    shownOrder: item.shownOrder,
    durationMs: Math.round(viewedForMs(session, action.nowMs)),
    clientKey: action.clientKey,
  }
  return { ...session, answer, failure: null }
}

function saved(session: Session, action: Extract<Action, { type: 'saved' }>): Session {
  const { answer } = session
  if (answer === null) return { ...session, progress: action.progress }
  const next = advance({ ...session, answer: null, failure: null, progress: action.progress }, action.nowMs)
  const alone = session.current !== null && session.current.b === null
  const noun = alone ? 'Answer' : 'Pair'
  const announcement = `Saved: ${describeAnswer(answer.verdict, answer.strength, alone)}. ${next.current === null ? `No ${noun.toLowerCase()} is left.` : `${noun} ${next.current.index + 1}.`}`
  return {
    ...next,
    announcement,
    matching:
      session.filter.only === 'unlabeled' && session.matching !== null
        ? Math.max(0, session.matching - 1)
        : session.matching,
  }
}

/** Brings a pair into view; the one it displaces comes next, unless it is the same. */
function bring(session: Session, action: Extract<Action, { type: 'shown' }>): Session {
  const displaced = action.keepCurrent && session.current !== null ? [session.current] : []
  const ahead = [...displaced, ...session.ahead].filter((item) => item.pairId !== action.item.pairId)
  const next = show(
    { ...session, moving: false, failure: null, progress: action.progress ?? session.progress },
    action.item,
    ahead,
    action.nowMs,
  )
  return { ...next, announcement: `Pair ${action.item.index + 1}.` }
}

function redone(session: Session, action: Extract<Action, { type: 'redone' }>): Session {
  const base: Session = {
    ...session,
    moving: false,
    failure: null,
    progress: action.progress,
    announcement: 'Answer restored.',
  }
  if (action.pairId !== null && session.current?.pairId === action.pairId) return advance(base, action.nowMs)
  return { ...base, ahead: session.ahead.filter((item) => item.pairId !== action.pairId) }
}

function withFlag(item: LabelItem, action: Extract<Action, { type: 'flagged' }>): LabelItem {
  return item.pairId === action.pairId ? { ...item, flagged: action.flagged } : item
}

function flagged(session: Session, action: Extract<Action, { type: 'flagged' }>): Session {
  return {
    ...session,
    moving: false,
    progress: action.progress,
    current: session.current === null ? null : withFlag(session.current, action),
    ahead: session.ahead.map((item) => withFlag(item, action)),
    announcement: action.flagged ? 'Marked to look at again.' : 'Mark taken off.',
  }
}

export function reduce(session: Session, action: Action): Session {
  switch (action.type) {
    case 'restarted':
      return { ...startSession(action.filter), nextIndex: action.fromIndex, progress: session.progress }
    case 'fetch-started':
      return { ...session, fetching: true }
    case 'fetched':
      return take(session, action.queue, action.wanted, action.nowMs)
    case 'progressed':
      return { ...session, progress: action.progress }
    case 'strength-set':
      return session.answer === null ? { ...session, strength: action.strength } : session
    case 'comment-set':
      return { ...session, comment: action.comment }
    case 'chosen':
      return choose(session, action)
    case 'resent':
      return { ...session, failure: null }
    case 'saved':
      return saved(session, action)
    case 'failed':
      return { ...session, fetching: false, moving: false, failure: action.error, announcement: action.error.message }
    case 'dismissed':
      return { ...session, answer: null, failure: null }
    case 'move-started':
      return { ...session, moving: true, failure: null }
    case 'move-ended':
      return { ...session, moving: false }
    case 'shown':
      return bring(session, action)
    case 'redone':
      return redone(session, action)
    case 'passed':
      return isBusy(session) ? session : advance(session, action.nowMs)
    case 'flagged':
      return flagged(session, action)
    case 'hidden':
      return { ...session, viewedMs: viewedForMs(session, action.nowMs), sinceMs: null }
    case 'visible':
      return session.sinceMs === null && session.current !== null ? { ...session, sinceMs: action.nowMs } : session
  }
}
