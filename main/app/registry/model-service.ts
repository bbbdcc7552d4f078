import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import type { ModelInspection, ModelJob } from '../../../shared/contract/models.ts'
import type { JobId, ModelId, RunId } from '../../../shared/domain.ts'
import { AppError, toWire } from '../../../shared/errors.ts'
import { systemError } from '../../base/files/system-error.ts'
import { moveDurably } from '../../base/files/durable.ts'
import type { Log } from '../../base/log.ts'
import type { EventBus } from '../events.ts'
import { createJobs, type Job } from '../jobs.ts'
import { deleteModel, findModel, insertModel, listModels, requireModel, updateModel } from '../store/models.ts'
import {
  listModelFolders,
  modelsFolder,
  ownFolder,
  readModelFile,
  weightsFolder,
  writeModelFile,
  type ModelEntry,
} from '../store/models-file.ts'
import { storeError, type WritableDb } from '../store/open.ts'
import { discardFolder } from '../store/trash.ts'
import { inspectModel, nameOf } from './inspect-model.ts'
import { copyFiles, requireSpace } from './copy-files.ts'
import { markFiles, type ModelReading } from '../../core/models/read-model.ts'

/** What is added: a folder that is there, or one that is still to be written (a run's checkpoint). */
export interface Addition {
  /** Absolute. */
  readonly source: string
  readonly place: ModelEntry['place']
  /** Empty: from the folder. */
  readonly name: string
  readonly originRunId: RunId | null
  /** The same key again is the same addition. */
  readonly clientKey?: string | undefined
  /** Writes the model's files into a folder; in place of copying `source`. */
  write?(
    folder: string,
    progress: { onBytes(bytes: number, totalBytes: number): void; readonly signal: AbortSignal },
  ): Promise<unknown>
}

export interface ModelService {
  inspect(folder: string): Promise<ModelInspection>
  /** @throws AppError when the folder cannot be read, before a job exists */
  add(addition: Addition): Promise<JobId>
  /** @throws AppError `not-found` */
  job(jobId: string): ModelJob
  /** Newest first. */
  jobs(): ModelJob[]
  /** Ends a running addition; one that has ended is left as it is. @throws AppError `not-found` */
  cancel(jobId: string): void
  /** What its folder holds now; null where that cannot be read. */
  read(entry: ModelEntry): Promise<ModelReading | null>
  /** Reads every byte again. */
  verify(modelId: string): Promise<{ readonly ok: boolean; readonly expected: string; readonly found: string }>
  rename(modelId: string, name: string): void
  /** Forgets a link, moves a copy to the trash. */
  remove(modelId: string): void
  /** Reads the folders that came since: from the trash, for example. */
  readNewFolders(): void
  /** While a model is being added. */
  isBusy(): boolean
  close(): Promise<void>
}

export interface ModelServiceDeps {
  readonly db: WritableDb
  readonly dataFolder: string
  readonly events: EventBus
  /** How folders are read: in a process of its own, in the app. See read-model.ts. */
  readonly readModel: (folder: string, signal?: AbortSignal) => Promise<ModelReading>
  readonly hashModel: (
    folder: string,
    onProgress: (doneBytes: number, totalBytes: number) => void,
    signal?: AbortSignal,
  ) => Promise<string>
  readonly log: Pick<Log, 'info' | 'error'>
}

const STAGING = '.adding-'

/** Models lie in folders, linked or copied; the database is an index of their model.json files, made good here. */
export function createModelService(deps: ModelServiceDeps): ModelService {
  const { db, dataFolder, events, log, readModel, hashModel } = deps
  const jobs = createJobs<ModelJob>({
    tell: (state) => events.emit('model.progress', state),
    failure: (error) => ({ error: explain(error) }),
    stopped: { remainingMs: null },
    missing: (jobId) =>
      new AppError({
        code: 'not-found',
        message: `No model is being added as "${jobId}".`,
        hint: 'Additions are forgotten when the app closes; look at the list of models.',
      }),
  })
  removeStaging(dataFolder)
  readUnknownFolders(deps)

  function uniqueName(wanted: string): string {
    const taken = new Set([
      ...listModels(db).map((model) => model.name),
      ...jobs
        .list()
        .filter((job) => job.state === 'running')
        .map((job) => job.name),
    ])
    const short = wanted.slice(0, 70)
    for (let number = 1; ; number += 1) {
      const name = number === 1 ? short : `${short} (${number})`
      if (!taken.has(name)) return name
    }
  }

  async function add(addition: Addition): Promise<JobId> {
    const key =
      addition.clientKey === undefined
        ? randomBytes(6).toString('hex')
        : createHash('sha256').update(addition.clientKey).digest('hex').slice(0, 12)
    const jobId = `model-job-${key}` as JobId // made here
    const modelId = `model-${key}` as ModelId // made here
    const known = jobs.get(jobId)?.state.state
    if (known === 'running' || known === 'finished') return jobId
    const made = findModel(db, modelId)
    if (made !== null) return noteFinished(jobId, made)
    const reading = addition.write === undefined ? await readModel(addition.source) : null
    const totalBytes =
      reading === null ? 0 : markFiles(addition.source, reading.files).reduce((sum, file) => sum + file.sizeBytes, 0)
    if (addition.place === 'copy' && reading !== null) await requireSpace(dataFolder, totalBytes)
    const meanwhile = jobs.get(jobId)?.state.state // the same order may have come twice while the folder was read
    if (meanwhile === 'running' || meanwhile === 'finished') return jobId
    const name = uniqueName(addition.name.trim() === '' ? nameOf(addition.source) : addition.name.trim())
    const state: ModelJob = {
      jobId,
      state: 'running',
      name,
      phase: addition.place === 'copy' ? 'copying' : 'hashing',
      bytesDone: 0,
      totalBytes,
      startedAtMs: Date.now(),
      remainingMs: null,
      modelId: null,
      error: null,
    }
    jobs.start(jobId, state, (job) => work(job, modelId, { addition, reading }))
    return jobId
  }

  /** An addition that an earlier process brought to its end. */
  function noteFinished(jobId: JobId, { modelId, name, addedAtMs }: ModelEntry): JobId {
    const state: ModelJob = {
      jobId,
      state: 'finished',
      name,
      phase: 'hashing',
      bytesDone: 0,
      totalBytes: 0,
      startedAtMs: addedAtMs,
      remainingMs: 0,
      modelId,
      error: null,
    }
    jobs.note(jobId, state)
    return jobId
  }

  async function work(
    job: Job<ModelJob>,
    modelId: ModelId,
    { addition, reading }: { readonly addition: Addition; readonly reading: ModelReading | null },
  ): Promise<void> {
    const staging = path.join(modelsFolder(dataFolder), `${STAGING}${modelId}`)
    try {
      const entry = await place(job, { addition, reading, modelId, staging })
      mkdirSync(staging, { recursive: true })
      writeModelFile(staging, entry)
      moveDurably(staging, ownFolder(dataFolder, modelId))
      insertModel(db, entry)
      log.info(`added the model "${entry.name}" (${entry.place}) from ${entry.source}`)
    } catch (error) {
      rmSync(staging, { recursive: true, force: true })
      throw error
    }
    job.progress({ bytesDone: job.state.totalBytes, remainingMs: 0, modelId })
    events.emit('models.changed', {})
  }

  /** The rest of the time by what is done of the phase. */
  function progress(job: Job<ModelJob>, change: Partial<ModelJob>): void {
    const { totalBytes, bytesDone, startedAtMs } = { ...job.state, ...change }
    const share = totalBytes === 0 ? 0 : bytesDone / totalBytes
    job.progress({ ...change, remainingMs: share > 0.02 ? ((Date.now() - startedAtMs) * (1 - share)) / share : null })
  }

  /** Brings the files to where they will lie, and reads what is to be known of them. */
  async function place(
    job: Job<ModelJob>,
    {
      addition,
      reading,
      modelId,
      staging,
    }: {
      readonly addition: Addition
      readonly reading: ModelReading | null
      readonly modelId: ModelId
      readonly staging: string
    },
  ): Promise<ModelEntry> {
    mkdirSync(modelsFolder(dataFolder), { recursive: true })
    let bytesDone = 0
    if (addition.write !== undefined)
      await addition.write(staging, {
        onBytes: (bytes, totalBytes) => progress(job, { bytesDone: (bytesDone += bytes), totalBytes }),
        signal: job.signal,
      })
    else if (addition.place === 'copy') {
      await copyFiles(
        addition.source,
        staging,
        reading!.files,
        (bytes) => progress(job, { bytesDone: (bytesDone += bytes) }),
        job.signal,
      )
    }
    job.signal.throwIfAborted()
    const folder = addition.place === 'copy' ? staging : addition.source
    const found = addition.write === undefined ? reading! : await readModel(folder, job.signal)
    progress(job, { phase: 'hashing', bytesDone: 0 })
    const files = markFiles(folder, found.files)
    const hash = await hashModel(
      folder,
      (bytesDone, totalBytes) => progress(job, { bytesDone, totalBytes }),
      job.signal,
    )
    const atMs = Date.now()
    return {
      modelId,
      name: job.state.name,
      place: addition.place,
      source: addition.source,
      originRunId: addition.originRunId,
      hash,
      facts: found.facts,
      files,
      verified: { atMs, hash },
      addedAtMs: atMs,
    }
  }

  function explain(error: unknown): { message: string; hint: string } {
    const known = systemError(storeError(error, dataFolder))
    if (!(known instanceof AppError)) log.error('a model could not be added', error)
    const { message, hint } = toWire(known)
    return { message, hint }
  }

  /** Writes model.json first: the database can be built again from it. */
  function save(entry: ModelEntry): void {
    writeModelFile(ownFolder(dataFolder, entry.modelId), entry)
    updateModel(db, entry)
    events.emit('models.changed', {})
  }

  return {
    inspect: (place) => inspectModel(place, { dataFolder, known: listModels(db), nameFor: uniqueName, readModel }),
    add,
    job: (jobId) => jobs.find(jobId).state,
    jobs: () => jobs.list().reverse(),
    cancel: (jobId) => jobs.find(jobId).cancel(),
    async read(entry) {
      try {
        return await readModel(weightsFolder(dataFolder, entry))
      } catch (error) {
        if (error instanceof AppError) return null // its state says so
        throw error
      }
    },
    async verify(modelId) {
      const entry = requireModel(db, modelId)
      const folder = weightsFolder(dataFolder, entry)
      const found = await hashModel(folder, () => undefined)
      const ok = found === entry.hash
      // The files are what they were: new times on them no longer matter.
      const current = requireModel(db, modelId)
      save({
        ...current,
        files: ok
          ? markFiles(
              folder,
              current.files.map((file) => file.name),
            )
          : current.files,
        verified: { atMs: Date.now(), hash: found },
      })
      return { ok, expected: entry.hash, found }
    },
    rename(modelId, name) {
      const entry = requireModel(db, modelId)
      if (listModels(db).some((other) => other.name === name && other.modelId !== modelId))
        throw new AppError({
          code: 'input-invalid',
          message: `There is a model called "${name}" already.`,
          hint: 'Choose another name.',
        })
      save({ ...entry, name })
    },
    remove(modelId) {
      const entry = requireModel(db, modelId)
      const folder = ownFolder(dataFolder, modelId)
      discardFolder(
        dataFolder,
        folder,
        { kind: 'model', id: modelId, name: entry.name, deletedAtMs: Date.now(), labelEvents: 0 },
        () => deleteModel(db, modelId),
      )
      log.info(`removed the model "${entry.name}"`)
      events.emit('models.changed', {})
    },
    readNewFolders() {
      readUnknownFolders(deps)
      events.emit('models.changed', {})
    },
    isBusy: () => jobs.isBusy(),
    close: () => jobs.close(),
  }
}

/** Removes what a killed addition left: copies that this app was making. */
function removeStaging(dataFolder: string): void {
  const folder = modelsFolder(dataFolder)
  for (const name of existsSync(folder) ? readdirSync(folder) : [])
    if (name.startsWith(STAGING)) rmSync(path.join(folder, name), { recursive: true, force: true })
}

/** Indexes folders the database does not know: it may have been rebuilt, they may have been put back. */
function readUnknownFolders({ db, dataFolder, log }: ModelServiceDeps): void {
  const folder = modelsFolder(dataFolder)
  for (const id of listModelFolders(dataFolder)) {
    if (findModel(db, id) !== null) continue
    try {
      const entry = readModelFile(path.join(folder, id))
      const taken = listModels(db).some((model) => model.name === entry.name)
      insertModel(db, { ...entry, name: taken ? `${entry.name} (${id.slice(-4)})` : entry.name })
      log.info(`found the model "${entry.name}" in its folder`)
    } catch (error) {
      log.error(`the model folder ${id} cannot be read`, error)
    }
  }
}
