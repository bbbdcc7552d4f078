import fc from 'fast-check'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { createEventBus } from '../../main/app/events.ts'
import { runBytes } from '../../main/app/runs/summary.ts'
import { createSupervisor } from '../../main/app/runs/supervisor.ts'
import { foldEvents } from '../../main/app/runs/fold.ts'
import { readSpec } from '../../main/base/run-folder/spec.ts'
import type { TrainerEvent } from '../../main/base/run-folder/protocol.ts'
import { readSeries } from '../../main/app/store/metrics.ts'
import { createScratch } from '../../main/app/store/open.ts'
import { deleteRun, insertRun, requireRun } from '../../main/app/store/runs.ts'
import { LiveCurves } from '../../renderer/run/live-curves.ts'
import { toCurves } from '../../renderer/run/run-series.ts'
import { everyPoint } from '../support/every-point.ts'
import type { FetchedCurves } from '../../shared/contract/runs.ts'
import { makeTinyRun } from '../support/tiny-run.ts'

const value = fc.option(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
  { freq: 5 },
) // no line of JSON holds −0
const table = fc.record({
  from: fc.nat(12),
  names: fc.subarray(['loss', 'eval/loss', 'eval/return', 'grad_norm'], { minLength: 1 }),
  rows: fc.array(fc.array(value, { minLength: 4, maxLength: 4 }), { minLength: 1, maxLength: 5 }),
})
const anyEvent = fc.oneof(
  { weight: 5, arbitrary: fc.record({ table }) },
  { weight: 1, arbitrary: fc.record({ back: fc.option(fc.nat(12)) }) },
)

function toEvent(
  drawn: { table: { from: number; names: string[]; rows: (number | null)[][] } } | { back: number | null },
  seq: number,
): TrainerEvent {
  const stamp = { seq, atMs: seq }
  if ('back' in drawn)
    return {
      ...stamp,
      type: 'ready',
      protocolVersion: 1,
      engine: 'cpu',
      device: 'cpu',
      pid: 1,
      startedAtMs: 0,
      resumedFromStep: drawn.back,
    }
  const { from, names, rows } = drawn.table
  const columns = Object.fromEntries(names.map((name, at) => [name, rows.map((row) => row[at] ?? null)]))
  return {
    ...stamp,
    type: 'metrics',
    columns: { step: rows.map((_, at) => from + at), wallMs: rows.map((_, at) => seq + at), ...columns },
  }
}

test('whatever a log holds, and however it is told in pieces, the live curves are those of the index', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'pairlab-live-'))
  const spec = readSpec(makeTinyRun(folder))
  const db = createScratch()
  try {
    fc.assert(
      fc.property(
        fc.array(anyEvent, { maxLength: 12 }),
        fc.infiniteStream(fc.nat(3)),
        fc.nat(12),
        (drawn, pieces, asked) => {
          deleteRun(db, 'tiny-1')
          insertRun(db, spec, { methodName: 'SFT', mainMetric: null })
          const read = (): FetchedCurves => {
            const run = requireRun(db, 'tiny-1')
            return { upTo: run.cursorSeq, series: readSeries(db, run.runNo, [], 100_000) }
          }
          const events = drawn.map((one, at) => toEvent(one, at + 1))
          const live = new LiveCurves()
          let answer: FetchedCurves | null = null
          for (let at = 0; at < events.length;) {
            const batch = events.slice(at, at + 1 + (pieces.next().value as number)) // the stream does not end
            at += batch.length
            live.take(foldEvents(db, 'tiny-1', { events: batch, offset: at, damagedLines: 0 }).curves)
            if (answer === null && at >= asked) answer = read()
            else if (answer !== null) live.over(answer)
          }
          const now = read()
          expect(everyPoint(live.over(answer ?? now))).toEqual(everyPoint(toCurves(now.series)))
          for (const { step } of now.series) expect(step).toEqual([...new Set(step)].toSorted((a, b) => a - b))
        },
      ),
      { numRuns: 150 },
    )
  } finally {
    db.close()
    rmSync(folder, { recursive: true, force: true })
  }
})

/** Two readings of the log: a megabyte apart. */
test.each([
  [
    'what comes after it cannot be taken in',
    "CREATE TEMP TRIGGER stop BEFORE INSERT ON main.metrics WHEN NEW.step = 2 BEGIN SELECT RAISE(FAIL, 'refused'); END",
    [1],
  ],
  [
    'what the run keeps on the disk cannot be written down, which goes with the checkpoint that is read with it',
    "CREATE TEMP TRIGGER stop BEFORE UPDATE OF disk_bytes ON main.runs BEGIN SELECT RAISE(FAIL, 'refused'); END",
    [],
  ],
])('what was taken in is told, no more and no less, though %s', (_what, trigger, expected) => {
  const root = mkdtempSync(path.join(tmpdir(), 'pairlab-told-'))
  const db = createScratch()
  try {
    const spec = readSpec(makeTinyRun(path.join(root, 'made')))
    insertRun(db, spec, { methodName: 'SFT', mainMetric: null })
    const folder = path.join(root, 'runs', spec.runId)
    mkdirSync(folder, { recursive: true })
    const stamp = (seq: number): { seq: number; atMs: number } => ({ seq, atMs: seq })
    const table = (seq: number): TrainerEvent => ({
      ...stamp(seq),
      type: 'metrics',
      columns: { step: [seq], loss: [seq / 8] },
    })
    const long: TrainerEvent = {
      ...stamp(3),
      type: 'sample',
      step: 1,
      items: [
        {
          promptIndex: 0,
          pairId: 'p',
          prompt: 'x'.repeat(1_100_000),
          completion: '',
          tokens: 1,
          reward: null,
          logRatio: null,
        },
      ],
    }
    const checkpoint: TrainerEvent = {
      ...stamp(4),
      type: 'checkpoint',
      step: 1,
      path: 'checkpoints/1',
      sizeBytes: 1,
      sha256: 'a',
      best: false,
    }
    writeFileSync(
      path.join(folder, 'events.jsonl'),
      [table(1), long, checkpoint].map((event) => `${JSON.stringify(event)}\n`).join('') +
        `${JSON.stringify({ ...table(2), seq: 5 })}\n`,
    )
    const told: number[] = []
    const events = createEventBus()
    events.subscribe((event) => {
      if (event.name === 'run.metrics')
        told.push(...(event.payload as { changes: { seq: number }[] }).changes.map(({ seq }) => seq)) // by its name
    })
    const supervisor = createSupervisor({
      db,
      runsFolder: path.join(root, 'runs'),
      worker: { execPath: process.execPath, args: [] },
      audience: events,
      log: { info: () => undefined, warn: () => undefined },
    })
    supervisor.attach(spec.runId)
    db.exec(trigger)
    supervisor.poll()
    expect(told).toEqual(expected)
    const taken = readSeries(db, requireRun(db, spec.runId).runNo, ['loss'], 9).flatMap(({ step }) => step)
    expect(taken).toHaveLength(expected.length)
  } finally {
    db.close()
    rmSync(root, { recursive: true, force: true })
  }
})

test('a run that ends in the moment in which the app dies is counted whole', () => {
  const root = mkdtempSync(path.join(tmpdir(), 'pairlab-dies-'))
  const db = createScratch()
  try {
    const spec = readSpec(makeTinyRun(path.join(root, 'made')))
    insertRun(db, spec, { methodName: 'SFT', mainMetric: null })
    const folder = path.join(root, 'runs', spec.runId)
    mkdirSync(folder, { recursive: true })
    const events: TrainerEvent[] = [
      { seq: 1, atMs: 1, type: 'metrics', columns: { step: [1], loss: [2] } },
      { seq: 2, atMs: 2, type: 'done', outcome: 'finished', summary: {} },
    ]
    writeFileSync(path.join(folder, 'events.jsonl'), events.map((event) => `${JSON.stringify(event)}\n`).join(''))
    db.exec("UPDATE runs SET state = 'training'")
    const supervisor = createSupervisor({
      db,
      runsFolder: path.join(root, 'runs'),
      worker: { execPath: process.execPath, args: [] },
      // What is told first never comes to its end.
      audience: {
        emit() {
          throw new RangeError('the app dies here')
        },
      },
      log: { info: () => undefined, warn: () => undefined },
    })
    supervisor.attach(spec.runId)
    supervisor.poll()
    expect(requireRun(db, spec.runId)).toMatchObject({ state: 'finished', diskBytes: runBytes(folder) })
    expect(runBytes(folder)).toBeGreaterThan(100)
  } finally {
    db.close()
    rmSync(root, { recursive: true, force: true })
  }
})
