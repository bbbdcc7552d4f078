import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { LabelItem, LabelProgress } from '../../shared/contract/labels.ts'
import { AppError } from '../../shared/errors.ts'
import {
  inHandIds,
  isDone,
  reduce,
  startSession,
  viewedForMs,
  wantedPairs,
  type Action,
  type Session,
} from '../../renderer/label/session.ts'
import { describeAnswer, toOutcome, toVerdict } from '../../renderer/label/verdicts.ts'

const UNLABELED = { only: 'unlabeled', search: '' } as const
const PROGRESS: LabelProgress = {
  total: 9,
  answered: 0,
  skipped: 0,
  flagged: 0,
  paceMs: null,
  remainingMs: null,
  canUndo: false,
  canRedo: false,
  journalTrouble: null,
}

function pair(index: number, change: Partial<LabelItem> = {}): LabelItem {
  return {
    pairId: `p${index}`,
    index,
    prompt: 'Q',
    a: 'first',
    b: 'second',
    shownOrder: 'ab',
    current: null,
    segments: null,
    flagged: false,
    ...change,
  }
}

function play(session: Session, ...actions: readonly Action[]): Session {
  return actions.reduce(reduce, session)
}

function fetched(indexes: readonly number[], wanted = 4): Action {
  return { type: 'fetched', queue: { items: indexes.map((index) => pair(index)), matching: 9 }, wanted, nowMs: 1000 }
}

function chosen(verdict: 'left' | 'right' | 'tie' | 'both-bad' | 'skip', nowMs = 3000): Action {
  return { type: 'chosen', verdict, clientKey: 'key-0001', nowMs }
}

const ready = play(startSession(UNLABELED), { type: 'fetch-started' }, fetched([0, 1, 2, 3]))
const saved: Action = { type: 'saved', progress: { ...PROGRESS, answered: 1 }, labelId: 1, nowMs: 3010 }
const error = new AppError({ code: 'disk-full', message: 'The disk is full.', hint: 'Make room.' })

describe('labeling session', () => {
  test('shows the first fetched pair and keeps the others in hand', () => {
    expect(ready.current?.pairId).toBe('p0')
    expect(ready.ahead.map((item) => item.pairId)).toEqual(['p1', 'p2', 'p3'])
    expect(wantedPairs(ready)).toBe(0)
  })

  test('keeps the pair in view until its answer is on disk', () => {
    const sent = play(ready, chosen('left'))
    expect(sent.current?.pairId).toBe('p0')
    expect(sent.answer).toEqual({
      pairId: 'p0',
      verdict: 'left',
      outcome: 'a',
      strength: 'clearly',
      comment: '',
      shownOrder: 'ab',
      durationMs: 2000,
      clientKey: 'key-0001',
    })
    expect(play(sent, saved).current?.pairId).toBe('p1')
  })

  test('drops a key that comes while an answer is on its way', () => {
    const sent = play(ready, chosen('left'))
    expect(play(sent, chosen('right'))).toBe(sent)
    expect(play(sent, { type: 'passed', nowMs: 1 })).toBe(sent)
  })

  test('keeps a failed answer, under the same key, until it is saved or taken back', () => {
    const failed = play(ready, chosen('right'), { type: 'failed', error })
    expect(failed.current?.pairId).toBe('p0')
    expect(failed.answer?.clientKey).toBe('key-0001')
    expect(failed.failure).toBe(error)
    const again = play(failed, { type: 'resent' })
    expect(again.answer).toBe(failed.answer)
    expect(again.failure).toBeNull()
    expect(play(failed, { type: 'dismissed' }).answer).toBeNull()
  })

  test('asks how much only of a side that wins, and goes back to clearly', () => {
    const far = play(ready, { type: 'strength-set', strength: 'far' })
    expect(play(far, chosen('left')).answer?.strength).toBe('far')
    expect(play(far, chosen('tie')).answer?.strength).toBeNull()
    expect(play(far, chosen('left'), saved).strength).toBe('clearly')
  })

  test('undo brings the pair back and keeps the one it displaced next in line', () => {
    const next = play(ready, chosen('left'), saved)
    const undone = play(
      next,
      { type: 'move-started' },
      { type: 'shown', item: pair(0), keepCurrent: true, progress: PROGRESS, nowMs: 4000 },
    )
    expect(undone.current?.pairId).toBe('p0')
    expect(undone.ahead.map((item) => item.pairId)).toEqual(['p1', 'p2', 'p3'])
    const redone = play(
      undone,
      { type: 'move-started' },
      { type: 'redone', pairId: 'p0', progress: PROGRESS, nowMs: 5000 },
    )
    expect(redone.current?.pairId).toBe('p1')
    expect(redone.moving).toBe(false)
  })

  test('shows an earlier answer with its strength and note', () => {
    const before = pair(7, { current: { labelId: 4, outcome: 'b', strength: 'slightly', comment: 'odd' } })
    const shown = play(ready, { type: 'shown', item: before, keepCurrent: true, nowMs: 1 })
    expect([shown.strength, shown.comment]).toEqual(['slightly', 'odd'])
  })

  test('does not count time in which the window was hidden', () => {
    const away = play(ready, { type: 'hidden', nowMs: 2500 }, { type: 'visible', nowMs: 60_000 })
    expect(viewedForMs(away, 60_500)).toBe(2000)
  })

  test('is done only when nothing is in view, in hand or on its way', () => {
    const last = play(startSession(UNLABELED), { type: 'fetch-started' }, fetched([0]))
    expect(last.exhausted).toBe(true)
    expect(isDone(last)).toBe(false)
    expect(isDone(play(last, chosen('skip'), saved))).toBe(true)
  })

  test('a look through all pairs ends instead of beginning again', () => {
    const all = play(startSession({ only: 'all', search: '' }), fetched([6, 7, 8, 0]))
    const wrapped = play(
      { ...all, nextIndex: 9 },
      { type: 'fetched', queue: { items: [pair(1)], matching: 9 }, wanted: 1, nowMs: 1 },
    )
    expect(wrapped.exhausted).toBe(true)
    expect(inHandIds(wrapped)).not.toContain('p1')
  })

  test('marks a pair to look at again wherever it is held', () => {
    const flagged = play(ready, { type: 'flagged', pairId: 'p2', flagged: true, progress: PROGRESS })
    expect(flagged.ahead.map((item) => item.flagged)).toEqual([false, true, false])
  })

  test('says an answer in words', () => {
    expect(describeAnswer('left', 'slightly')).toBe('A is better, a little')
    expect(describeAnswer('both-bad', null)).toBe('Both bad')
  })

  test('a side of the screen and a stored option translate both ways, in either order', () => {
    const verdicts = fc.constantFrom('left', 'right', 'tie', 'both-bad', 'skip')
    fc.assert(
      fc.property(verdicts, fc.constantFrom('ab', 'ba'), (verdict, shownOrder) => {
        expect(toVerdict(toOutcome(verdict, pair(0, { shownOrder })), shownOrder)).toBe(verdict)
      }),
    )
    expect(toOutcome('left', pair(0, { shownOrder: 'ba' }))).toBe('b')
  })

  test('never holds a pair twice and never changes the pair under an answer, whatever happens', () => {
    const step: fc.Arbitrary<Action> = fc.oneof(
      fc.array(fc.nat(8), { maxLength: 4 }).map((indexes) => fetched([...new Set(indexes)])),
      fc.constantFrom<Action>(
        chosen('left'),
        chosen('skip'),
        saved,
        { type: 'failed', error },
        { type: 'resent' },
        { type: 'move-started' },
        { type: 'passed', nowMs: 9 },
      ),
      fc.nat(8).map((index): Action => ({ type: 'redone', pairId: `p${index}`, progress: PROGRESS, nowMs: 9 })),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        let session = startSession(UNLABELED)
        for (const action of steps) {
          session = reduce(session, action)
          const ids = inHandIds(session)
          expect(new Set(ids).size).toBe(ids.length)
          // A redo cannot begin while an answer is on its way, so it is left out of the law.
          const stands = session.answer === null || session.current?.pairId === session.answer.pairId
          expect(stands || action.type === 'redone').toBe(true)
          if (!stands) session = startSession(UNLABELED)
        }
      }),
    )
  })
})
