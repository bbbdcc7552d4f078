import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { foldEvents } from '../../main/app/runs/fold.ts'
import { summarizeRun } from '../../main/app/runs/summary.ts'
import { readSpec } from '../../main/base/run-folder/spec.ts'
import { createScratch, type WritableDb } from '../../main/app/store/open.ts'
import { insertRun, requireRun } from '../../main/app/store/runs.ts'
import type { TrainerEvent } from '../../main/base/run-folder/protocol.ts'
import { sayPhase } from '../../renderer/run/waiting-words.ts'
import { stateWord } from '../../shared/state-words.ts'
import { makeTinyRun } from '../support/tiny-run.ts'

let root: string
let db: WritableDb
let seq: number

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'pairlab-words-'))
  db = createScratch()
  insertRun(db, readSpec(makeTinyRun(root)), { methodName: 'SFT', mainMetric: null })
  seq = 0
})
afterEach(() => {
  db.close()
  rmSync(root, { recursive: true, force: true })
})

type Body = TrainerEvent extends infer E ? (E extends TrainerEvent ? Omit<E, 'seq' | 'atMs'> : never) : never

function say(...bodies: readonly Body[]): void {
  const events = bodies.map((body) => ({ seq: (seq += 1), atMs: seq, ...body }) as TrainerEvent)
  foldEvents(db, 'tiny-1', { events, offset: seq, damagedLines: 0 })
}

const run = () => requireRun(db, 'tiny-1')
const summary = () => summarizeRun(db, run())

function ready(resumedFromStep: number | null): void {
  say(
    { type: 'ready', protocolVersion: 1, engine: 'cpu', device: 'cpu', pid: 7, startedAtMs: 1, resumedFromStep },
    { type: 'warning', message: 'Many answers are cut.', hint: 'Raise the longest sequence.' },
    { type: 'phase', phase: 'training', done: null, total: null },
  )
}

test('what a process finds that the one before it found is said once', () => {
  ready(null)
  say({ type: 'done', outcome: 'interrupted', summary: {} })
  ready(0)
  say({ type: 'warning', message: 'Something new.', hint: '' })
  expect(run().warnings.map(({ message }) => message)).toEqual(['Many answers are cut.', 'Something new.'])
})

test('what a person stopped and had saved is stopped, not interrupted; once resumed it may be interrupted', () => {
  ready(null)
  say({ type: 'fact', facts: { stopped: true } }, { type: 'done', outcome: 'interrupted', summary: {} })
  expect(stateWord(summary())).toBe('stopped')
  ready(0)
  say({ type: 'done', outcome: 'interrupted', summary: {} })
  expect(stateWord(summary())).toBe('interrupted')
})

test('an evaluation is work in hand: on how much, and how far', () => {
  ready(null)
  say({ type: 'phase', phase: 'evaluating', done: null, total: null })
  expect(sayPhase(summary(), 'response-pairs')).toBe('Evaluating on held-out data')
  say({ type: 'phase', phase: 'evaluating', done: 79, total: 1197 })
  expect(summary()).toMatchObject({ state: 'evaluating', phase: 'evaluating' })
  expect(sayPhase(summary(), 'response-pairs')).toBe('Evaluating on 1,197 held-out pairs, 7 %')
  expect(sayPhase(summary(), 'rankings')).toBe('Evaluating on 1,197 held-out queries, 7 %')
  expect(sayPhase(summary(), 'segment-pairs')).toBe('Evaluating in 1,197 episodes, 7 %')
  say({ type: 'phase', phase: 'training', done: null, total: null })
  expect(summary()).toMatchObject({ phase: 'training', phaseProgress: null })
})
