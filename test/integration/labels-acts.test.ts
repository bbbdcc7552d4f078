import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addAnnotator } from '../../main/app/store/annotators.ts'
import { readProgress, setFlag } from '../../main/app/store/labels.ts'
import { findNext } from '../../main/app/store/labels-index.ts'
import { compareWithJournal } from '../../main/app/store/labels-reconcile.ts'
import { invariant } from '../../shared/assert.ts'
import type { Outcome } from '../../shared/data-kinds.ts'
import { answer, current, folder, key, redo, restart, SET, store, undo } from '../support/labels-desk.ts'
import { withDesk } from '../support/labels-desk.ts'

withDesk()

describe('any sequence of acts', () => {
  type Act =
    | { readonly kind: 'answer'; readonly pair: number; readonly outcome: Outcome }
    | { readonly kind: 'undo' | 'redo' | 'restart' }
    | { readonly kind: 'flag'; readonly pair: number; readonly flagged: boolean }
  const act: fc.Arbitrary<Act> = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('answer' as const),
        pair: fc.integer({ min: 0, max: 5 }),
        outcome: fc.constantFrom<Outcome>('a', 'b', 'tie', 'both-bad', 'skip'),
      }),
    },
    { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('undo' as const, 'redo' as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('flag' as const),
        pair: fc.integer({ min: 0, max: 5 }),
        flagged: fc.boolean(),
      }),
    },
  )

  test('leaves what a list of answers with a cursor would', () => {
    let round = 0
    fc.assert(
      fc.property(fc.array(act, { maxLength: 40 }), (acts) => {
        round += 1
        const who = { datasetId: SET, annotatorId: `person ${round}` }
        addAnnotator(store.db, who.annotatorId, round)
        let given: { pair: number; outcome: Outcome }[] = []
        let taken: typeof given = []
        const flags = new Set<number>()
        for (const step of acts) {
          if (step.kind === 'answer') {
            answer(step.pair, step.outcome, who)
            given = [...given, step]
            taken = []
          } else if (step.kind === 'undo') {
            const last = given.at(-1)
            invariant(undo(who) === (last?.pair ?? null), 'undo takes back the last answer')
            if (last !== undefined) [given, taken] = [given.slice(0, -1), [...taken, last]]
          } else if (step.kind === 'redo') {
            const last = taken.at(-1)
            invariant(redo(who) === (last?.pair ?? null), 'redo restores what was undone last')
            if (last !== undefined) [given, taken] = [[...given, last], taken.slice(0, -1)]
          } else if (step.kind === 'flag') {
            setFlag(store.db, folder, { ...who, clientKey: key() }, `pair-${step.pair}`, step.flagged, 0)
            if (step.flagged) flags.add(step.pair)
            else flags.delete(step.pair)
          } else {
            restart()
          }
        }
        const inForce = new Map(given.map((entry) => [entry.pair, entry.outcome]))
        for (let pair = 0; pair < 6; pair += 1) expect(current(pair, who)).toBe(inForce.get(pair) ?? null)
        const skipped = [...inForce.values()].filter((outcome) => outcome === 'skip').length
        expect(readProgress(store.db, who)).toMatchObject({
          total: 12,
          answered: inForce.size - skipped,
          skipped,
          flagged: flags.size,
          canUndo: given.length > 0,
          canRedo: taken.length > 0,
        })
        expect(
          findNext(store.db, {
            ...who,
            only: 'unlabeled',
            found: null,
            fromIndex: 0,
            direction: 'forward',
            limit: 12,
            exclude: new Set(),
          }).matching,
        ).toBe(12 - inForce.size)
      }),
      { numRuns: 40 },
    )
    expect(compareWithJournal(store.db, folder, SET)).toEqual([])
  }, 120_000)
})
