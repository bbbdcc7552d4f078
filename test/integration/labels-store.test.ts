import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { addAnnotator } from '../../main/app/store/annotators.ts'
import { hideDataset, summarizeDataset } from '../../main/app/store/datasets.ts'
import { journalPath } from '../../main/app/store/datasets-folder.ts'
import { discardRows } from '../../main/app/store/imports.ts'
import {
  addAnswer,
  drawShownOrder,
  insertImportedLabels,
  readProgress,
  redoAnswer,
  setFlag,
  undoAnswer,
} from '../../main/app/store/labels.ts'
import { findNext, type QueueQuery } from '../../main/app/store/labels-index.ts'
import { countHabits, readAnswersOf, readCurrent, readHistory } from '../../main/app/store/labels-read.ts'
import { compareWithJournal, reconcileJournals } from '../../main/app/store/labels-reconcile.ts'
import { atOnce } from '../../main/app/store/slices.ts'
import { openStore, type Store } from '../../main/app/store/open.ts'
import { invariant } from '../../shared/assert.ts'
import type { Outcome } from '../../shared/data-kinds.ts'
import { addDataset, temporaryFolder } from '../support/filled-store.ts'

const SET = 'set'
const eva = { datasetId: SET, annotatorId: 'Eva' }
let folder: string
let store: Store
let keys = 0

beforeEach(() => {
  folder = temporaryFolder()
  store = openStore(folder)
  addAnnotator(store.db, 'Eva', 1)
  addAnnotator(store.db, 'Tom', 2)
  addDataset(store.db, folder, SET, 12)
})
afterEach(() => {
  store.close()
  rmSync(folder, { recursive: true })
})

function restart(): void {
  store.close()
  store = openStore(folder)
  expect(reconcileJournals(store.db, folder)).toEqual([])
}

function answer(pair: number, outcome: Outcome, who = eva, durationMs = 1000): number {
  keys += 1
  return addAnswer(
    store.db,
    folder,
    {
      ...who,
      pairId: `pair-${pair}`,
      outcome,
      strength: null,
      comment: '',
      shownOrder: 'ab',
      durationMs,
      clientKey: `client-key-${keys}`,
    },
    keys,
  )
}
const key = (): string => `client-key-${(keys += 1)}`
const undo = (who = eva): number | null =>
  undoAnswer(store.db, folder, { ...who, clientKey: key() }, 0)?.pairIndex ?? null
const redo = (who = eva): number | null =>
  redoAnswer(store.db, folder, { ...who, clientKey: key() }, 0)?.pairIndex ?? null
const current = (pair: number, who = eva): Outcome | null =>
  readCurrent(store.db, SET, who.annotatorId, pair)?.outcome ?? null

function queue(only: QueueQuery['only'], more: Partial<QueueQuery> = {}): number[] {
  return findNext(store.db, {
    ...eva,
    only,
    found: null,
    fromIndex: 0,
    direction: 'forward',
    limit: 20,
    exclude: new Set(),
    ...more,
  }).indexes
}

describe('answers', () => {
  test('a correction is added, the first answer stays in the log', () => {
    const first = answer(0, 'a')
    const second = answer(0, 'b')
    expect(current(0)).toBe('b')
    expect(
      atOnce(readHistory(store.db, SET, 'Eva', 10, 0)).events.map((event) => [
        event.labelId,
        event.outcome,
        event.inForce,
      ]),
    ).toEqual([
      [second, 'b', true],
      [first, 'a', false],
    ])
  })

  test('the same key twice adds nothing; for another answer it is refused', () => {
    const given = {
      ...eva,
      pairId: 'pair-1',
      outcome: 'a',
      strength: 'clearly',
      comment: 'shorter',
      shownOrder: 'ba',
      durationMs: 5,
      clientKey: 'the-same-key',
    } as const
    const labelId = addAnswer(store.db, folder, given, 1)
    expect(addAnswer(store.db, folder, given, 2)).toBe(labelId)
    expect(atOnce(readHistory(store.db, SET, 'Eva', 10, 0)).total).toBe(1)
    expect(() => addAnswer(store.db, folder, { ...given, outcome: 'b' }, 3)).toThrow(
      expect.objectContaining({ code: 'label-conflict' }),
    )
  })

  test('nobody labels in a name that came with a file, an unknown name, or an unknown pair', () => {
    insertImportedLabels(
      store.db,
      folder,
      SET,
      [{ pairIndex: 0, annotator: 'annotator1', outcome: 'a', strength: null }],
      1,
    )
    expect(() => answer(0, 'a', { datasetId: SET, annotatorId: 'annotator1' })).toThrow(
      expect.objectContaining({ code: 'forbidden' }),
    )
    expect(() => answer(0, 'a', { datasetId: SET, annotatorId: 'nobody' })).toThrow(
      expect.objectContaining({ code: 'not-found' }),
    )
    expect(() => answer(99, 'a')).toThrow(expect.objectContaining({ code: 'not-found' }))
  })

  test('no statement changes or removes an event while its data set is there', () => {
    answer(0, 'a')
    expect(() => store.db.exec("UPDATE label_events SET outcome = 'b'")).toThrow(/only ever added/)
    expect(() => store.db.exec('DELETE FROM label_events')).toThrow(/only ever added/)
    hideDataset(store.db, SET)
    for (const _ of discardRows(store.db, SET)) expect(store.db.inTransaction).toBe(false)
    expect(store.db.prepare('SELECT count(*) FROM label_events').pluck().get()).toBe(0)
  })
})

describe('undo and redo', () => {
  test('reach over the whole history and survive a restart', () => {
    for (let pair = 0; pair < 5; pair += 1) answer(pair, 'a')
    restart()
    expect([undo(), undo(), undo()]).toEqual([4, 3, 2])
    restart()
    expect([undo(), undo(), undo()]).toEqual([1, 0, null])
    expect(readProgress(store.db, eva)).toMatchObject({ answered: 0, canUndo: false, canRedo: true })
    restart()
    expect([redo(), redo(), redo(), redo(), redo(), redo()]).toEqual([0, 1, 2, 3, 4, null])
    expect(readProgress(store.db, eva)).toMatchObject({ answered: 5, canUndo: true, canRedo: false })
  })

  test('undoing a correction brings the first answer back', () => {
    answer(0, 'a')
    answer(0, 'b')
    undo()
    expect(current(0)).toBe('a')
    redo()
    expect(current(0)).toBe('b')
  })

  test('a new answer ends what could be redone, and only for the one who gave it', () => {
    const tom = { datasetId: SET, annotatorId: 'Tom' }
    answer(0, 'a')
    undo()
    answer(1, 'b', tom)
    expect(readProgress(store.db, eva).canRedo).toBe(true)
    answer(2, 'a')
    expect([redo(), current(0), undo(), undo()]).toEqual([null, null, 2, null])
    expect(current(1, tom)).toBe('b')
  })
})

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

describe('the queue', () => {
  test('gives the next pairs in order, goes round once, and leaves out what is in hand', () => {
    answer(3, 'a')
    answer(4, 'skip')
    expect(queue('unlabeled', { limit: 3, fromIndex: 2 })).toEqual([2, 5, 6])
    expect(queue('unlabeled', { limit: 4, fromIndex: 10 })).toEqual([10, 11, 0, 1])
    expect(queue('unlabeled', { limit: 4, fromIndex: 5, direction: 'back' })).toEqual([5, 2, 1, 0])
    expect(queue('unlabeled', { limit: 3, fromIndex: 2, exclude: new Set([2, 6]) })).toEqual([5, 7, 8])
    expect(queue('all', { limit: 2, fromIndex: 99 })).toEqual([0, 1])
  })

  test('filters', () => {
    const tom = { datasetId: SET, annotatorId: 'Tom' }
    answer(0, 'a')
    answer(1, 'tie')
    answer(2, 'skip')
    answer(3, 'b')
    answer(0, 'a', tom)
    answer(1, 'a', tom)
    answer(2, 'a', tom)
    setFlag(store.db, folder, { ...eva, clientKey: key() }, 'pair-7', true, 0)
    expect({
      labeled: queue('labeled'),
      ties: queue('ties'),
      skipped: queue('skipped'),
      flagged: queue('flagged'),
      disagreement: queue('disagreement'),
    }).toEqual({ labeled: [0, 1, 3], ties: [1], skipped: [2], flagged: [7], disagreement: [1] })
    expect(queue('unlabeled', { found: [5, 3, 11] })).toEqual([5, 11])
    expect(queue('all', { found: [] })).toEqual([])
    store.close()
    store = openStore(folder)
    expect(queue('disagreement')).toEqual([1])
  })

  test('the side a pair is shown on is drawn once and differs between pairs and people', () => {
    const orders = Array.from({ length: 400 }, (_, index) => drawShownOrder({ shownSeed: 's' }, 'Eva', `pair-${index}`))
    expect(
      Array.from({ length: 400 }, (_, index) => drawShownOrder({ shownSeed: 's' }, 'Eva', `pair-${index}`)),
    ).toEqual(orders)
    expect(
      Array.from({ length: 400 }, (_, index) => drawShownOrder({ shownSeed: 's' }, 'Tom', `pair-${index}`)),
    ).not.toEqual(orders)
    const left = orders.filter((order) => order === 'ab').length
    expect(left).toBeGreaterThan(150)
    expect(left).toBeLessThan(250)
  })
})

describe('numbers', () => {
  test('pace is the median of the last answers', () => {
    ;[100, 300, 200, 5000].forEach((durationMs, pair) => answer(pair, 'a', eva, durationMs))
    expect(readProgress(store.db, eva)).toMatchObject({ paceMs: 250, remainingMs: 250 * 8 })
    for (let count = 0; count < 50; count += 1) answer(5, 'a', eva, 10)
    expect(readProgress(store.db, eva).paceMs).toBe(10)
  })

  test('habits count sides as they were shown, and lengths where they differ', () => {
    answer(0, 'a') // longer, left
    answer(1, 'b') // longer, right
    answer(3, 'b') // shorter, right
    answer(4, 'tie')
    expect(atOnce(countHabits(store.db, SET, 'Eva'))).toEqual({ left: { wins: 1, n: 3 }, longer: { wins: 2, n: 3 } })
  })

  test('a data set adds up the answers in force of everybody', () => {
    const dataset = { ...addDataset(store.db, folder, 'other', 4) }
    insertImportedLabels(
      store.db,
      folder,
      'other',
      [
        { pairIndex: 0, annotator: 'annotator1', outcome: 'a', strength: null },
        { pairIndex: 0, annotator: 'annotator2', outcome: 'b', strength: 'far' },
        { pairIndex: 1, annotator: 'annotator1', outcome: 'skip', strength: null },
      ],
      7,
    )
    expect(summarizeDataset(store.db, dataset)).toMatchObject({
      labeledCount: 1,
      labelCount: 2,
      annotators: ['annotator1', 'annotator2'],
    })
    expect(readAnswersOf(store.db, 'other', 0)).toEqual([
      { annotatorId: 'annotator1', outcome: 'a', strength: null },
      { annotatorId: 'annotator2', outcome: 'b', strength: 'far' },
    ])
  })
})

describe('the journal', () => {
  test('holds every event as the database does', () => {
    answer(0, 'a')
    answer(1, 'tie')
    undo()
    redo()
    setFlag(store.db, folder, { ...eva, clientKey: key() }, 'pair-3', true, 9)
    expect(compareWithJournal(store.db, folder, SET)).toEqual([])
    const kinds = readFileSync(journalPath(folder, SET), 'utf8')
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { kind: string }).kind)
    expect(kinds).toEqual(['answer', 'answer', 'undo', 'redo', 'flag'])
  })

  test('is caught up with the database after a death between the two, half a line included', () => {
    answer(0, 'a')
    answer(1, 'b')
    const text = readFileSync(journalPath(folder, SET), 'utf8')
    store.close()
    writeFileSync(journalPath(folder, SET), text.slice(0, text.length - 20))
    store = openStore(folder)
    expect(reconcileJournals(store.db, folder)).toEqual([{ datasetId: SET, replayed: 0, problems: [], caughtUp: true }])
    expect(readFileSync(journalPath(folder, SET), 'utf8')).toBe(text)
  })

  test('gives back what an older database lacks', () => {
    answer(0, 'a')
    store.close()
    const older = readFileSync(`${folder}/app.sqlite`)
    store = openStore(folder)
    addAnnotator(store.db, 'Ann', 3)
    answer(0, 'b')
    undo()
    answer(2, 'tie', { datasetId: SET, annotatorId: 'Ann' })
    store.close()
    writeFileSync(`${folder}/app.sqlite`, older)
    store = openStore(folder)
    expect(reconcileJournals(store.db, folder)).toEqual([
      { datasetId: SET, replayed: 3, problems: [], caughtUp: false },
    ])
    expect([current(0), current(2, { datasetId: SET, annotatorId: 'Ann' })]).toEqual(['a', 'tie'])
    expect(compareWithJournal(store.db, folder, SET)).toEqual([])
  })

  test('a foreign line in it is named, not obeyed', () => {
    answer(0, 'a')
    appendFileSync(journalPath(folder, SET), '{"labelId":"x"}\n')
    expect(compareWithJournal(store.db, folder, SET)).toEqual([expect.stringContaining('journal line 2')])
  })
})
