import { createHash, randomBytes } from 'node:crypto'
import type { ImportJob } from '../../../shared/contract/datasets.ts'
import { leftOut, type ImportMapping, type Inspection } from '../../../shared/contract/import-mapping.ts'
import type { DatasetId, JobId } from '../../../shared/domain.ts'
import { AppError, toWire } from '../../../shared/errors.ts'
import type { Log } from '../../base/log.ts'
import type { EventBus } from '../events.ts'
import { createJobs, type Job } from '../jobs.ts'
import { listDatasets, requireDataset, type DatasetEntry } from '../store/datasets.ts'
import { storeError, type WritableDb } from '../store/open.ts'
import { placeDataset } from './dataset-ids.ts'
import { runImport, type ImportContext, type ImportStatus } from './import-run.ts'
import { addDataset } from './add-dataset.ts'
import { ITEM_QUESTIONS, nameFromPath, type ItemKind, type ItemSource, type ReadItems } from './import-items.ts'
import type { InspectOptions } from '../../core/formats/inspect.ts'

export interface ImportRequest {
  readonly path: string
  /** Empty: the file's. */
  readonly name: string
  /** Of pairs; null: guessed. */
  readonly mapping: ImportMapping | null
  /** What is read in place of pairs, and how. */
  readonly items?: Omit<ItemSource, 'path'>
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
  /** While an import of that file or folder runs. */
  reads(path: string): boolean
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
  readonly readItems: ReadItems
  readonly log: Pick<Log, 'info' | 'error'>
}

export function createImportService(deps: ImportServiceDeps): ImportService {
  const jobs = createJobs<ImportJob>({
    tell: (state) => deps.events.emit('import.progress', state),
    failure: (error) => ({ error: explain(error) }),
    stopped: { remainingMs: null },
    missing: (jobId) =>
      new AppError({
        code: 'not-found',
        message: `There is no import "${jobId}".`,
        hint: 'Imports are forgotten when the app closes; look at the list of data sets.',
      }),
  })
  const read = new Map<JobId, string>()
  let closing = false

  async function start(request: ImportRequest): Promise<JobId> {
    const jobId = (
      request.clientKey === undefined
        ? `import-${randomBytes(6).toString('hex')}`
        : `import-${createHash('sha256').update(request.clientKey).digest('hex').slice(0, 12)}`
    ) as JobId // made here
    const known = jobs.get(jobId)?.state.state
    if (known === 'running' || known === 'finished') return jobId
    const { datasetId, made } = placeDataset(deps, request.clientKey)
    if (made) return noteFinished(jobId, requireDataset(deps.db, datasetId))
    const { items } = request
    if (items !== undefined) {
      refuseClosing()
      const state = draftState(jobId, request, items.kind, 0)
      read.set(jobId, request.path)
      jobs.start(jobId, state, (job) => workItems(job, datasetId, request, { ...items, path: request.path }))
      return jobId
    }
    const inspection = await deps.inspectFile(request.path, { mapping: request.mapping, limit: 1 })
    if (inspection.missingRoles.length > 0) {
      throw new AppError({
        code: 'input-invalid',
        message: `${request.path}: no column is given for ${inspection.missingRoles.join(', ')}.`,
        hint: `Its columns are ${inspection.columns.map((column) => column.name).join(', ') || 'none'}. Say which one means what.`,
      })
    }
    refuseOpenQuestions(inspection)
    refuseClosing()
    const meanwhile = jobs.get(jobId)?.state.state // the same order may have come twice while the file was looked at
    if (meanwhile === 'running' || meanwhile === 'finished') return jobId
    const state = draftState(jobId, request, 'response-pairs', inspection.sizeBytes)
    read.set(jobId, request.path)
    jobs.start(jobId, state, (job) => work(job, datasetId, { ...request, mapping: inspection.mapping }))
    return jobId
  }

  function refuseClosing(): void {
    if (!closing) return
    throw new AppError({
      code: 'cancelled',
      message: 'The app is closing.',
      hint: 'Start it again and import the file then.',
    })
  }

  function draftState(
    jobId: JobId,
    { name, path }: ImportRequest,
    kind: ImportJob['kind'],
    totalBytes: number,
  ): ImportJob {
    return {
      jobId,
      state: 'running',
      name: uniqueName(name.trim() === '' ? nameFromPath(path) : name.trim()),
      kind,
      bytesRead: 0,
      totalBytes,
      rowsKept: 0,
      rowsRejected: 0,
      warnings: 0,
      startedAtMs: Date.now(),
      remainingMs: null,
      datasetId: null,
      error: null,
    }
  }

  /** An import that an earlier process brought to its end. */
  function noteFinished(
    jobId: JobId,
    { datasetId, name, kind, itemCount, rejectedRowCount, warningCount, createdAtMs }: DatasetEntry,
  ): JobId {
    const state: ImportJob = {
      jobId,
      state: 'finished',
      name,
      kind,
      bytesRead: 0,
      totalBytes: 0,
      rowsKept: itemCount,
      rowsRejected: rejectedRowCount,
      warnings: warningCount,
      startedAtMs: createdAtMs,
      remainingMs: 0,
      datasetId,
      error: null,
    }
    jobs.note(jobId, state)
    return jobId
  }

  async function work(
    job: Job<ImportJob>,
    datasetId: DatasetId,
    { path, mapping, licence, source }: ImportRequest & { readonly mapping: ImportMapping },
  ): Promise<void> {
    const plan = { datasetId, path, name: job.state.name, source: source ?? path, licence, mapping }
    const dataset = await runImport(plan, {
      db: deps.db,
      dataFolder: deps.dataFolder,
      signal: job.signal,
      readPairs: deps.readPairs,
      onProgress: (status) =>
        job.progress({ ...status, remainingMs: remaining(status, Date.now() - job.state.startedAtMs) }),
    })
    job.progress({ bytesRead: job.state.totalBytes, remainingMs: 0, datasetId })
    deps.log.info(
      `imported ${path} as "${dataset.name}": ${dataset.itemCount} pairs, ${dataset.rejectedRowCount} rows left out`,
    )
    deps.events.emit('datasets.changed', { datasetId })
  }

  async function workItems(
    job: Job<ImportJob>,
    datasetId: DatasetId,
    { path, licence, source = path }: ImportRequest,
    items: ItemSource & { readonly kind: ItemKind },
  ): Promise<void> {
    const { name } = job.state
    const question = ITEM_QUESTIONS[items.kind]
    const dataset = await addDataset(
      { datasetId, name, kind: items.kind, source, licence, question, parts: deps.readItems(items, job.signal) },
      {
        db: deps.db,
        dataFolder: deps.dataFolder,
        signal: job.signal,
        onProgress: (rowsKept) => job.progress({ rowsKept }),
      },
    )
    const { itemCount: rowsKept, rejectedRowCount: rowsRejected, warningCount: warnings } = dataset
    job.progress({ rowsKept, rowsRejected, warnings, remainingMs: 0, datasetId })
    deps.log.info(`imported ${path} as "${dataset.name}": ${rowsKept} items, ${rowsRejected} rows left out`)
    deps.events.emit('datasets.changed', { datasetId })
  }

  function explain(error: unknown): NonNullable<ImportJob['error']> {
    const known = storeError(error, deps.dataFolder)
    if (!(known instanceof AppError)) deps.log.error('an import failed', error)
    const { code, message, hint, details } = toWire(known)
    return { code, message, hint, leftOut: leftOut.safeParse(details?.['leftOut']).data ?? null }
  }

  function uniqueName(name: string): string {
    const taken = new Set([
      ...listDatasets(deps.db).map((dataset) => dataset.name),
      ...jobs
        .list()
        .filter((job) => job.state === 'running')
        .map((job) => job.name),
    ])
    const short = name.slice(0, 110)
    if (!taken.has(short)) return short
    let number = 2
    while (taken.has(`${short} (${number})`)) number += 1
    return `${short} (${number})`
  }

  return {
    start,
    job: (jobId) => jobs.find(jobId).state,
    jobs: () => jobs.list().reverse(),
    cancel: (jobId) => jobs.find(jobId).cancel(),
    ended: (jobId) => jobs.find(jobId).ended,
    reads(path) {
      for (const jobId of read.keys()) if (jobs.get(jobId)?.state.state !== 'running') read.delete(jobId)
      return [...read.values()].includes(path)
    },
    isBusy: () => jobs.isBusy(),
    close() {
      closing = true
      return jobs.close()
    },
  }
}

/** What a value means is never guessed: the import waits for an answer, and each one is shown with rows of the file. */
function refuseOpenQuestions({ path, questions }: Inspection): void {
  const [question] = questions
  if (question === undefined) return
  const ways = question.readings.map((reading) =>
    [
      `  ${reading.option}`,
      `    ${reading.title}`,
      ...reading.examples.map(({ line, value, meaning }) => `    row ${line}: ${value} → ${meaning}`),
    ].join('\n'),
  )
  const hint =
    ways.length === 0
      ? 'Say what each value means, e.g. --values "x=a,y=b,z=tie" (a, b, tie, both-bad or skip), or leave the column out: --map column=ignore.'
      : `Say how they are meant:\n${ways.join('\n')}\nOr give every value: --values "…=a,…=b,…=tie"; or leave the column out: --map ${question.columns[0] ?? 'column'}=ignore.`
  throw new AppError({ code: 'input-invalid', message: `${path}: ${question.reason}`, hint, details: { questions } })
}

/** Null until there is a rate worth the name. */
function remaining(status: ImportStatus, elapsedMs: number): number | null {
  if (elapsedMs < 500 || status.bytesRead === 0) return null
  return Math.max(0, Math.round((elapsedMs * (status.totalBytes - status.bytesRead)) / status.bytesRead))
}
