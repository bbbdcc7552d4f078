import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { createInterface } from 'node:readline'
import {
  sizeOfCollection,
  type CollectionSize,
  type CollectRequest,
  type CollectSettings,
} from '../../../../shared/collecting.ts'
import type { CollectJob } from '../../../../shared/contract/segments.ts'
import type { DatasetId, JobId } from '../../../../shared/domain.ts'
import { AppError, fromWire, toWire } from '../../../../shared/errors.ts'
import { aborted } from '../../../base/aborted.ts'
import type { Log } from '../../../base/log.ts'
import { askWorker } from '../../../base/processes/ask-worker.ts'
import type { ProgramCommand } from '../../../base/processes/program.ts'
import type { AnswerOf } from '../../../base/processes/worker-questions.ts'
import type { NewItem, NewPart } from '../../../core/formats/parsed-rows.ts'
import { findWorld } from '../../../core/worlds/registry.ts'
import type { EventBus } from '../../events.ts'
import { createJobs, type Job } from '../../jobs.ts'
import { requireDataset } from '../../store/datasets.ts'
import { storeError, type WritableDb } from '../../store/open.ts'
import { addDataset } from '../add-dataset.ts'
import { placeDataset } from '../dataset-ids.ts'

export interface CollectService {
  /**
   * Waits its turn: acting takes a core, and writing the disk. The same key again is the same collection.
   * @param checkpoint folder of the policy that acts, for `learned`   @throws AppError `spec-invalid`, `usage-invalid`, before a job exists
   */
  start(request: CollectRequest, checkpoint: string | null, clientKey: string | undefined): JobId
  /** Milliseconds of a collection, the start of its process included. @throws AppError as `start`, and of the worker */
  estimate(settings: CollectSettings, checkpoint: string | null): Promise<number>
  /** Newest first. */
  jobs(): CollectJob[]
  /** @throws AppError `not-found` */
  job(jobId: string): CollectJob
  /** One that has ended is left as it is. @throws AppError `not-found` */
  cancel(jobId: string): void
  /** The data set, once it is there. @throws AppError: why there is none */
  ended(jobId: string): Promise<DatasetId>
  isBusy(): boolean
  /** Cancels what runs and waits until nothing of it is left. */
  close(): Promise<void>
}

export interface CollectDeps {
  readonly db: WritableDb
  readonly dataFolder: string
  readonly events: Pick<EventBus, 'emit'>
  readonly worker: ProgramCommand
  readonly log: Pick<Log, 'info' | 'error'>
}

/** Before it acts: Node, the world, and the data set's own files. */
const START_MS = 600
/** What the app adds to a step that the worker wrote, as a share of the worker's time: it reads it, and writes it again. */
const APP_SHARE = 1
const PACES_KEPT = 40

export function createCollectService({ db, dataFolder, events, worker, log }: CollectDeps): CollectService {
  const jobs = createJobs<CollectJob>({
    tell: (state) => events.emit('collect.progress', state),
    failure(error) {
      const known = storeError(error, dataFolder)
      if (!(known instanceof AppError)) log.error('a collection failed', error)
      return { error: toWire(known) }
    },
    stopped: { remainingMs: null },
    missing: (jobId) =>
      new AppError({
        code: 'not-found',
        message: `There is no collection "${jobId}".`,
        hint: 'Collections are forgotten when the app closes; look at the list of data sets.',
      }),
  })
  const paces = new Map<string, Promise<AnswerOf<'collect-pace'>>>()
  /** Settles when the collections that were asked for so far have ended. */
  let turn: Promise<unknown> = Promise.resolve()

  async function work(
    job: Job<CollectJob>,
    { name, ...settings }: CollectRequest,
    checkpoint: string | null,
    datasetId: DatasetId,
  ): Promise<void> {
    // As what a page sends, so that the next start removes what a death left behind.
    const folder = path.join(dataFolder, 'incoming', randomUUID())
    const file = path.join(folder, 'segments.jsonl')
    const startedAtMs = Date.now()
    const told = (phase: CollectJob['phase'], done: number): void =>
      job.progress({ phase, done, remainingMs: remaining(done, job.state.total, Date.now() - startedAtMs) })
    job.change({ state: 'running', startedAtMs })
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await askWorker(
        worker,
        'collect',
        { settings, checkpoint, out: file },
        { signal: job.signal, onProgress: (phase, done) => told(phase as CollectJob['phase'], done) }, // our own program
      )
      const { transitions } = sizeOf(settings)
      const before = job.state.total - transitions
      const dataset = await addDataset(
        {
          datasetId,
          name,
          kind: 'segment-pairs',
          source: sourceOf(settings),
          licence: null,
          question: `Which of the two is the better ${findWorld(settings.world).info.name.toLowerCase()}?`,
          parts: readParts(file),
        },
        {
          db,
          dataFolder,
          signal: job.signal,
          onProgress: (items) => told('writing', before + 2 * items * settings.steps),
        },
      )
      job.change({ datasetId, name: dataset.name, done: job.state.total, remainingMs: 0 })
      log.info(`collected "${dataset.name}" in ${settings.world}: ${dataset.itemCount} pairs of segments`)
      events.emit('datasets.changed', { datasetId })
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }

  function first(jobId: JobId, { name, ...settings }: CollectRequest): CollectJob {
    const { acted, valueSteps, transitions } = sizeOf(settings)
    return {
      jobId,
      state: 'waiting',
      name,
      world: settings.world,
      phase: 'starting',
      done: 0,
      total: acted + valueSteps + 2 * transitions, // written by the worker, then by the app
      startedAtMs: Date.now(),
      remainingMs: null,
      datasetId: null,
      error: null,
    }
  }

  return {
    start(request, checkpoint, clientKey) {
      const digest =
        clientKey === undefined ? randomBytes(6).toString('hex') : createHash('sha256').update(clientKey).digest('hex')
      const jobId = `collect-${digest.slice(0, 12)}` as JobId // made here
      const known = jobs.get(jobId)?.state.state
      if (known === 'waiting' || known === 'running' || known === 'finished') return jobId
      const state = first(jobId, request)
      requirePolicy(request, checkpoint)
      const { datasetId, made } = placeDataset({ db, dataFolder }, clientKey)
      if (made) {
        // By a process before this one.
        const { name } = requireDataset(db, datasetId)
        jobs.note(jobId, { ...state, state: 'finished', name, done: state.total, remainingMs: 0, datasetId })
        return jobId
      }
      const before = turn
      const job = jobs.start(jobId, state, async (one) => {
        await Promise.race([before, aborted(one.signal)])
        one.signal.throwIfAborted()
        await work(one, request, checkpoint, datasetId)
      })
      turn = Promise.allSettled([before, job.ended])
      return jobId
    },
    async estimate(settings, checkpoint) {
      const { acted, valueSteps, transitions } = sizeOf(settings)
      requirePolicy(settings, checkpoint)
      const { seed: _seed, segments: _segments, noise: _noise, ...way } = settings
      const key = JSON.stringify([way, checkpoint])
      const asked = { settings: { ...settings, seed: 0 }, checkpoint }
      const found = paces.get(key) ?? askWorker(worker, 'collect-pace', asked)
      paces.delete(key)
      paces.set(key, found)
      found.catch(() => paces.delete(key)) // the next who asks tries again
      for (const old of [...paces.keys()].slice(0, -PACES_KEPT)) paces.delete(old)
      const { stepMs, valueStepMs, writtenStepMs } = await found
      return Math.round(
        START_MS + acted * stepMs + valueSteps * valueStepMs + (1 + APP_SHARE) * transitions * writtenStepMs,
      )
    },
    jobs: () => jobs.list().reverse(),
    job: (jobId) => jobs.find(jobId).state,
    cancel: (jobId) => jobs.find(jobId).cancel(),
    async ended(jobId) {
      const { state, datasetId, error, name } = await jobs.find(jobId).ended
      if (state === 'finished' && datasetId !== null) return datasetId
      if (error !== null) throw fromWire(error)
      throw new AppError({
        code: 'cancelled',
        message: `The collection of “${name}” was cancelled.`,
        hint: 'Nothing of it was kept; begin it again.',
      })
    },
    isBusy: () => jobs.isBusy(),
    close: () => jobs.close(),
  }
}

function sizeOf(settings: CollectSettings): CollectionSize {
  const { info, advantage } = findWorld(settings.world)
  return sizeOfCollection(settings, { episodeSteps: info.episodeSteps, advantageKnown: advantage !== undefined })
}

function requirePolicy({ behaviour }: CollectSettings, checkpoint: string | null): void {
  if (behaviour === 'learned' && checkpoint === null)
    throw new AppError({
      code: 'usage-invalid',
      message: 'A learned policy needs a run.',
      hint: 'Name a run that learned from segments of this world.',
    })
}

function sourceOf({ world, seed, behaviour, noise, label }: CollectSettings): string {
  const how = label === 'none' ? 'unjudged' : `judged by ${label}`
  return `collected in ${world} with seed ${seed}: ${behaviour}, noise ${noise}, ${how}`
}

/** Null until there is a rate worth the name. */
function remaining(done: number, total: number, elapsedMs: number): number | null {
  return elapsedMs < 2000 || done < 0.01 * total ? null : Math.round((elapsedMs * (total - done)) / done)
}

async function* readParts(file: string): AsyncGenerator<NewPart> {
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity }))
    yield { item: JSON.parse(line) as NewItem } // written by our own worker
}
