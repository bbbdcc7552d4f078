// Two people at twelve pairs, anew for each test.
import { rmSync } from 'node:fs'
import { afterEach, beforeEach, expect } from 'vitest'
import { addAnnotator } from '../../main/app/store/annotators.ts'
import { addAnswer, redoAnswer, undoAnswer } from '../../main/app/store/labels.ts'
import { findNext, type QueueQuery } from '../../main/app/store/labels-index.ts'
import { readCurrent } from '../../main/app/store/labels-read.ts'
import { reconcileJournals } from '../../main/app/store/labels-reconcile.ts'
import { openStore, type Store } from '../../main/app/store/open.ts'
import type { Outcome } from '../../shared/data-kinds.ts'
import { addDataset, temporaryFolder } from './filled-store.ts'

export const SET = 'set'

export const eva = { datasetId: SET, annotatorId: 'Eva' }

export let folder: string

export let store: Store

let keys = 0

/** The store alone, as it lies there. */
export function reopen(): void {
  store = openStore(folder)
}

export function restart(): void {
  store.close()
  reopen()
  expect(reconcileJournals(store.db, folder)).toEqual([])
}

export function answer(pair: number, outcome: Outcome, who = eva, durationMs = 1000): number {
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

export const key = (): string => `client-key-${(keys += 1)}`

export const undo = (who = eva): number | null =>
  undoAnswer(store.db, folder, { ...who, clientKey: key() }, 0)?.pairIndex ?? null

export const redo = (who = eva): number | null =>
  redoAnswer(store.db, folder, { ...who, clientKey: key() }, 0)?.pairIndex ?? null

export const current = (pair: number, who = eva): Outcome | null =>
  readCurrent(store.db, SET, who.annotatorId, pair)?.outcome ?? null

export function queue(only: QueueQuery['only'], more: Partial<QueueQuery> = {}): number[] {
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

/** A store for each test of the file. */
export function withDesk(): void {
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
}
