import type { BanditReport, ReproductionEntry, ReproductionJob } from '../../../shared/contract/papers.ts'
import { AppError, toWire } from '../../../shared/errors.ts'
import { askWorker } from '../../base/processes/ask-worker.ts'
import type { ProgramCommand } from '../../base/processes/program.ts'
import { experiments, findExperiment } from '../../core/experiments.ts'
import type { EventBus } from '../events.ts'
import { createJobs, type Job } from '../jobs.ts'
import { keepFound, readReport } from './report-files.ts'

export interface ReproductionService {
  list(): ReproductionEntry[]
  /** Waits its turn: experiments take every core. @throws AppError `not-found`, `run-conflict` while it runs or waits already */
  start(id: string, form: ReproductionJob['form'], seeds: number | null): void
  /** Ends it, or takes it out of the queue; nothing where it is neither. */
  cancel(id: string): Promise<void>
  /** While an experiment runs, or waits for its turn. */
  isBusy(): boolean
  /** CoPG §5.1 with exact gradients: computed once, in a process of its own. */
  bandit(): Promise<BanditReport>
  close(): Promise<void>
}

const KEPT_LINES = 120
const FORMS = ['quick', 'full'] as const

export interface ReproductionDeps {
  readonly dataFolder: string
  readonly enginesFolder: string
  readonly appVersion: string
  readonly events: EventBus
  readonly worker: ProgramCommand
}

export function createReproductionService({
  dataFolder,
  enginesFolder,
  appVersion,
  events,
  worker,
}: ReproductionDeps): ReproductionService {
  const jobs = createJobs<ReproductionJob>({
    tell: (state) => events.emit('papers.progress', state),
    failure: (error) => {
      const { message, hint } = toWire(error)
      return { error: { message, hint } }
    },
    missing: (id) =>
      new AppError({
        code: 'not-found',
        message: `The experiment "${id}" was not asked for.`,
        hint: 'Start it first.',
      }),
  })
  /** Settles when the experiments that were asked for so far have ended: they take every core, so one waits for the other. */
  let turn: Promise<unknown> = Promise.resolve()
  let bandit: Promise<BanditReport> | null = null

  async function work(job: Job<ReproductionJob>, before: Promise<unknown>, seeds: number | null): Promise<void> {
    await before
    job.signal.throwIfAborted()
    const startedAtMs = Date.now()
    job.change({ state: 'running', startedAtMs })
    const { id, form } = job.state
    const found = await askWorker(
      worker,
      'reproduce',
      { id, form, seedCount: seeds, engine: 'wasm', enginesFolder },
      {
        onNote: (text) => job.change({ lines: [...job.state.lines, text].slice(-KEPT_LINES) }),
        signal: job.signal,
      },
    )
    job.change({ lines: found.text.split('\n').slice(-KEPT_LINES) }) // shown beside the error where it cannot be kept
    keepFound(dataFolder, found, { appVersion, startedAtMs })
  }

  return {
    list: () =>
      experiments.map(({ id, kind, paper, about, minutes }) => ({
        id,
        kind,
        paper: { ...paper },
        about,
        minutes: { ...minutes },
        kept: FORMS.flatMap((form) => {
          const kept = readReport(dataFolder, id, form)
          if (kept === null) return []
          const { gates, verdict } = kept.report
          return [
            {
              form,
              verdict,
              gates: gates.length,
              holding: gates.filter((gate) => gate.verdict === 'holds').length,
              startedAtMs: kept.startedAtMs,
              wallMs: kept.wallMs,
            },
          ]
        }),
        job: jobs.get(id)?.state ?? null,
      })),
    start(id, form, seeds) {
      findExperiment(id)
      const current = jobs.get(id)?.state.state
      if (current === 'waiting' || current === 'running')
        throw new AppError({
          code: 'run-conflict',
          message: `${id} is ${current} already.`,
          hint: 'Wait for it, or cancel it first.',
        })
      const before = turn
      turn = jobs.start(id, { id, form, state: 'waiting', startedAtMs: null, lines: [], error: null }, (job) =>
        work(job, before, seeds),
      ).ended
    },
    async cancel(id) {
      const job = jobs.get(id)
      const isRunning = job?.state.state === 'running'
      job?.cancel()
      if (isRunning) await job.ended // one that waited is out of the queue at once
    },
    bandit() {
      bandit ??= askWorker(worker, 'bandit', {})
      bandit.catch(() => (bandit = null)) // the next who asks tries again
      return bandit
    },
    isBusy: () => jobs.isBusy(),
    close: () => jobs.close(),
  }
}
