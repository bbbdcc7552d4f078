import { randomBytes } from 'node:crypto'
import type { EngineChoice, EngineJob, EngineOverview } from '../../../shared/contract/engines.ts'
import { engineName, type EngineName, type JobId } from '../../../shared/domain.ts'
import { AppError, toWire } from '../../../shared/errors.ts'
import { formatCount } from '../../../shared/units.ts'
import type { ProgramCommand } from '../../base/processes/program.ts'
import type { Log } from '../../base/log.ts'
import type { EventBus } from '../events.ts'
import { createJobs, type Job } from '../jobs.ts'
import { readAdapter, writeAdapter } from './adapter.ts'
import { addTensorflow, removeTensorflow } from './add-tensorflow.ts'
import { nodeHeaders, tensorflowPackages } from './checkout.ts'
import { describeEngine } from './describe-engine.ts'
import { chooseEngine, forgetFigures, rankEngines, readFigures, writeFigures } from './figures.ts'
import { probeEngine, type EngineProbe } from './probe.ts'

export interface AddRequest {
  /** Files or folders; empty: whatever is on this machine. */
  readonly wheels: readonly string[]
  /** Have pip fetch what is not on this machine. */
  readonly fetch: boolean
  /** Then the build for NVIDIA cards. */
  readonly cuda: boolean
}

export interface EngineService {
  list(): EngineOverview
  /** What `auto` takes for a kind of work, and why. */
  choose(work: 'training' | 'sampling'): EngineChoice
  /** The same and what is tried after it, best first. */
  rank(work: 'training' | 'sampling'): EngineName[]
  /** Each in a process of its own. @param seconds to measure for; 0 only tests @throws AppError `run-conflict` while another job runs */
  test(names: readonly EngineName[], seconds: number): JobId
  /** @throws AppError `run-conflict` */
  add(request: AddRequest): JobId
  /** True when there was one. @throws AppError `run-conflict` */
  remove(): boolean
  /** @throws AppError `run-conflict` */
  setAdapter(adapter: string | null): void
  /** Ends a job that runs; one that has ended is left as it is. @throws AppError `not-found` */
  cancel(jobId: string): void
  /** The state of a job when it has ended. @throws AppError `not-found` */
  ended(jobId: string): Promise<EngineJob>
  /** While engines are tested, or one is added. */
  isBusy(): boolean
  close(): Promise<void>
}

export interface EngineServiceDeps {
  readonly enginesFolder: string
  readonly appVersion: string
  /** What tests them. */
  readonly worker: ProgramCommand
  readonly events: Pick<EventBus, 'emit'>
  readonly log: Pick<Log, 'info' | 'error'>
  /** For tests: where the addon's source is looked for. Default: the installed packages. */
  readonly packages?: readonly string[]
}

/** Enough to see where it stands; a build says a dozen lines. */
const MOST_LINES = 200

/** One job at a time: two measurements at once would tell of each other. */
export function createEngineService(deps: EngineServiceDeps): EngineService {
  const { enginesFolder, appVersion, worker, events, log } = deps
  let last: JobId | null = null
  const jobs = createJobs<EngineJob>({
    tell: (state) => events.emit('engine.progress', state),
    failure: (error) => {
      if (!(error instanceof AppError)) log.error('an engine job failed', error)
      return { error: toWire(error) }
    },
    stopped: { engine: null },
    missing: (jobId) =>
      new AppError({
        code: 'not-found',
        message: `There is no engine job "${jobId}".`,
        hint: 'None is kept over a restart.',
      }),
  })

  const say = (job: Job<EngineJob>, text: string): void =>
    job.change({ lines: [...job.state.lines, text].slice(-MOST_LINES) })

  function requireIdle(): void {
    const job = last === null ? null : jobs.get(last)
    if (job?.state.state !== 'running') return
    throw new AppError({
      code: 'run-conflict',
      message: job.state.kind === 'test' ? 'Engines are being tested.' : 'TensorFlow is being added.',
      hint: 'Wait until that is done, or cancel it.',
    })
  }

  function begin(
    kind: EngineJob['kind'],
    parts: Pick<EngineJob, 'total' | 'seconds'>,
    work: (job: Job<EngineJob>) => Promise<void>,
  ): JobId {
    requireIdle()
    const nowMs = Date.now()
    const jobId = `engine-job-${randomBytes(6).toString('hex')}` as JobId // made here
    last = jobId
    const state: EngineJob = {
      jobId,
      kind,
      state: 'running',
      engine: null,
      done: 0,
      ...parts,
      startedAtMs: nowMs,
      stepStartedAtMs: nowMs,
      lines: [],
      error: null,
    }
    const { ended } = jobs.start(jobId, state, async (job) => {
      await work(job)
      job.signal.throwIfAborted()
      job.progress({ engine: null })
    })
    void ended.then(() => events.emit('engines.changed', {}))
    return jobId
  }

  async function testOne(job: Job<EngineJob>, name: EngineName, seconds: number): Promise<void> {
    job.change({ engine: name, stepStartedAtMs: Date.now(), seconds })
    const probe = await probeEngine(worker, name, { enginesFolder, threads: null, seconds, signal: job.signal })
    job.signal.throwIfAborted()
    writeFigures(enginesFolder, appVersion, [probe], Date.now())
    say(job, `${name}: ${outcome(probe)}`)
    job.change({ done: job.state.done + 1 })
    events.emit('engines.changed', {})
  }

  async function addOne(job: Job<EngineJob>, request: AddRequest): Promise<void> {
    job.change({ engine: 'tensorflow' })
    const { record, device } = await addTensorflow({
      enginesFolder,
      ...request,
      python: 'python3',
      packages: deps.packages ?? tensorflowPackages(),
      nodeHeaders: nodeHeaders(),
      signal: job.signal,
      say: (text) => say(job, text),
      selfTest: (staged) => selfTestStaged(worker, staged, job.signal),
    })
    forgetFigures(enginesFolder, appVersion, 'tensorflow')
    const probe = await probeEngine(worker, 'tensorflow', {
      enginesFolder,
      threads: null,
      seconds: 0,
      signal: job.signal,
    })
    writeFigures(enginesFolder, appVersion, [probe], Date.now())
    say(job, `${device} is ready.`)
    job.change({ done: 1 })
    log.info(`added TensorFlow ${record.tensorflowVersion} from ${record.source}`)
  }

  const known = (): ReturnType<typeof readFigures> => readFigures(enginesFolder, appVersion)
  return {
    list() {
      const figures = known()
      return {
        engines: engineName.options.map((name) =>
          describeEngine(
            name,
            figures?.engines.find((one) => one.name === name),
            enginesFolder,
          ),
        ),
        chosen: { training: chooseEngine(figures, 'training'), sampling: chooseEngine(figures, 'sampling') },
        adapter: readAdapter(enginesFolder),
        job: last === null ? null : jobs.find(last).state,
      }
    },
    choose: (work) => chooseEngine(known(), work),
    rank: (work) => rankEngines(known(), work),
    test: (names, seconds) =>
      begin('test', { total: names.length, seconds }, async (job) => {
        for (const name of names) await testOne(job, name, secondsFor(name, seconds))
      }),
    add: (request) => begin('add', { total: 1, seconds: 0 }, (job) => addOne(job, request)),
    remove() {
      requireIdle()
      const removed = removeTensorflow(enginesFolder)
      forgetFigures(enginesFolder, appVersion, 'tensorflow')
      events.emit('engines.changed', {})
      return removed
    },
    setAdapter(adapter) {
      requireIdle()
      writeAdapter(enginesFolder, adapter)
      forgetFigures(enginesFolder, appVersion, 'webgpu')
      events.emit('engines.changed', {})
    },
    cancel: (jobId) => jobs.find(jobId).cancel(),
    ended: (jobId) => jobs.find(jobId).ended,
    isBusy: () => jobs.isBusy(),
    close: () => jobs.close(),
  }
}

/** The reference takes a second a step: it is tested and not measured. */
export function secondsFor(name: EngineName, seconds: number): number {
  return name === 'cpu' ? 0 : seconds
}

/** @throws AppError what the test of the freshly built engine gave */
export async function selfTestStaged(
  worker: ProgramCommand,
  staged: string,
  signal?: AbortSignal,
): Promise<EngineProbe> {
  const probe = await probeEngine(worker, 'tensorflow', {
    enginesFolder: staged,
    threads: null,
    seconds: 0,
    ...(signal === undefined ? {} : { signal }),
  })
  signal?.throwIfAborted()
  if (probe.available) return probe
  throw new AppError(
    probe.error ?? {
      code: 'engine-unavailable',
      message: 'The engine did not pass its test.',
      hint: 'Use another engine.',
    },
  )
}

function outcome({ available, device, speed, error }: EngineProbe): string {
  if (!available) return error?.message ?? 'not here'
  if (speed === null) return `${device}, passed its test`
  return `${device}, ${formatCount(Math.round(speed.trainingTokensPerSec))} training and ${formatCount(Math.round(speed.samplingTokensPerSec))} sampling tokens/s`
}
