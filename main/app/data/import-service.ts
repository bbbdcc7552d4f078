import { createHash, randomBytes } from 'node:crypto'
import { basename } from 'node:path'
import { leftOut, type ImportJob, type ImportMapping, type Inspection } from '../../../shared/contract/datasets.ts'
import type { DatasetId, JobId } from '../../../shared/domain.ts'
import { AppError, toWire } from '../../../shared/errors.ts'
import type { EventBus } from '../events.ts'
import { listDatasets, requireDataset, type DatasetEntry } from '../store/datasets.ts'
import { storeError, type WritableDb } from '../store/open.ts'
import { placeDataset } from './dataset-ids.ts'
import { runImport, type ImportContext, type ImportStatus } from './import-run.ts'
import type { InspectOptions } from '../../core/formats/inspect.ts'

export interface ImportRequest {
  readonly path: string
  /** Empty: the file's. */
  readonly name: string
  /** Null: guessed. */
  readonly mapping: ImportMapping | null
  readonly licence: string | null
  /** What the data set says it came from; by default the path. */
  readonly source?: string
  /** The same key again is the same import: a job that runs is joined, one that ended is not done again. */
  readonly clientKey?: string | undefined
}

export interface ImportService {
  /** @throws AppError when the file cannot be read or lacks a role, before a job exists */
  start(request: ImportRequest): Promise<JobId>
  /** @throws AppError `not-found` */
  job(jobId: string): ImportJob
  /** Newest first. */
  jobs(): ImportJob[]
  /** Ends a running import; one that has ended is left as it is. @throws AppError `not-found` */
  cancel(jobId: string): void
  /** Resolves with the job once it has ended, however it did. */
  ended(jobId: string): Promise<ImportJob>
  /** While an import runs. */
  isBusy(): boolean
  /** Cancels what runs and waits until nothing of it is left. */
  close(): Promise<void>
}

export interface ImportServiceDeps {
  readonly db: WritableDb
  readonly dataFolder: string
  readonly events: EventBus
  /** How files are read: in a process of its own, in the app. */
  readonly inspectFile: (path: string, options: InspectOptions) => Promise<Inspection>
  readonly readPairs: ImportContext['readPairs']
  readonly log: { info(text: string, details?: unknown): void; error(text: string, details?: unknown): void }
}

interface RunningJob {
  state: ImportJob
  readonly abort: AbortController
  ended: Promise<void>
}

const PROGRESS_INTERVAL_MS = 250
/** Ended jobs that are still listed. */
const KEPT_JOBS = 50

export function createImportService(deps: ImportServiceDeps): ImportService {
  const jobs = new Map<string, RunningJob>()
  let closing = false

  function find(jobId: string): RunningJob {
    const job = jobs.get(jobId)
    if (job === undefined) throw new AppError({ code: 'not-found', message: `There is no import "${jobId}".`, hint: 'Imports are forgotten when the app closes; look at the list of data sets.' })
    return job
  }

  async function start(request: ImportRequest): Promise<JobId> {
    const jobId = (request.clientKey === undefined ? `import-${randomBytes(6).toString('hex')}` : `import-${createHash('sha256').update(request.clientKey).digest('hex').slice(0, 12)}`) as JobId // made here
    const known = jobs.get(jobId)?.state.state
    if (known === 'running' || known === 'finished') return jobId
    const { datasetId, made } = placeDataset(deps, request.clientKey)
    if (made) return noteFinished(jobId, requireDataset(deps.db, datasetId))
    const inspection = await deps.inspectFile(request.path, { mapping: request.mapping, limit: 1 })
    if (inspection.missingRoles.length > 0) {
      throw new AppError({ code: 'input-invalid', message: `${request.path}: no column is given for ${inspection.missingRoles.join(', ')}.`, hint: `Its columns are ${inspection.columns.map((column) => column.name).join(', ') || 'none'}. Say which one means what.` })
    }
    refuseOpenQuestions(inspection)
    if (closing) throw new AppError({ code: 'cancelled', message: 'The app is closing.', hint: 'Start it again and import the file then.' })
    const meanwhile = jobs.get(jobId)?.state.state // the same order may have come twice while the file was looked at
    if (meanwhile === 'running' || meanwhile === 'finished') return jobId
    const name = uniqueName(request.name.trim() === '' ? nameFromPath(request.path) : request.name.trim())
    const state: ImportJob = { jobId, state: 'running', name, bytesRead: 0, totalBytes: inspection.sizeBytes, rowsKept: 0, rowsRejected: 0, warnings: 0, startedAtMs: Date.now(), remainingMs: null, datasetId: null, error: null }
    const job: RunningJob = { state, abort: new AbortController(), ended: Promise.resolve() }
    jobs.set(jobId, job)
    forgetOldJobs()
    job.ended = follow(job, datasetId, { ...request, mapping: inspection.mapping })
    return jobId
  }

  /** An import that an earlier process brought to its end. */
  function noteFinished(jobId: JobId, { datasetId, name, pairCount, rejectedRowCount, warningCount, createdAtMs }: DatasetEntry): JobId {
    const state: ImportJob = { jobId, state: 'finished', name, bytesRead: 0, totalBytes: 0, rowsKept: pairCount, rowsRejected: rejectedRowCount, warnings: warningCount, startedAtMs: createdAtMs, remainingMs: 0, datasetId, error: null }
    jobs.set(jobId, { state, abort: new AbortController(), ended: Promise.resolve() })
    return jobId
  }

  async function follow(job: RunningJob, datasetId: DatasetId, request: ImportRequest & { readonly mapping: ImportMapping }): Promise<void> {
    const { path, mapping, licence } = request
    const emit = (): void => deps.events.emit('import.progress', job.state)
    let emittedAtMs = 0
    function onProgress(status: ImportStatus): void {
      const nowMs = Date.now()
      job.state = { ...job.state, ...status, remainingMs: remaining(status, nowMs - job.state.startedAtMs) }
      if (nowMs - emittedAtMs < PROGRESS_INTERVAL_MS) return
      emittedAtMs = nowMs
      emit()
    }
    emit()
    try {
      const plan = { datasetId, path, name: job.state.name, source: request.source ?? path, licence, mapping }
      const dataset = await runImport(plan, { db: deps.db, dataFolder: deps.dataFolder, signal: job.abort.signal, readPairs: deps.readPairs, onProgress })
      job.state = { ...job.state, state: 'finished', bytesRead: job.state.totalBytes, remainingMs: 0, datasetId }
      deps.log.info(`imported ${path} as "${dataset.name}": ${dataset.pairCount} pairs, ${dataset.rejectedRowCount} rows left out`)
      deps.events.emit('datasets.changed', { datasetId })
    } catch (error) {
      job.state = job.abort.signal.aborted ? { ...job.state, state: 'cancelled', remainingMs: null } : { ...job.state, state: 'failed', remainingMs: null, error: explain(error) }
    }
    emit()
  }

  function explain(error: unknown): NonNullable<ImportJob['error']> {
    const known = storeError(error, deps.dataFolder)
    if (!(known instanceof AppError)) deps.log.error('an import failed', error)
    const { message, hint, details } = toWire(known)
    return { message, hint, leftOut: leftOut.safeParse(details?.['leftOut']).data ?? null }
  }

  function uniqueName(name: string): string {
    const taken = new Set([...listDatasets(deps.db).map((dataset) => dataset.name), ...[...jobs.values()].filter((job) => job.state.state === 'running').map((job) => job.state.name)])
    const short = name.slice(0, 110)
    if (!taken.has(short)) return short
    let number = 2
    while (taken.has(`${short} (${number})`)) number += 1
    return `${short} (${number})`
  }

  function forgetOldJobs(): void {
    const done = [...jobs].filter(([, job]) => job.state.state !== 'running')
    for (const [jobId] of done.slice(0, Math.max(0, done.length - KEPT_JOBS))) jobs.delete(jobId)
  }

  return {
    start,
    job: (jobId) => find(jobId).state,
    jobs: () => [...jobs.values()].map((job) => job.state).reverse(),
    cancel(jobId) {
      find(jobId).abort.abort()
    },
    async ended(jobId) {
      const job = find(jobId)
      await job.ended
      return job.state
    },
    isBusy: () => [...jobs.values()].some((job) => job.state.state === 'running'),
    async close() {
      closing = true
      for (const job of jobs.values()) job.abort.abort()
      await Promise.allSettled([...jobs.values()].map((job) => job.ended))
    },
  }
}

/** What a value means is never guessed: the import waits for an answer, and each one is shown with rows of the file. */
function refuseOpenQuestions({ path, questions }: Inspection): void {
  const [question] = questions
  if (question === undefined) return
  const ways = question.readings.map((reading) => [`  ${reading.option}`, `    ${reading.title}`, ...reading.examples.map(({ line, value, meaning }) => `    row ${line}: ${value} → ${meaning}`)].join('\n'))
  const hint = ways.length === 0
    ? 'Say what each value means, e.g. --values "x=a,y=b,z=tie" (a, b, tie, both-bad or skip), or leave the column out: --map column=ignore.'
    : `Say how they are meant:\n${ways.join('\n')}\nOr give every value: --values "…=a,…=b,…=tie"; or leave the column out: --map ${question.columns[0] ?? 'column'}=ignore.`
  throw new AppError({ code: 'input-invalid', message: `${path}: ${question.reason}`, hint, details: { questions } })
}

/** Null until there is a rate worth the name. */
function remaining(status: ImportStatus, elapsedMs: number): number | null {
  if (elapsedMs < 500 || status.bytesRead === 0) return null
  return Math.max(0, Math.round((elapsedMs * (status.totalBytes - status.bytesRead)) / status.bytesRead))
}

/** `set.jsonl.gz` → `set` */
function nameFromPath(path: string): string {
  const name = basename(path).replace(/\.gz$/i, '').replace(/\.(jsonl|ndjson|json|csv|tsv|txt)$/i, '')
  return name === '' ? 'data set' : name
}
