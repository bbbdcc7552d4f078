import { isDeepStrictEqual } from 'node:util'
import { runSpec } from '../../../shared/run-spec.ts'
import type { ReadableDb } from './open.ts'
import type { Sliced } from './slices.ts'
import { storedJson } from './stored-json.ts'

const POINTS =
  'SELECT branch, step, wall_ms, value, discarded FROM metrics WHERE run_no = ? AND name_no = ? ORDER BY branch, step'
const SAMPLES = 'SELECT branch, step, items, discarded FROM run_samples WHERE run_no = ? ORDER BY branch, step, items'
const CHECKPOINTS =
  'SELECT step, path, size_bytes, sha256, best, at_ms FROM run_checkpoints WHERE run_no = ? ORDER BY step, path'
const ROWS_A_STEP = 500

/** Whether two databases hold the same of a run, but for the row numbers. Nothing may be written through either meanwhile: read snapshots. */
export function* sameRunRows(one: ReadableDb, other: ReadableDb, runId: string): Sliced<boolean> {
  if (!isDeepStrictEqual(readRun(one, runId), readRun(other, runId))) return false
  const [mine, theirs] = [placeOf(one, runId), placeOf(other, runId)]
  if (mine === null || theirs === null) return mine === theirs
  if (!isDeepStrictEqual([...mine.names.keys()], [...theirs.names.keys()])) return false
  for (const [name, nameNo] of mine.names) {
    const same = yield* sameRows(
      one.prepare<number[], unknown[]>(POINTS).raw().iterate(mine.runNo, nameNo),
      other
        .prepare<number[], unknown[]>(POINTS)
        .raw()
        .iterate(theirs.runNo, theirs.names.get(name) ?? -1),
    )
    if (!same) return false
  }
  for (const sql of [SAMPLES, CHECKPOINTS]) {
    if (
      !(yield* sameRows(
        one.prepare<number[], unknown[]>(sql).raw().iterate(mine.runNo),
        other.prepare<number[], unknown[]>(sql).raw().iterate(theirs.runNo),
      ))
    )
      return false
  }
  return true
}

function* sameRows(mine: IterableIterator<unknown[]>, theirs: IterableIterator<unknown[]>): Sliced<boolean> {
  try {
    for (let count = 1; ; count += 1) {
      const [here, there] = [mine.next(), theirs.next()]
      if (here.done === true || there.done === true) return here.done === there.done
      if (!isDeepStrictEqual(here.value, there.value)) return false
      if (count % ROWS_A_STEP === 0) yield
    }
  } finally {
    mine.return?.()
    theirs.return?.()
  }
}

/** A run's number in a database, and those of its metrics by name. */
function placeOf(
  db: ReadableDb,
  runId: string,
): { readonly runNo: number; readonly names: ReadonlyMap<string, number> } | null {
  const runNo = db.prepare<[string], number>('SELECT run_no FROM runs WHERE run_id = ?').pluck().get(runId)
  if (runNo === undefined) return null
  return {
    runNo,
    names: new Map(
      db
        .prepare<[number], [string, number]>(
          'SELECT name, name_no FROM metric_names WHERE EXISTS (SELECT 1 FROM metrics WHERE run_no = ? AND metrics.name_no = metric_names.name_no) ORDER BY name',
        )
        .raw()
        .all(runNo),
    ),
  }
}

/** Without what is of the moment: place in the queue, process, size on the disk. */
function readRun(db: ReadableDb, runId: string): unknown {
  const run = db.prepare<[string], { readonly spec: string }>('SELECT * FROM runs WHERE run_id = ?').get(runId)
  if (run === undefined) return null
  // As it is read today: a specification of an earlier version lacks what has a default since.
  const spec = storedJson(runSpec, run.spec, `the specification of ${runId}`)
  return { ...run, spec, run_no: 0, queue_order: null, pid: null, pid_started: null, disk_bytes: 0 }
}
