import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { foldEvents } from '../../main/app/runs/fold.ts'
import { indexRun, reconcileRuns } from '../../main/app/runs/rebuild.ts'
import { readEvents } from '../../main/base/run-folder/events.ts'
import { readSpec } from '../../main/base/run-folder/spec.ts'
import { runPaths } from '../../main/base/run-folder/paths.ts'
import { summarizeRun } from '../../main/app/runs/summary.ts'
import { verifyRuns } from '../../main/app/runs/verify-runs.ts'
import { writeAppRecord } from '../../main/app/runs/app-record.ts'
import { createScratch, type WritableDb } from '../../main/app/store/open.ts'
import { insertRun, requireRun, updateRun } from '../../main/app/store/runs.ts'
import { atOnce } from '../../main/app/store/slices.ts'
import { makeTinyRun } from '../support/tiny-run.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const NIGHT = 8 * 60 * MINUTE
const NOON = Date.UTC(2026, 0, 5, 12)
const TITLE = { methodName: 'SFT', mainMetric: null }

let root: string
let folder: string
let db: WritableDb
let seq: number

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'pairlab-trained-'))
  folder = makeTinyRun(root)
  writeAppRecord(folder, { ...TITLE, note: '', ended: null })
  db = createScratch()
  insertRun(db, readSpec(folder), TITLE)
  seq = 0
})
afterEach(() => {
  db.close()
  rmSync(root, { recursive: true, force: true })
})

/** Writes an event and folds it at once, as while the run is followed. */
function say(atMs: number, body: Readonly<Record<string, unknown>>): void {
  seq += 1
  appendFileSync(runPaths(folder).events, `${JSON.stringify({ seq, atMs, ...body })}\n`)
  foldEvents(db, 'tiny-1', readEvents(runPaths(folder).events, requireRun(db, 'tiny-1').cursorOffset))
}

/** A process that starts, is ready two seconds later, and then gives a sign of life every `everyMs`. @returns when the last one was */
function session(startMs: number, signs: number, everyMs = 2 * SECOND): number {
  const readyMs = startMs + 2 * SECOND
  say(readyMs, {
    type: 'ready',
    protocolVersion: 1,
    engine: 'cpu',
    device: 'cpu',
    pid: 7,
    startedAtMs: startMs,
    resumedFromStep: null,
  })
  say(readyMs, { type: 'phase', phase: 'training', done: null, total: null })
  for (let sign = 1; sign <= signs; sign += 1) say(readyMs + sign * everyMs, heartbeat(sign))
  return readyMs + signs * everyMs
}

const heartbeat = (step: number): Record<string, unknown> => ({
  type: 'heartbeat',
  step,
  totalSteps: 8,
  stepsPerSec: 1,
  rssBytes: 1,
  tensorCount: 1,
})
const done = (outcome: string): Record<string, unknown> => ({ type: 'done', outcome, summary: {} })
const failure = (rest: object = {}): Record<string, unknown> => ({
  type: 'failed',
  error: { code: 'engine-unavailable', message: 'No engine.', hint: 'Add one.' },
  ...rest,
})

const took = (of = db): number | null => summarizeRun(of, requireRun(of, 'tiny-1')).trainedMs

/** The same from the folder alone, and to `pairlab verify`. */
async function expectEverywhere(ms: number | null): Promise<void> {
  expect(took()).toBe(ms)
  const fresh = createScratch()
  try {
    expect(indexRun(fresh, path.dirname(folder), 'tiny-1', () => undefined)).toBe(true)
    const [read, followed] = [requireRun(fresh, 'tiny-1'), requireRun(db, 'tiny-1')]
    expect([read.trainedMs, read.trainedToMs]).toEqual([followed.trainedMs, followed.trainedToMs])
  } finally {
    fresh.close()
  }
  const differences: string[] = []
  for await (const { trouble } of verifyRuns(db, path.dirname(folder)))
    if (trouble.includes('say different things')) differences.push(trouble)
  expect(differences).toEqual([])
}

/** What the app writes of an end that the process could not tell. */
function bury(atMs: number): void {
  const ended = { state: 'lost', atMs, error: null } as const
  writeAppRecord(folder, { ...TITLE, note: '', ended: { ...ended, afterSeq: seq } })
  updateRun(db, 'tiny-1', { state: ended.state, error: null, endedAtMs: atMs, phase: 'ended' })
}

describe('the time that a run took', () => {
  test('is from the start of its process to its end', async () => {
    const lastMs = session(NOON, 10)
    say(lastMs + SECOND, done('finished'))
    await expectEverywhere(23 * SECOND)
  })

  test('is unknown before the first process is ready', () => {
    expect(took()).toBeNull()
    say(NOON, failure({ beforeReady: true }))
    expect(took()).toBeNull()
  })

  test('leaves out every pause', async () => {
    let startMs = NOON
    for (const pauseMs of [SECOND, MINUTE, NIGHT]) {
      const lastMs = session(startMs, 4)
      say(lastMs, done('interrupted'))
      startMs = lastMs + pauseMs
    }
    say(session(startMs, 4), done('finished'))
    await expectEverywhere(4 * 10 * SECOND)
  })

  test('of a crashed run ends with its last sign of life, whenever that was found out', async () => {
    const lastMs = session(NOON, 4)
    bury(lastMs + NIGHT)
    await expectEverywhere(10 * SECOND)
    say(session(lastMs + 2 * NIGHT, 1), done('finished'))
    await expectEverywhere(14 * SECOND)
  })

  test('does not count the pause for a process that failed before it was ready', async () => {
    const lastMs = session(NOON, 4)
    bury(lastMs)
    say(lastMs + NIGHT, failure({ beforeReady: true }))
    await expectEverywhere(10 * SECOND)
    say(session(lastMs + 2 * NIGHT, 4), done('interrupted'))
    say(lastMs + 3 * NIGHT, failure()) // as earlier versions wrote it
    await expectEverywhere(20 * SECOND)
  })

  test('never shrinks when the clock is set back, within a process and between two', async () => {
    let lastMs = session(NOON, 4)
    for (const [at, backMs] of [MINUTE, NIGHT, 40 * NIGHT].entries()) {
      say(lastMs - backMs, heartbeat(5 + at))
      expect(took()).toBeGreaterThanOrEqual(10 * SECOND)
      lastMs -= backMs
    }
    say(lastMs + 2 * SECOND, done('interrupted'))
    await expectEverywhere(12 * SECOND)
    say(session(NOON - 1000 * NIGHT, 4), done('finished'))
    await expectEverywhere(22 * SECOND)
  })

  test('of a silent run that speaks again has the silence in it: it was at work', async () => {
    const lastMs = session(NOON, 4)
    bury(lastMs + MINUTE)
    say(lastMs + 2 * MINUTE, heartbeat(5))
    say(lastMs + 2 * MINUTE, done('interrupted'))
    await expectEverywhere(10 * SECOND + 2 * MINUTE)
  })

  test('counts to now while it runs, and not while the next process is still starting', () => {
    session(Date.now() - MINUTE, 4) // its last word was 50 seconds ago
    expect(took()).toBeGreaterThanOrEqual(MINUTE)
    updateRun(db, 'tiny-1', { state: 'queued', phase: 'queued' })
    expect(took()).toBe(10 * SECOND)
    updateRun(db, 'tiny-1', { state: 'starting', phase: 'starting' })
    expect(took()).toBe(10 * SECOND)
  })

  test('of a live run is not negative where its clock is ahead', () => {
    session(Date.now() + NIGHT, 4)
    expect(took()).toBe(10 * SECOND)
  })

  test('is read from the log for rows that an earlier version wrote, and the rest of them stays', () => {
    say(session(NOON, 4), done('interrupted'))
    updateRun(db, 'tiny-1', {
      state: 'queued',
      phase: 'queued',
      queueOrder: 4,
      endedAtMs: null,
      trainedMs: null,
      trainedToMs: null,
    })
    const before = requireRun(db, 'tiny-1')
    expect(took()).toBeNull()
    atOnce(
      reconcileRuns(db, path.dirname(folder), {
        warn: (text, details) => {
          throw new Error(text, { cause: details })
        },
        onRead: () => undefined,
      }),
    )
    expect(requireRun(db, 'tiny-1')).toEqual({ ...before, trainedMs: 10 * SECOND, trainedToMs: null })
  })
})
