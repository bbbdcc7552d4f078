import { spawn, type ChildProcess } from 'node:child_process'
import type { ReproductionEntry, ReproductionJob } from '../../../shared/contract/papers.ts'
import { childEnvironment } from '../../base/processes/child-environment.ts'
import { AppError } from '../../../shared/errors.ts'
import type { EventBus } from '../events.ts'
import { findReproduction, reproductions } from '../../workers/reproduce/registry.ts'
import { readReport } from './report-files.ts'

export interface ReproduceCommand {
  readonly execPath: string
  /** Up to the verb: the program's command line. */
  readonly args: readonly string[]
  environment?(): NodeJS.ProcessEnv
}

export interface ReproductionService {
  list(): ReproductionEntry[]
  /** Waits its turn: experiments take every core. @throws AppError `not-found`, `run-conflict` while it runs or waits already */
  start(id: string, form: ReproductionJob['form'], seeds: number | null): void
  /** Ends it, or takes it out of the queue; nothing where it is neither. */
  cancel(id: string): void
  /** While an experiment runs, or waits for its turn. */
  isBusy(): boolean
  close(): Promise<void>
}

const KEPT_LINES = 40
const FORMS = ['quick', 'full'] as const

interface Job {
  state: ReproductionJob
  readonly seeds: number | null
  child: ChildProcess | null
  ended: Promise<void>
}

export function createReproductionService({ dataFolder, events, command }: { readonly dataFolder: string; readonly events: EventBus; readonly command: ReproduceCommand }): ReproductionService {
  const jobs = new Map<string, Job>()

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
    const args = [...command.args, 'reproduce', id, '--json', '--data-dir', dataFolder, ...(form === 'full' ? ['--full'] : []), ...(job.seeds === null ? [] : ['--seeds', String(job.seeds)])]
    const env = command.environment?.() ?? childEnvironment(process.env)
    const child = spawn(command.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true, env: process.versions['electron'] === undefined ? env : { ...env, ELECTRON_RUN_AS_NODE: '1' } })
    job.child = child
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => {
      const lines = chunk.toString().split('\n').map((line) => line.trim()).filter((line) => line !== '')
      if (lines.length > 0) change(job, { lines: [...job.state.lines, ...lines].slice(-KEPT_LINES) })
    })
    const problem = await new Promise<string | null>((resolve) => {
      child.once('error', (error) => resolve(`The experiment could not be started: ${error.message}`))
      // 1 tells of a claim that does not hold, which is a result.
      child.once('close', (code, signal) => resolve(code === 0 || code === 1 ? null : (readError(output) ?? `The experiment ended with ${signal ?? `status ${code}`}.`)))
    })
    job.child = null
    if (job.state.state === 'cancelled') return
    const report = readReport(dataFolder, id, form)
    const made = report !== null && report.startedAtMs >= (job.state.startedAtMs ?? 0)
    if (problem === null && made) change(job, { state: 'finished' })
    else change(job, { state: 'failed', error: { message: problem ?? readError(output) ?? 'The experiment left no report.', hint: `Run it in a terminal to see more: pairlab reproduce ${id}` } })
  }

  return {
    list: () => reproductions.map(({ id, paper, claim, minutes }) => ({
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
      findReproduction(id)
      const current = jobs.get(id)?.state.state
      if (current === 'waiting' || current === 'running') throw new AppError({ code: 'run-conflict', message: `${id} is ${current} already.`, hint: 'Wait for it, or cancel it first.' })
      const job: Job = { state: { id, form, state: 'waiting', startedAtMs: null, lines: [], error: null }, seeds, child: null, ended: Promise.resolve() }
      jobs.delete(id) // so that it queues behind the others
      jobs.set(id, job)
      events.emit('papers.progress', job.state)
      startNext()
    },
    cancel(id) {
      const job = jobs.get(id)
      if (job === undefined || (job.state.state !== 'waiting' && job.state.state !== 'running')) return
      change(job, { state: 'cancelled' })
      job.child?.kill('SIGKILL')
    },
    isBusy: () => [...jobs.values()].some((job) => job.state.state === 'waiting' || job.state.state === 'running'),
    async close() {
      for (const job of jobs.values()) {
        if (job.state.state !== 'waiting' && job.state.state !== 'running') continue
        job.state = { ...job.state, state: 'cancelled' }
        job.child?.kill('SIGKILL')
      }
      await Promise.all([...jobs.values()].map((job) => job.ended))
    },
  }
}

/** The message of the error document that the command line prints. */
function readError(output: string): string | null {
  return (/"message":\s*("(?:[^"\\]|\\.)*")/).exec(output)?.[1]?.replace(/^"|"$/g, '') ?? null
}
