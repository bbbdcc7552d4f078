import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { addAnnotator } from '../../main/app/store/annotators.ts'
import { hideDataset, summarizeDataset } from '../../main/app/store/datasets.ts'
import { journalPath } from '../../main/app/store/datasets-folder.ts'
import { discardRows } from '../../main/app/store/imports.ts'
import { addAnswer, drawShownOrder, insertImportedLabels, readProgress, setFlag } from '../../main/app/store/labels.ts'
import { countHabits, readAnswersOf, readHistory } from '../../main/app/store/labels-read.ts'
import { compareWithJournal, reconcileJournals } from '../../main/app/store/labels-reconcile.ts'
import { atOnce } from '../../main/app/store/slices.ts'
import { addDataset } from '../support/filled-store.ts'
import { answer, current, eva, folder, key, queue, redo, restart, SET, store, undo } from '../support/labels-desk.ts'
import { reopen, withDesk } from '../support/labels-desk.ts'

withDesk()

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
    reopen()
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
      { annotatorId: 'annotator1', outcome: 'a', strength: null, comment: '' },
      { annotatorId: 'annotator2', outcome: 'b', strength: 'far', comment: '' },
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
    reopen()
    expect(reconcileJournals(store.db, folder)).toEqual([{ datasetId: SET, replayed: 0, problems: [], caughtUp: true }])
    expect(readFileSync(journalPath(folder, SET), 'utf8')).toBe(text)
  })

  test('gives back what an older database lacks', () => {
    answer(0, 'a')
    store.close()
    const older = readFileSync(`${folder}/app.sqlite`)
    reopen()
    addAnnotator(store.db, 'Ann', 3)
    answer(0, 'b')
    undo()
    answer(2, 'tie', { datasetId: SET, annotatorId: 'Ann' })
    store.close()
    writeFileSync(`${folder}/app.sqlite`, older)
    reopen()
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
