import { randomBytes } from 'node:crypto'
import type { EngineChoice, EngineJob, EngineOverview } from '../../../shared/contract/engines.ts'
import { engineName, type EngineName, type JobId } from '../../../shared/domain.ts'
import { AppError, toWire } from '../../../shared/errors.ts'
import { formatCount } from '../../../shared/units.ts'
import type { ProgramCommand } from '../../base/processes/program.ts'
import type { EventBus } from '../events.ts'
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
  /** How the trainer is started, which also tests engines. */
  readonly worker: ProgramCommand
  readonly events: Pick<EventBus, 'emit'>
  readonly log: { info(text: string, details?: unknown): void; error(text: string, details?: unknown): void }
  /** For tests: where the addon's source is looked for. Default: the installed packages. */
  readonly packages?: readonly string[]
}

interface Job {
  state: EngineJob
  readonly abort: AbortController
  ended: Promise<EngineJob>
}

/** Enough to see where it stands; a build says a dozen lines. */
const MOST_LINES = 200

/** One job at a time: two measurements at once would tell of each other. */
export function createEngineService(deps: EngineServiceDeps): EngineService {
  const { enginesFolder, appVersion, worker, events, log } = deps
  let job: Job | null = null

  const tell = (one: Job, change: Partial<EngineJob>): void => {
    one.state = { ...one.state, ...change }
    events.emit('engine.progress', one.state)
  }

  const say = (one: Job, text: string): void => tell(one, { lines: [...one.state.lines, text].slice(-MOST_LINES) })

  function requireIdle(): void {
    if (job?.state.state !== 'running') return
    throw new AppError({ code: 'run-conflict', message: job.state.kind === 'test' ? 'Engines are being tested.' : 'TensorFlow is being added.', hint: 'Wait until that is done, or cancel it.' })
  }

  function begin(kind: EngineJob['kind'], parts: Pick<EngineJob, 'total' | 'seconds'>, work: (one: Job) => Promise<void>): JobId {
    requireIdle()
    const nowMs = Date.now()
    const jobId = `engine-job-${randomBytes(6).toString('hex')}` as JobId // made here
    const state: EngineJob = { jobId, kind, state: 'running', engine: null, done: 0, ...parts, startedAtMs: nowMs, stepStartedAtMs: nowMs, lines: [], error: null }
    const one: Job = { state, abort: new AbortController(), ended: Promise.resolve(state) }
    job = one
    events.emit('engine.progress', state)
    one.ended = follow(one, work)
    return jobId
  }

  async function follow(one: Job, work: (one: Job) => Promise<void>): Promise<EngineJob> {
    try {
      await work(one)
      one.abort.signal.throwIfAborted()
      tell(one, { state: 'finished', engine: null })
    } catch (error) {
      if (one.abort.signal.aborted) tell(one, { state: 'cancelled', engine: null })
      else {
        if (!(error instanceof AppError)) log.error(`an engine job (${one.state.kind}) failed`, error)
        tell(one, { state: 'failed', engine: null, error: toWire(error) })
      }
    }
    events.emit('engines.changed', {})
    return one.state
  }

  async function testOne(one: Job, name: EngineName, seconds: number): Promise<void> {
    tell(one, { engine: name, stepStartedAtMs: Date.now(), seconds })
    const probe = await probeEngine(worker, name, { enginesFolder, threads: null, seconds, signal: one.abort.signal })
    one.abort.signal.throwIfAborted()
    writeFigures(enginesFolder, appVersion, [probe], Date.now())
    say(one, `${name}: ${outcome(probe)}`)
    tell(one, { done: one.state.done + 1 })
    events.emit('engines.changed', {})
  }

  async function addOne(one: Job, request: AddRequest): Promise<void> {
    tell(one, { engine: 'tensorflow' })
    const { record, device } = await addTensorflow({
      enginesFolder,
      ...request,
      python: 'python3',
      packages: deps.packages ?? tensorflowPackages(),
      nodeHeaders: nodeHeaders(),
      signal: one.abort.signal,
      say: (text) => say(one, text),
      selfTest: (staged) => selfTestStaged(worker, staged, one.abort.signal),
    })
    forgetFigures(enginesFolder, appVersion, 'tensorflow')
    const probe = await probeEngine(worker, 'tensorflow', { enginesFolder, threads: null, seconds: 0, signal: one.abort.signal })
    writeFigures(enginesFolder, appVersion, [probe], Date.now())
    say(one, `${device} is ready.`)
    tell(one, { done: 1 })
    log.info(`added TensorFlow ${record.tensorflowVersion} from ${record.source}`)
  }

  function find(jobId: string): Job {
    if (job?.state.jobId === jobId) return job
    throw new AppError({ code: 'not-found', message: `There is no engine job "${jobId}".`, hint: 'Only the last one is kept, and none over a restart.' })
  }

  const known = (): ReturnType<typeof readFigures> => readFigures(enginesFolder, appVersion)
  return {
    list() {
      const figures = known()
      return {
        engines: engineName.options.map((name) => describeEngine(name, figures?.engines.find((one) => one.name === name), enginesFolder)),
        chosen: { training: chooseEngine(figures, 'training'), sampling: chooseEngine(figures, 'sampling') },
        adapter: readAdapter(enginesFolder),
        job: job?.state ?? null,
      }
    },
    choose: (work) => chooseEngine(known(), work),
    rank: (work) => rankEngines(known(), work),
    test: (names, seconds) => begin('test', { total: names.length, seconds }, async (one) => {
      for (const name of names) await testOne(one, name, secondsFor(name, seconds))
    }),
    add: (request) => begin('add', { total: 1, seconds: 0 }, (one) => addOne(one, request)),
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
    cancel: (jobId) => find(jobId).abort.abort(),
    ended: (jobId) => find(jobId).ended,
    isBusy: () => job?.state.state === 'running',
    async close() {
      job?.abort.abort()
      await job?.ended
    },
  }
}

/** The reference takes a second a step: it is tested and not measured. */
export function secondsFor(name: EngineName, seconds: number): number {
  return name === 'cpu' ? 0 : seconds
}

/** @throws AppError what the test of the freshly built engine gave */
export async function selfTestStaged(worker: ProgramCommand, staged: string, signal?: AbortSignal): Promise<EngineProbe> {
  const probe = await probeEngine(worker, 'tensorflow', { enginesFolder: staged, threads: null, seconds: 0, ...(signal === undefined ? {} : { signal }) })
  signal?.throwIfAborted()
  if (probe.available) return probe
  throw new AppError(probe.error ?? { code: 'engine-unavailable', message: 'The engine did not pass its test.', hint: 'Use another engine.' })
}

function outcome({ available, device, speed, error }: EngineProbe): string {
  if (!available) return error?.message ?? 'not here'
  if (speed === null) return `${device}, passed its test`
  return `${device}, ${formatCount(Math.round(speed.trainingTokensPerSec))} training and ${formatCount(Math.round(speed.samplingTokensPerSec))} sampling tokens/s`
}
