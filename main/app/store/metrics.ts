import type { Series } from '../../../shared/contract/runs.ts'
import { pointsOf, type MetricColumns } from '../../../shared/metric-columns.ts'
import type { ReadableDb, WritableDb } from './open.ts'
import { prepared } from './prepared.ts'

/** A step that the branch already has is written again: a later evaluation of the same step stands. */
export function insertMetrics(db: WritableDb, runNo: number, branch: number, columns: MetricColumns): void {
  const put = prepared<[number, number, number, number, number, number | null]>(
    db,
    'INSERT OR REPLACE INTO metrics (run_no, name_no, branch, step, wall_ms, value, discarded) VALUES (?, ?, ?, ?, ?, ?, 0)',
  )
  const numbers = new Map<string, number>()
  for (const { name, step, wallMs, value } of pointsOf(columns)) {
    const nameNo = numbers.get(name) ?? nameNumber(db, name)
    numbers.set(name, nameNo)
    put.run(runNo, nameNo, branch, step, wallMs, value)
  }
}

function nameNumber(db: WritableDb, name: string): number {
  const found = prepared<[string], number>(db, 'SELECT name_no FROM metric_names WHERE name = ?').pluck().get(name)
  if (found !== undefined) return found
  return Number(db.prepare<[string]>('INSERT INTO metric_names (name) VALUES (?)').run(name).lastInsertRowid)
}

/**
 * A trainer went back to `step`: everything later, of metrics and samples, becomes a branch that is kept but not
 * shown. Returns the last step that was flagged, null when there was none.
 */
export function discardAfter(db: WritableDb, runNo: number, step: number): number | null {
  const last =
    db
      .prepare<[number, number], number | null>(
        'SELECT max(step) FROM metrics WHERE run_no = ? AND step > ? AND discarded = 0',
      )
      .pluck()
      .get(runNo, step) ?? null
  db.prepare('UPDATE metrics SET discarded = 1 WHERE run_no = ? AND step > ? AND discarded = 0').run(runNo, step)
  db.prepare('UPDATE run_samples SET discarded = 1 WHERE run_no = ? AND step > ? AND discarded = 0').run(runNo, step)
  return last
}

export function listMetricNames(db: ReadableDb, runNo: number): string[] {
  return db
    .prepare<[number], string>(
      'SELECT name FROM metric_names WHERE EXISTS (SELECT 1 FROM metrics WHERE run_no = ? AND metrics.name_no = metric_names.name_no) ORDER BY name',
    )
    .pluck()
    .all(runNo)
}

export type MetricPoint = readonly [step: number, wallMs: number, value: number | null]

/** One curve in step order, every step once. With `discarded`, only what resumes left behind: one stretch after another. */
export function readPoints(db: ReadableDb, runNo: number, name: string, discarded = false): MetricPoint[] {
  const points = db
    .prepare<[number, string, number], MetricPoint>(`SELECT step, wall_ms, value FROM metrics
    WHERE run_no = ? AND name_no = (SELECT name_no FROM metric_names WHERE name = ?) AND discarded = ? ORDER BY branch, step`)
    .raw()
    .all(runNo, name, discarded ? 1 : 0)
  return discarded ? points : lastOfEachStep(points)
}

/** A run that goes on from a checkpoint may evaluate the very step again: what it says last stands. */
function lastOfEachStep(points: MetricPoint[]): MetricPoint[] {
  const rises = points.every((point, at) => at === 0 || point[0] > points[at - 1]![0])
  return rises
    ? points
    : [...new Map(points.map((point) => [point[0], point])).values()].toSorted((a, b) => a[0] - b[0])
}

/** Curves thinned to about `maxPoints` each; no names means all. */
export function readSeries(
  db: ReadableDb,
  runNo: number,
  names: readonly string[],
  maxPoints: number,
  discarded = false,
): Series[] {
  const wanted = names.length > 0 ? names : listMetricNames(db, runNo)
  return wanted.flatMap((name) => {
    const points = readPoints(db, runNo, name, discarded)
    if (points.length === 0) return []
    const kept = thinPoints(points, maxPoints)
    return [
      {
        name,
        step: kept.map((point) => point[0]),
        wallMs: kept.map((point) => point[1]),
        value: kept.map((point) => point[2]),
        total: points.length,
      },
    ]
  })
}

/**
 * Cuts the points into buckets and keeps the lowest and the highest of each, and the first and last of all: a spike
 * of one step survives any zoom.
 */
export function thinPoints(points: readonly MetricPoint[], maxPoints: number): readonly MetricPoint[] {
  if (points.length <= maxPoints) return points
  const buckets = Math.max(1, Math.floor((maxPoints - 2) / 2))
  const kept: MetricPoint[] = []
  const keep = (point: MetricPoint | undefined): void => {
    if (point !== undefined && kept.at(-1) !== point) kept.push(point)
  }
  keep(points[0])
  for (let bucket = 0; bucket < buckets; bucket += 1) {
    const from = Math.floor((bucket * points.length) / buckets)
    const to = Math.floor(((bucket + 1) * points.length) / buckets)
    const [first, second] = extremes(points, from, to)
    keep(points[first])
    keep(points[second])
  }
  keep(points.at(-1))
  return kept
}

/** Indexes of the lowest and highest value in [from, to), the earlier one first; a bucket of nulls gives its start. */
function extremes(points: readonly MetricPoint[], from: number, to: number): readonly [number, number] {
  let low = from
  let high = from
  for (let index = from; index < to; index += 1) {
    const value = points[index]?.[2] ?? null
    if (value === null) continue
    const lowest = points[low]?.[2] ?? null
    const highest = points[high]?.[2] ?? null
    if (lowest === null || value < lowest) low = index
    if (highest === null || value > highest) high = index
  }
  return low < high ? [low, high] : [high, low]
}

/** Every metric that was measured at exactly this step, as it was said last. */
export function valuesAt(db: ReadableDb, runNo: number, step: number): Record<string, number | null> {
  const rows = db
    .prepare<[number, number], [string, number | null]>(
      `SELECT name, value FROM metrics JOIN metric_names USING (name_no) WHERE run_no = ? AND step = ? AND discarded = 0 ORDER BY branch, name`,
    )
    .raw()
    .all(runNo, step)
  return Object.fromEntries(rows)
}

export function lastValue(db: ReadableDb, runNo: number, name: string): number | null {
  return (
    db
      .prepare<[number, string], number | null>(`SELECT value FROM metrics
    WHERE run_no = ? AND name_no = (SELECT name_no FROM metric_names WHERE name = ?) AND discarded = 0 ORDER BY branch DESC, step DESC LIMIT 1`)
      .pluck()
      .get(runNo, name) ?? null
  )
}

export interface RunSamples {
  readonly step: number
  readonly items: string
}

export function insertSamples(db: WritableDb, runNo: number, branch: number, step: number, items: unknown): void {
  db.prepare('INSERT OR REPLACE INTO run_samples (run_no, branch, step, items, discarded) VALUES (?, ?, ?, ?, 0)').run(
    runNo,
    branch,
    step,
    JSON.stringify(items),
  )
}

/** In step order; `items` is the JSON array of sample items as it was logged. */
export function listSamples(db: ReadableDb, runNo: number): RunSamples[] {
  return db
    .prepare<[number], RunSamples>(
      'SELECT step, items FROM run_samples WHERE run_no = ? AND discarded = 0 ORDER BY branch, step',
    )
    .all(runNo)
}

export interface CheckpointEntry {
  readonly step: number
  /** Relative to the run's folder. */
  readonly path: string
  readonly sizeBytes: number
  readonly sha256: string
  readonly best: boolean
  readonly atMs: number
}

export function insertCheckpoint(db: WritableDb, runNo: number, entry: CheckpointEntry): void {
  if (entry.best) db.prepare('UPDATE run_checkpoints SET best = 0 WHERE run_no = ?').run(runNo)
  db.prepare(
    'INSERT OR REPLACE INTO run_checkpoints (run_no, step, path, size_bytes, sha256, best, at_ms) VALUES (?, ?, ?, ?, ?, ?, ?)',
  ).run(runNo, entry.step, entry.path, entry.sizeBytes, entry.sha256, entry.best ? 1 : 0, entry.atMs)
}

/** Every checkpoint that was ever written, in step order; retention may have deleted its folder since. */
export function listCheckpoints(db: ReadableDb, runNo: number): CheckpointEntry[] {
  return db
    .prepare<[number], { step: number; path: string; sizeBytes: number; sha256: string; best: number; atMs: number }>(
      'SELECT step, path, size_bytes AS sizeBytes, sha256, best, at_ms AS atMs FROM run_checkpoints WHERE run_no = ? ORDER BY step',
    )
    .all(runNo)
    .map((row) => ({ ...row, best: row.best === 1 }))
}
