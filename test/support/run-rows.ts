import path from 'node:path'
import { rebuildIndex } from '../../main/app/runs/rebuild.ts'
import { openStore } from '../../main/app/store/open.ts'

export interface RunRows {
  readonly runs: readonly unknown[]
  readonly metrics: readonly unknown[]
  readonly samples: readonly unknown[]
  readonly checkpoints: readonly unknown[]
}

/**
 * What the index holds of all runs, by run id and without row numbers, which a rebuild gives anew. Only while no app
 * has the folder.
 */
export function readRunsForTest(dataFolder: string, first?: 'rebuild'): RunRows {
  const { db, close } = openStore(dataFolder)
  try {
    if (first === 'rebuild') {
      db.exec('DELETE FROM runs')
      rebuildIndex(db, path.join(dataFolder, 'runs'), (text, details) => {
        throw new Error(text, { cause: details })
      })
    }
    const of = (table: string, columns: string): unknown[] =>
      db.prepare(`SELECT run_id, ${columns} FROM ${table} JOIN runs USING (run_no) ORDER BY 1, 2, 3, 4`).all()
    return {
      runs: db
        .prepare('SELECT * FROM runs ORDER BY run_id')
        .all()
        .map((row) => ({ ...(row as object), run_no: 0 })),
      metrics: db
        .prepare(
          'SELECT run_id, metric_names.name, metrics.branch, metrics.step, wall_ms, value, metrics.discarded FROM metrics JOIN runs USING (run_no) JOIN metric_names USING (name_no) ORDER BY 1, 2, 3, 4',
        )
        .all(),
      samples: of('run_samples', 'run_samples.branch, run_samples.step, items, run_samples.discarded'),
      checkpoints: of('run_checkpoints', 'run_checkpoints.step, path, size_bytes, sha256, best, at_ms'),
    }
  } finally {
    close()
  }
}
