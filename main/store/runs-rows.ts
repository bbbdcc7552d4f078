import type { ReadableDb } from './open.ts'

/** All that the index holds of one run. */
export interface RunRows {
  readonly run: unknown
  readonly metrics: readonly unknown[]
  readonly samples: readonly unknown[]
  readonly checkpoints: readonly unknown[]
}

/** Without the row numbers, which a rebuild gives anew, and without what is of the moment: place in the queue, process, size on the disk. */
export function readRunRows(db: ReadableDb, runId: string): RunRows {
  const of = (table: string, columns: string): unknown[] => db.prepare<[string]>(`SELECT ${columns} FROM ${table} JOIN runs USING (run_no) WHERE run_id = ? ORDER BY 1, 2, 3`).all(runId)
  const run = db.prepare<[string], object>('SELECT * FROM runs WHERE run_id = ?').get(runId)
  return {
    run: run === undefined ? null : { ...run, run_no: 0, queue_order: null, pid: null, pid_started: null, disk_bytes: 0 },
    metrics: db.prepare<[string]>('SELECT metric_names.name, metrics.branch, metrics.step, wall_ms, value, metrics.discarded FROM metrics JOIN runs USING (run_no) JOIN metric_names USING (name_no) WHERE run_id = ? ORDER BY 1, 2, 3').all(runId),
    samples: of('run_samples', 'run_samples.branch, run_samples.step, items, run_samples.discarded'),
    checkpoints: of('run_checkpoints', 'run_checkpoints.step, path, size_bytes, sha256, best, at_ms'),
  }
}
