import { z } from 'zod'
import {
  engineName,
  LIVE_STATES,
  runState,
  type EngineName,
  type RunId,
  type RunState,
} from '../../../shared/domain.ts'
import { AppError, wireError, type WireError } from '../../../shared/errors.ts'
import { runSpec, type RunSpec } from '../../../shared/run-spec.ts'
import { inTransaction, type ReadableDb, type WritableDb } from './open.ts'
import { prepared } from './prepared.ts'
import { storedJson, storedValue } from './stored-json.ts'

export type Facts = Readonly<Record<string, number | string | boolean | null>>

/** A run as the index has it. The specification is read apart: lists do not need it. */
export interface RunEntry {
  readonly runNo: number
  readonly runId: RunId
  readonly name: string
  readonly method: string
  readonly methodName: string
  readonly mainMetric: string | null
  readonly datasetId: string
  readonly datasetName: string
  readonly seed: number
  readonly groupHash: string
  readonly engine: EngineName
  readonly state: RunState
  readonly phase: string
  readonly queueOrder: number | null
  readonly step: number
  readonly totalSteps: number
  readonly createdAtMs: number
  readonly startedAtMs: number | null
  readonly endedAtMs: number | null
  readonly lastEventAtMs: number | null
  /** Sum of its sessions up to the last event; null until the log was read, in rows that an earlier version wrote. */
  readonly trainedMs: number | null
  /** Last event of a session that did not say that it ended. */
  readonly trainedToMs: number | null
  readonly pid: number | null
  readonly pidStarted: string | null
  /** Bytes of the event log that are in the index. */
  readonly cursorOffset: number
  readonly cursorSeq: number
  /** 0 before the trainer's first word; each start of a trainer begins the next. */
  readonly branch: number
  readonly stepsPerSec: number | null
  readonly rssBytes: number | null
  readonly tensorCount: number | null
  readonly diskBytes: number
  readonly facts: Facts
  readonly summary: Readonly<Record<string, number | null>>
  readonly warnings: readonly { readonly message: string; readonly hint: string }[]
  readonly discarded: readonly { readonly fromStep: number; readonly toStep: number }[]
  readonly error: WireError | null
  readonly note: string
}

const factsSchema = z.record(z.string(), z.union([z.number().nullable(), z.string(), z.boolean()]))
const summarySchema = z.record(z.string(), z.number().nullable())
const warningsSchema = z.array(z.strictObject({ message: z.string(), hint: z.string() }))
const discardedSchema = z.array(z.strictObject({ fromStep: z.int(), toStep: z.int() }))

/** Column of each field, and how its value is written. One list for reading and updating, so that they cannot drift apart. */
const columns = {
  runNo: 'run_no',
  runId: 'run_id',
  name: 'name',
  method: 'method',
  methodName: 'method_name',
  mainMetric: 'main_metric',
  datasetId: 'dataset_id',
  datasetName: 'dataset_name',
  seed: 'seed',
  groupHash: 'group_hash',
  engine: 'engine',
  state: 'state',
  phase: 'phase',
  queueOrder: 'queue_order',
  step: 'step',
  totalSteps: 'total_steps',
  createdAtMs: 'created_at_ms',
  startedAtMs: 'started_at_ms',
  endedAtMs: 'ended_at_ms',
  lastEventAtMs: 'last_event_at_ms',
  trainedMs: 'trained_ms',
  trainedToMs: 'trained_to_ms',
  pid: 'pid',
  pidStarted: 'pid_started',
  cursorOffset: 'cursor_offset',
  cursorSeq: 'cursor_seq',
  branch: 'branch',
  stepsPerSec: 'steps_per_sec',
  rssBytes: 'rss_bytes',
  tensorCount: 'tensor_count',
  diskBytes: 'disk_bytes',
  facts: 'facts',
  summary: 'summary',
  warnings: 'warnings',
  discarded: 'discarded',
  error: 'error',
  note: 'note',
} as const satisfies Record<keyof RunEntry, string>
const selectList = Object.entries(columns)
  .map(([field, column]) => `${column} AS "${field}"`)
  .join(', ')
const jsonFields: ReadonlySet<string> = new Set(['facts', 'summary', 'warnings', 'discarded', 'error'])

type RawRun = {
  readonly [K in keyof RunEntry]: K extends 'facts' | 'summary' | 'warnings' | 'discarded'
    ? string
    : K extends 'error'
      ? string | null
      : RunEntry[K]
}

function toRun(row: RawRun): RunEntry {
  return {
    ...row,
    engine: storedValue(engineName, row.engine, `the engine of ${row.runId}`),
    state: storedValue(runState, row.state, `the state of ${row.runId}`),
    facts: storedJson(factsSchema, row.facts, `the facts of ${row.runId}`),
    summary: storedJson(summarySchema, row.summary, `the summary of ${row.runId}`),
    warnings: storedJson(warningsSchema, row.warnings, `the warnings of ${row.runId}`),
    discarded: storedJson(discardedSchema, row.discarded, `the discarded steps of ${row.runId}`),
    error: row.error === null ? null : storedJson(wireError, row.error, `the error of ${row.runId}`),
  }
}

/** What the specification does not say about a method, so that the index can be read without the method's code. */
export interface MethodTitle {
  readonly methodName: string
  readonly mainMetric: string | null
}

/** A queued run, last in the queue. */
export function insertRun(db: WritableDb, spec: RunSpec, title: MethodTitle): void {
  db.prepare(`INSERT INTO runs (run_id, name, method, method_name, main_metric, dataset_id, dataset_name, seed, group_hash, engine, spec, state, phase,
      queue_order, step, total_steps, created_at_ms, cursor_offset, cursor_seq, branch, trained_ms, disk_bytes, facts, summary, warnings, discarded, note)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued', 'queued', (SELECT coalesce(max(queue_order), 0) + 1 FROM runs), 0, ?, ?, 0, 0, 0, 0, 0, '{}', '{}', '[]', '[]', '')`).run(
    spec.runId,
    spec.name,
    spec.method,
    title.methodName,
    title.mainMetric,
    spec.data.datasetId,
    spec.data.datasetName,
    spec.seed,
    spec.groupHash,
    spec.engine,
    JSON.stringify(spec),
    spec.training.steps,
    spec.createdAtMs,
  )
}

export type RunChanges = { readonly [K in keyof Omit<RunEntry, 'runNo' | 'runId'>]?: RunEntry[K] }

export function updateRun(db: WritableDb, runId: string, changes: RunChanges): void {
  const entries = Object.entries(changes).filter(([, value]) => value !== undefined)
  if (entries.length === 0) return
  const assignments = entries.map(([field]) => `${columns[field as keyof RunEntry]} = ?`).join(', ') // keys of RunChanges are fields
  const values = entries.map(([field, value]) =>
    jsonFields.has(field) && value !== null ? JSON.stringify(value) : value,
  )
  prepared(db, `UPDATE runs SET ${assignments} WHERE run_id = ?`).run(...values, runId)
}

export interface RunFilter {
  readonly datasetId?: string | null
  readonly method?: string | null
  readonly states?: readonly RunState[]
  readonly limit?: number | null
}

/** Newest first. */
export function listRuns(db: ReadableDb, filter: RunFilter = {}): RunEntry[] {
  return prepared<unknown[], RawRun>(
    db,
    `SELECT ${selectList} FROM runs
    WHERE (@datasetId IS NULL OR dataset_id = @datasetId) AND (@method IS NULL OR method = @method)
      AND (@states IS NULL OR state IN (SELECT value FROM json_each(@states)))
    ORDER BY created_at_ms DESC, run_no DESC LIMIT @limit`,
  )
    .all({
      datasetId: filter.datasetId ?? null,
      method: filter.method ?? null,
      states: filter.states === undefined ? null : JSON.stringify(filter.states),
      limit: filter.limit ?? -1,
    })
    .map(toRun)
}

export function listRunIds(db: ReadableDb): string[] {
  return db.prepare<[], string>('SELECT run_id FROM runs').pluck().all()
}

export function listLiveRuns(db: ReadableDb): RunEntry[] {
  return listRuns(db, { states: LIVE_STATES })
}

/** In the order in which they will start. */
export function listQueue(db: ReadableDb): RunEntry[] {
  return prepared<[], RawRun>(db, `SELECT ${selectList} FROM runs WHERE state = 'queued' ORDER BY queue_order, run_no`)
    .all()
    .map(toRun)
}

/** @param position from 1; past the end means last */
export function moveInQueue(db: WritableDb, runId: string, position: number): void {
  const rest = listQueue(db)
    .map((run) => run.runId)
    .filter((id) => id !== runId)
  rest.splice(position - 1, 0, runId as RunId) // the caller looked the run up
  const put = db.prepare<[number, string]>('UPDATE runs SET queue_order = ? WHERE run_id = ?')
  inTransaction(db, () => rest.forEach((id, index) => put.run(index + 1, id))) // a kill leaves the old order or the new one
}

export function lastQueueOrder(db: ReadableDb): number {
  return db.prepare<[], number>('SELECT coalesce(max(queue_order), 0) FROM runs').pluck().get() ?? 0
}

export function findRun(db: ReadableDb, runId: string): RunEntry | null {
  const row = prepared<[string], RawRun>(db, `SELECT ${selectList} FROM runs WHERE run_id = ?`).get(runId)
  return row === undefined ? null : toRun(row)
}

/** @param use what it was wanted for: " to start from" */
export function missingRun(db: ReadableDb, runId: string, use = ''): AppError {
  const name = `${runId.replace(/-\d+$/, '')}-`
  const ids = (where: string, ...values: unknown[]): string[] =>
    db
      .prepare<unknown[], string>(`SELECT run_id FROM runs ${where} ORDER BY run_no DESC LIMIT 4`)
      .pluck()
      .all(...values)
  const namesakes = ids('WHERE substr(run_id, 1, ?) = ?', name.length, name)
  const newest = namesakes.length > 0 ? [] : ids('')
  return new AppError({
    code: 'not-found',
    message: `There is no run "${runId}"${use}.`,
    hint:
      namesakes.length > 0
        ? `Of this name there are: ${namesakes.join(', ')}. They are counted as they are started, whatever their seed.`
        : newest.length > 0
          ? `The newest are: ${newest.join(', ')}. It may have been deleted.`
          : 'No run has been started yet.',
  })
}

/** @throws AppError `not-found` */
export function requireRun(db: ReadableDb, runId: string): RunEntry {
  const run = findRun(db, runId)
  if (run === null) throw missingRun(db, runId)
  return run
}

/** The specification as it was written to the run's folder. */
export function readRunSpec(db: ReadableDb, runId: string): RunSpec {
  const text = db.prepare<[string], string>('SELECT spec FROM runs WHERE run_id = ?').pluck().get(runId)
  if (text === undefined) throw missingRun(db, runId)
  return storedJson(runSpec, text, `the specification of ${runId}`)
}

/** With its curve, samples and checkpoints; the folder is the caller's. */
export function deleteRun(db: WritableDb, runId: string): void {
  db.prepare('DELETE FROM runs WHERE run_id = ?').run(runId)
}

/** Changes with every label event of the data set: a view built at one value is still right while it stays. */
export function labelClock(db: ReadableDb, datasetId: string): number {
  // One look into the index for each annotator, however many events there are.
  return (
    db
      .prepare<
        [string],
        number | null
      >(`SELECT max((SELECT max(e.label_id) FROM label_events e INDEXED BY label_events_by_annotator
    WHERE e.dataset_id = ? AND e.annotator_id = a.annotator_id)) FROM annotators a`)
      .pluck()
      .get(datasetId) ?? 0
  )
}
