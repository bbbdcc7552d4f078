import fc from 'fast-check'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
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

const value = fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0), { freq: 5 }) // no line of JSON holds −0
const table = fc.record({ from: fc.nat(12), names: fc.subarray(['loss', 'eval/loss', 'eval/return', 'grad_norm'], { minLength: 1 }), rows: fc.array(fc.array(value, { minLength: 4, maxLength: 4 }), { minLength: 1, maxLength: 5 }) })
const anyEvent = fc.oneof({ weight: 5, arbitrary: fc.record({ table }) }, { weight: 1, arbitrary: fc.record({ back: fc.option(fc.nat(12)) }) })

function toEvent(drawn: { table: { from: number; names: string[]; rows: (number | null)[][] } } | { back: number | null }, seq: number): TrainerEvent {
  const stamp = { seq, atMs: seq }
  if ('back' in drawn) return { ...stamp, type: 'ready', protocolVersion: 1, engine: 'cpu', device: 'cpu', pid: 1, startedAtMs: 0, resumedFromStep: drawn.back }
  const { from, names, rows } = drawn.table
  const columns = Object.fromEntries(names.map((name, at) => [name, rows.map((row) => row[at] ?? null)]))
  return { ...stamp, type: 'metrics', columns: { step: rows.map((_, at) => from + at), wallMs: rows.map((_, at) => seq + at), ...columns } }
}

test('whatever a log holds, and however it is told in pieces, the live curves are those of the index', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'pairlab-live-'))
  const spec = readSpec(makeTinyRun(folder))
  const db = createScratch()
  try {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 12 }), fc.infiniteStream(fc.nat(3)), fc.nat(12), (drawn, pieces, asked) => {
        deleteRun(db, 'tiny-1')
        insertRun(db, spec, { methodName: 'SFT', mainMetric: null })
        const read = (): FetchedCurves => {
          const run = requireRun(db, 'tiny-1')
          return { upTo: run.cursorSeq, series: readSeries(db, run.runNo, [], 100_000) }
        }
        const events = drawn.map((one, at) => toEvent(one, at + 1))
        const live = new LiveCurves()
        let answer: FetchedCurves | null = null
        for (let at = 0; at < events.length; ) {
          const batch = events.slice(at, at + 1 + (pieces.next().value as number)) // the stream does not end
          at += batch.length
          live.take(foldEvents(db, 'tiny-1', { events: batch, offset: at, damagedLines: 0 }).curves)
          if (answer === null && at >= asked) answer = read()
          else if (answer !== null) live.over(answer)
        }
        const now = read()
        expect(everyPoint(live.over(answer ?? now))).toEqual(everyPoint(toCurves(now.series)))
        for (const { step } of now.series) expect(step).toEqual([...new Set(step)].toSorted((a, b) => a - b))
      }),
      { numRuns: 150 },
    )
  } finally {
    db.close()
    rmSync(folder, { recursive: true, force: true })
  }
})
