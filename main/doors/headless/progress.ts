import { MultiBar, Presets, SingleBar } from 'cli-progress'
import { ENDED_STATES, type RunId } from '../../../shared/domain.ts'
import type { RunSummary } from '../../../shared/contract/runs.ts'
import type { Client } from '../../../shared/rpc.ts'
import { stateWord } from '../../../shared/state-words.ts'
import { formatDuration } from '../../../shared/units.ts'
import { mainValueText } from './main-value.ts'
import { printableLine } from '../../../shared/printable.ts'
import { writeError, type Output } from './output.ts'

const POLL_MS = 300
const PLAIN_LINE_MS = 5000

export interface ProgressView {
  update(runs: readonly RunSummary[]): void
  end(): void
}

function title(run: RunSummary): string {
  return printableLine(`${run.name} s${run.seed}`)
}

function describeRun(run: RunSummary): string {
  if (run.state === 'queued') return run.queuePosition === null ? 'queued' : `queued #${run.queuePosition}`
  if (run.state === 'training' && run.remainingMs !== null) return `${formatDuration(run.remainingMs)} left`
  return run.state === 'starting' || run.state === 'evaluating' ? run.phase || run.state : stateWord(run)
}

/** One bar for each run on a terminal; elsewhere a line now and then. On stderr, so that stdout stays the answer. */
export function createProgress(): ProgressView {
  return process.stderr.isTTY ? barView() : lineView()
}

function barView(): ProgressView {
  const bars = new MultiBar(
    { format: '{name} {bar} {value}/{total} {text}', hideCursor: true, clearOnComplete: false, stream: process.stderr },
    Presets.shades_grey,
  )
  const byRun = new Map<RunId, SingleBar>()
  return {
    update(runs) {
      const width = Math.max(...runs.map((run) => title(run).length))
      for (const run of runs) {
        const payload = { name: title(run).padEnd(width), text: printableLine(describeRun(run)) } // the bars steer the terminal, their words may not
        const bar = byRun.get(run.runId) ?? bars.create(run.totalSteps, 0, payload)
        byRun.set(run.runId, bar)
        bar.setTotal(run.totalSteps)
        bar.update(run.state === 'finished' ? run.totalSteps : run.step, payload)
      }
    },
    end: () => bars.stop(),
  }
}

function lineView(): ProgressView {
  let toldMs = 0
  const ended = new Set<RunId>()
  return {
    update(runs) {
      for (const run of runs) {
        if (!ENDED_STATES.includes(run.state) || ended.has(run.runId)) continue
        ended.add(run.runId)
        writeError(`${title(run)}: ${run.state}${run.mainValue === null ? '' : `, ${mainValueText(run)}`}\n`)
      }
      if (Date.now() - toldMs < PLAIN_LINE_MS) return
      toldMs = Date.now()
      const going = runs.filter((run) => !ENDED_STATES.includes(run.state) && run.state !== 'queued')
      if (going.length > 0)
        writeError(`${going.map((run) => `${title(run)} ${run.step}/${run.totalSteps}`).join('   ')}\n`)
    },
    end: () => {},
  }
}

/** Waits until every run has ended. */
export async function followRuns(
  client: Client,
  runIds: readonly RunId[],
  out: Output,
): Promise<readonly RunSummary[]> {
  const view = out.json ? lineView() : createProgress()
  try {
    for (;;) {
      const all = await client.call('runs.list', { limit: 5000 })
      const runs = runIds.flatMap((runId) => all.filter((run) => run.runId === runId))
      view.update(runs)
      if (runs.every((run) => ENDED_STATES.includes(run.state))) return runs
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
  } finally {
    view.end()
  }
}

export interface CountView {
  update(done: number, total: number, text: string): void
  end(): void
}

/** One piece of work: a bar on a terminal, elsewhere a line when it begins and now and then. On stderr. */
export function createCountView(title: string, out: Output): CountView {
  if (!process.stderr.isTTY || out.json) {
    writeError(`${title} …\n`)
    let toldMs = Date.now()
    return {
      update(done, total, text) {
        if (Date.now() - toldMs < PLAIN_LINE_MS) return
        toldMs = Date.now()
        writeError(`${Math.floor((100 * done) / Math.max(1, total))} %, ${text}\n`)
      },
      end: () => {},
    }
  }
  const bar = new SingleBar(
    { format: '{name} {bar} {percentage} % {text}', hideCursor: true, clearOnComplete: true, stream: process.stderr },
    Presets.shades_grey,
  )
  bar.start(1, 0, { name: printableLine(title), text: '' })
  return {
    update(done, total, text) {
      bar.setTotal(Math.max(1, total))
      bar.update(done, { name: printableLine(title), text: printableLine(text) })
    },
    end: () => bar.stop(),
  }
}
