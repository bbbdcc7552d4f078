import type { Output, Parsed } from '../../shared/contract.ts'
import type { Handlers } from '../../shared/rpc.ts'
import type { RunId } from '../../shared/domain.ts'
import { algorithms } from '../learn/registry.ts'
import { compareRuns } from '../runs/comparison.ts'
import type { ComparedRun, Curve, Goal } from '../runs/comparison-groups.ts'
import { formatTable } from '../runs/comparison-table.ts'
import { summarizeRun } from '../runs/summary.ts'
import { listMetricNames, readPoints } from '../store/metrics.ts'
import { readRunSpec } from '../store/runs.ts'
import type { HandlerDeps } from './deps.ts'

type Names = 'comparisons.get' | 'comparisons.samples' | 'comparisons.table'

export function comparisonHandlers(deps: HandlerDeps): Pick<Handlers, Names> {
  return {
    'comparisons.get': (input) => compareRuns(readRuns(deps, input.runIds), withGoals(input)),
    'comparisons.samples': ({ runIds }) => samplesByPrompt(deps, runIds),
    'comparisons.table': ({ format, metrics, ...input }) => formatTable(compareRuns(readRuns(deps, input.runIds), withGoals(input)), metrics, format),
  }
}

function withGoals(input: Parsed<'comparisons.get'>): Parsed<'comparisons.get'> & { readonly goals: Record<string, Goal> } {
  const declared = algorithms.flatMap((algorithm) => algorithm.metrics.map((metric) => [metric.name, metric.goal] as const))
  return { ...input, goals: Object.fromEntries(declared) }
}

function readRuns({ db, runs }: HandlerDeps, runIds: readonly RunId[]): ComparedRun[] {
  return [...new Set(runIds)].map((runId) => {
    const entry = runs.get(runId)
    const names = listMetricNames(db, entry.runNo)
    return { summary: summarizeRun(db, entry), spec: readRunSpec(db, runId), curves: Object.fromEntries(names.map((name) => [name, readCurve(db, entry.runNo, name)])) }
  })
}

function readCurve(db: HandlerDeps['db'], runNo: number, name: string): Curve {
  const points = readPoints(db, runNo, name)
  return { step: points.map((point) => point[0]), value: points.map((point) => point[2]) }
}

/** What each run's latest samples answer to a prompt; a prompt is the same where its text is. */
function samplesByPrompt({ runs }: HandlerDeps, runIds: readonly RunId[]): Output<'comparisons.samples'> {
  const byPrompt = new Map<string, Output<'comparisons.samples'>[number]>()
  for (const runId of new Set(runIds)) {
    const latest = runs.samples(runId).at(-1)
    for (const item of latest?.items ?? []) {
      const entry = byPrompt.get(item.prompt) ?? { promptIndex: byPrompt.size, prompt: item.prompt, answers: [] }
      entry.answers.push({ runId, step: latest?.step ?? 0, item })
      byPrompt.set(item.prompt, entry)
    }
  }
  return [...byPrompt.values()]
}
