import type { BanditReport, ReproductionEntry, ReproductionJob } from '../../../shared/contract/papers.ts'
import { AppError, toWire } from '../../../shared/errors.ts'
import { askWorker } from '../../base/processes/ask-worker.ts'
import type { ProgramCommand } from '../../base/processes/program.ts'
import { experiments, findExperiment } from '../../core/experiments.ts'
import type { EventBus } from '../events.ts'
import { keepFound, readReport } from './report-files.ts'

export interface ReproductionService {
  list(): ReproductionEntry[]
  /** Waits its turn: experiments take every core. @throws AppError `not-found`, `run-conflict` while it runs or waits already */
  start(id: string, form: ReproductionJob['form'], seeds: number | null): void
  /** Ends it, or takes it out of the queue; nothing where it is neither. */
  cancel(id: string): void
  /** While an experiment runs, or waits for its turn. */
  isBusy(): boolean
  /** CoPG §5.1 with exact gradients: computed once, in a process of its own. */
  bandit(): Promise<BanditReport>
  close(): Promise<void>
}

const KEPT_LINES = 40
const FORMS = ['quick', 'full'] as const

interface Job {
  state: ReproductionJob
  readonly seeds: number | null
  readonly abort: AbortController
  ended: Promise<void>
}

export interface ReproductionDeps {
  readonly dataFolder: string
  readonly enginesFolder: string
  readonly appVersion: string
  readonly events: EventBus
  readonly worker: ProgramCommand
}

export function createReproductionService({ dataFolder, enginesFolder, appVersion, events, worker }: ReproductionDeps): ReproductionService {
  const jobs = new Map<string, Job>()
  let bandit: Promise<BanditReport> | null = null

  function change(job: Job, changes: Partial<ReproductionJob>): void {
    job.state = { ...job.state, ...changes }
    events.emit('papers.progress', job.state)
  }

  function startNext(): void {
    if ([...jobs.values()].some((job) => job.state.state === 'running')) return
    const next = [...jobs.values()].find((job) => job.state.state === 'waiting')
    if (next === undefined) return
    change(next, { state: 'running', startedAtMs: Date.now() })
    next.ended = run(next).finally(startNext)
  }

  async function run(job: Job): Promise<void> {
    const { id, form } = job.state
    const startedAtMs = Date.now()
    try {
      const found = await askWorker(worker, 'reproduce', { id, form, seedCount: job.seeds, engine: 'wasm', enginesFolder }, {
        onNote: (text) => change(job, { lines: [...job.state.lines, text].slice(-KEPT_LINES) }),
        signal: job.abort.signal,
      })
      keepFound(dataFolder, found, { appVersion, startedAtMs })
      change(job, { state: 'finished' })
    } catch (error) {
      if (job.state.state === 'cancelled') return
      const { message, hint } = toWire(error)
      change(job, { state: 'failed', error: { message, hint } })
    }
  }

  return {
    list: () => experiments.map(({ id, paper, claim, minutes }) => ({
      id,
      paper: { ...paper },
      claim,
      minutes: { ...minutes },
      kept: FORMS.flatMap((form) => {
        const kept = readReport(dataFolder, id, form)
        if (kept === null) return []
        const { gates, verdict } = kept.report
        return [{ form, verdict, gates: gates.length, holding: gates.filter((gate) => gate.verdict === 'holds').length, startedAtMs: kept.startedAtMs, wallMs: kept.wallMs }]
      }),
      job: jobs.get(id)?.state ?? null,
    })),
    start(id, form, seeds) {
      findExperiment(id)
      const current = jobs.get(id)?.state.state
      if (current === 'waiting' || current === 'running') throw new AppError({ code: 'run-conflict', message: `${id} is ${current} already.`, hint: 'Wait for it, or cancel it first.' })
      const job: Job = { state: { id, form, state: 'waiting', startedAtMs: null, lines: [], error: null }, seeds, abort: new AbortController(), ended: Promise.resolve() }
      jobs.delete(id) // so that it queues behind the others
      jobs.set(id, job)
      events.emit('papers.progress', job.state)
      startNext()
    },
    cancel(id) {
      const job = jobs.get(id)
      if (job === undefined || (job.state.state !== 'waiting' && job.state.state !== 'running')) return
      change(job, { state: 'cancelled' })
      job.abort.abort()
    },
    bandit() {
      bandit ??= askWorker(worker, 'bandit', {})
      bandit.catch(() => (bandit = null)) // the next who asks tries again
      return bandit
    },
    isBusy: () => [...jobs.values()].some((job) => job.state.state === 'waiting' || job.state.state === 'running'),
    async close() {
      for (const job of jobs.values()) {
        if (job.state.state !== 'waiting' && job.state.state !== 'running') continue
        job.state = { ...job.state, state: 'cancelled' }
        job.abort.abort()
      }
      await Promise.all([...jobs.values()].map((job) => job.ended))
    },
  }
}
