import { randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import {
  sampleItem,
  type Estimate,
  type FetchedCurves,
  type RunSummary,
  type SampleItem,
} from '../../../shared/contract/runs.ts'
import type { Settings } from '../../../shared/contract/system.ts'
import { canMove, isLive, LIVE_STATES, type RunId } from '../../../shared/domain.ts'
import { AppError } from '../../../shared/errors.ts'
import type { RunSpec } from '../../../shared/run-spec.ts'
import type { Log } from '../../base/log.ts'
import type { ProgramCommand } from '../../base/processes/program.ts'
import { listSamples, readSeries } from '../store/metrics.ts'
import type { WritableDb } from '../store/open.ts'
import { atOnce, inSlices, type Sliced } from '../store/slices.ts'
import {
  deleteRun,
  insertRun,
  lastQueueOrder,
  listQueue,
  listRuns,
  moveInQueue,
  requireRun,
  updateRun,
  type MethodTitle,
  type RunEntry,
  type RunFilter,
} from '../store/runs.ts'
import { storedJson } from '../store/stored-json.ts'
import { createJobs, type JobState } from '../jobs.ts'
import { discardFolder } from '../store/trash.ts'
import { changeAppRecord, readAppRecord, writeAppRecord } from './app-record.ts'
import { runEstimate } from './estimate.ts'
import { startQueued } from './queue.ts'
import { listUnwatched, rebuildIndex, reconcileRuns } from './rebuild.ts'
import { lockOwner } from '../../base/run-folder/lock.ts'
import { readTail } from '../../base/files/tail.ts'
import { runPaths } from '../../base/run-folder/paths.ts'
import { writeSpec } from '../../base/run-folder/spec.ts'
import { runBytes, summarizeRun } from './summary.ts'
import { stayAwakeFor } from './stay-awake.ts'
import { createSupervisor, POLL_MS, type RunAudience, type StopMode } from './supervisor.ts'

export interface RunServiceOptions {
  readonly db: WritableDb
  readonly dataFolder: string
  readonly worker: ProgramCommand
  readonly events: RunAudience
  readonly settings: () => Pick<Settings, 'slots' | 'queuePaused' | 'keepAwake'>
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>
  /** Told before each run folder that the index does not have: how many were read, and of how many. */
  readonly onRead?: (done: number, total: number) => void
  /** Silence after which a run counts as lost; for tests, which cannot wait half a minute. */
  readonly silenceMs?: number
}

/** A specification ready to be written down, but for what only the service knows. */
export interface PreparedRun {
  readonly spec: RunSpec
  readonly title: MethodTitle
}

export interface RunService {
  readonly runsFolder: string
  readonly cacheFolder: string
  /** True while a process of a run may exist. */
  isTraining(): boolean
  folderOf(runId: string): string
  /**
   * Writes the folders, then queues the runs in the order given.
   * @param clientKey of the call: those of its runs that an earlier try made are not made again
   */
  start(runs: readonly PreparedRun[], clientKey?: string): RunId[]
  list(filter: RunFilter): Sliced<RunSummary[]>
  /** @throws AppError `not-found` */
  get(runId: string): RunEntry
  metrics(runId: string, names: readonly string[], maxPoints: number, discarded: boolean): FetchedCurves
  samples(runId: string): { step: number; items: SampleItem[] }[]
  logTail(runId: string, lines: number): readonly string[]
  /** A queued run, or one whose process is gone, is cancelled at once; a live one is asked, then told. */
  stop(runId: string, mode: StopMode): void
  checkpoint(runId: string): void
  /** Queues an ended run again; it goes on from its last checkpoint. @throws AppError `run-conflict` */
  resume(runId: string): void
  setNote(runId: string, note: string): void
  /** Moves the folder to `trash/`. @throws AppError `run-conflict` while it runs */
  remove(runId: string): void
  move(runId: string, position: number): void
  /** Looks at the queue now: settings have changed. */
  wake(): void
  /**
   * Real steps in a process of its own. A newer dry run of the same asker ends the one before.
   * @param asker null for one that nobody else replaces   @param prepare looks up what is asked for, and has it measured
   * @throws AppError `cancelled` when it is replaced, cancelled, or the service is closed; what `prepare` throws
   */
  dryRun(
    asker: string | null,
    prepare: (measure: (spec: RunSpec, runs: number) => Promise<Estimate>) => Promise<Estimate>,
  ): Promise<Estimate>
  cancelDryRun(asker: string): void
  /** Reads the folders that came since: from the trash, for example. */
  readNewFolders(): void
  /** Reads every run folder again. Returns how many there are. */
  rebuild(): number
  /** `continue`: processes go on by themselves. `checkpoint`: they save and end first. */
  close(mode: 'continue' | 'checkpoint'): Promise<void>
}

function sayBeside(runs: number): string {
  return `This was measured beside ${runs === 1 ? 'a run' : `${runs} runs`} in progress, which took part of the machine: alone it is faster.`
}

const CLOSE_PATIENCE_MS = 60_000
/** A call is made again within moments; an hour also covers a computer that slept. */
const START_MEMORY_MS = 3600_000

export async function createRunService(options: RunServiceOptions): Promise<RunService> {
  const { db, dataFolder, events, log } = options
  const runsFolder = path.join(dataFolder, 'runs')
  const cacheFolder = path.join(dataFolder, 'cache')
  mkdirSync(runsFolder, { recursive: true })
  mkdirSync(cacheFolder, { recursive: true })
  const supervisor = createSupervisor({
    db,
    runsFolder,
    worker: options.worker,
    audience: events,
    log,
    began(pid) {
      if (options.settings().keepAwake) stayAwakeFor(pid)
    },
    ...(options.silenceMs === undefined ? {} : { silenceMs: options.silenceMs }),
  })
  const folderOf = (runId: string): string => path.join(runsFolder, runId)
  let closed = false
  const dryRuns = createJobs<JobState>({
    tell: () => undefined,
    failure: () => ({}),
    missing: () => conflict('There is no such dry run.', 'Ask for one.'),
  })

  function tick(): void {
    if (closed) return
    try {
      supervisor.poll()
      if (startQueued(db, supervisor, options.settings()) > 0) events.emit('runs.changed', {})
    } catch (error) {
      log.error('watching over runs failed; trying again', error)
    }
  }

  function show(runId: string): void {
    events.emit('run.state', summarizeRun(db, requireRun(db, runId)))
    events.emit('runs.changed', {})
  }

  function adopt(): void {
    for (const runId of listUnwatched(db)) if (!supervisor.holds(runId)) supervisor.attach(runId)
    // Given up for lost, yet there: its log is followed again.
    for (const run of listRuns(db, { states: ['lost'] }))
      if (!supervisor.holds(run.runId) && lockOwner(folderOf(run.runId)) !== null) supervisor.attach(run.runId)
  }

  /** Runs that calls of the last hour made, by key and place. */
  function findStarted(): Map<string, RunId> {
    const recent = listRuns(db).filter((run) => run.createdAtMs > Date.now() - START_MEMORY_MS)
    return new Map(
      recent.flatMap(({ runId }) => {
        const key = readAppRecord(folderOf(runId))?.startKey
        return key === undefined ? [] : [[key, runId] as const]
      }),
    )
  }

  const watcher = {
    warn: (text: string, details: unknown): void => log.warn(text, details),
    onRead: options.onRead ?? (() => undefined),
  }
  const added = await inSlices(reconcileRuns(db, runsFolder, watcher))
  if (added.length > 0) log.info(`indexed ${added.length} run folders`)
  adopt()
  const timer = setInterval(tick, POLL_MS)
  tick()

  return {
    runsFolder,
    cacheFolder,
    isTraining: () => supervisor.watching > 0,
    folderOf,
    start(runs, clientKey) {
      const made = clientKey === undefined ? new Map<string, RunId>() : findStarted()
      const runIds = runs.map(({ spec }, index) => made.get(`${clientKey}/${index}`) ?? spec.runId)
      for (const [index, { spec, title }] of runs.entries()) {
        if (runIds[index] !== spec.runId) continue
        mkdirSync(folderOf(spec.runId))
        writeAppRecord(folderOf(spec.runId), {
          ...title,
          note: '',
          ended: null,
          ...(clientKey === undefined ? {} : { startKey: `${clientKey}/${index}` }),
        })
        writeSpec(folderOf(spec.runId), spec)
        insertRun(db, spec, title)
        updateRun(db, spec.runId, { queueOrder: lastQueueOrder(db) + 1 })
      }
      events.emit('runs.changed', {})
      setImmediate(tick)
      return runIds
    },
    *list(filter) {
      const queue = listQueue(db).map((run) => run.runId)
      const runs = listRuns(db, filter)
      yield
      const summaries: RunSummary[] = []
      for (const run of runs) {
        summaries.push(summarizeRun(db, run, queue))
        yield
      }
      return summaries
    },
    get: (runId) => requireRun(db, runId),
    metrics(runId, names, maxPoints, discarded) {
      const run = requireRun(db, runId)
      return { upTo: run.cursorSeq, series: readSeries(db, run.runNo, names, maxPoints, discarded) }
    },
    samples: (runId) =>
      listSamples(db, requireRun(db, runId).runNo).map((row) => ({
        step: row.step,
        items: storedJson(z.array(sampleItem), row.items, `samples of ${runId}`),
      })),
    logTail: (runId, lines) => readTail(runPaths(folderOf(requireRun(db, runId).runId)).log, lines),
    stop(runId, mode) {
      const run = requireRun(db, runId)
      if (run.state === 'queued' || (run.state === 'lost' && !supervisor.holds(runId))) {
        const atMs = Date.now()
        changeAppRecord(folderOf(runId), run, {
          ended: { state: 'cancelled', atMs, afterSeq: run.cursorSeq, error: null },
        })
        updateRun(db, runId, { state: 'cancelled', phase: 'ended', queueOrder: null, endedAtMs: atMs })
        show(runId)
        return
      }
      if (!isLive(run.state) && run.state !== 'lost')
        throw conflict(`The run "${run.name}" has already ended (${run.state}).`, 'There is nothing to stop.')
      supervisor.stop(runId, mode)
    },
    checkpoint(runId) {
      const run = requireRun(db, runId)
      if (!isLive(run.state))
        throw conflict(`The run "${run.name}" is not running.`, 'Only a running run can write a checkpoint.')
      supervisor.checkpoint(runId)
    },
    resume(runId) {
      const run = requireRun(db, runId)
      if (!canMove(run.state, 'queued'))
        throw conflict(
          `The run "${run.name}" is ${run.state}.`,
          run.state === 'finished' ? 'Clone it to train again with other settings.' : 'Stop it first.',
        )
      updateRun(db, runId, { state: 'queued', phase: 'queued', queueOrder: lastQueueOrder(db) + 1, endedAtMs: null })
      show(runId)
      setImmediate(tick)
    },
    setNote(runId, note) {
      changeAppRecord(folderOf(runId), requireRun(db, runId), { note })
      updateRun(db, runId, { note, diskBytes: runBytes(folderOf(runId)) })
      show(runId)
    },
    remove(runId) {
      const run = requireRun(db, runId)
      if (isLive(run.state) || lockOwner(folderOf(runId)) !== null)
        throw conflict(`The run "${run.name}" is still running.`, 'Stop it first.')
      discardFolder(
        dataFolder,
        folderOf(runId),
        { kind: 'run', id: runId, name: run.name, deletedAtMs: Date.now(), labelEvents: 0 },
        () => deleteRun(db, runId),
      )
      events.emit('runs.changed', {})
    },
    move(runId, position) {
      if (requireRun(db, runId).state !== 'queued')
        throw conflict('Only a queued run has a place in the queue.', 'Refresh the list: it may have started.')
      moveInQueue(db, runId, position)
      events.emit('runs.changed', {})
    },
    wake: () => void setImmediate(tick),
    async dryRun(asker, prepare) {
      if (closed) throw closedError()
      const id = asker ?? randomUUID()
      dryRuns.get(id)?.cancel(superseded())
      return dryRuns.start(id, { state: 'running' }, (job) =>
        prepare(async (spec, runs) => {
          const busy = (): number => listRuns(db, { states: LIVE_STATES }).length
          const before = busy()
          const found = await runEstimate({
            spec,
            runs,
            worker: options.worker,
            scratchFolder: path.join(dataFolder, 'scratch'),
            signal: job.signal,
          })
          const beside = Math.max(before, busy())
          return beside === 0 ? found : { ...found, warnings: [...found.warnings, sayBeside(beside)] }
        }),
      ).outcome
    },
    cancelDryRun: (asker) => dryRuns.get(asker)?.cancel(superseded()),
    readNewFolders() {
      atOnce(reconcileRuns(db, runsFolder, watcher)) // one or a few: what was put back from the trash
      events.emit('runs.changed', {})
    },
    rebuild() {
      supervisor.poll()
      const count = rebuildIndex(db, runsFolder, (text, details) => log.warn(text, details))
      adopt()
      events.emit('runs.changed', {})
      return count
    },
    async close(mode) {
      clearInterval(timer)
      if (closed) return
      closed = true // no tick may start what is queued
      await dryRuns.close(closedError())
      if (mode === 'checkpoint') {
        for (const runId of listUnwatched(db)) supervisor.stop(runId, 'stop-and-save')
        for (
          const until = performance.now() + CLOSE_PATIENCE_MS;
          supervisor.watching > 0 && performance.now() < until;
        ) {
          await new Promise((resolve) => setTimeout(resolve, POLL_MS / 2))
          supervisor.poll()
        }
      }
    },
  }
}

function superseded(): AppError {
  return new AppError({
    code: 'cancelled',
    message: 'The dry run was given up.',
    hint: 'Nothing to do; a newer one answers.',
  })
}

function closedError(): AppError {
  return new AppError({ code: 'cancelled', message: 'Pairlab was closed.', hint: 'Ask again once it is open.' })
}

function conflict(message: string, hint: string): AppError {
  return new AppError({ code: 'run-conflict', message, hint })
}
