import type { Output, Parsed } from '../../../shared/contract.ts'
import type { Handlers } from '../../../shared/rpc.ts'
import { USUAL_METRICS } from '../../../shared/compare-point.ts'
import { baseName, describeMetric, TEST } from '../../../shared/metric-names.ts'
import { byName } from '../../../shared/named-values.ts'
import { isLive, type MetricInfo, type RunId } from '../../../shared/domain.ts'
import { algorithms } from '../../core/learn/registry.ts'
import { chosenStep } from '../runs/chosen.ts'
import { compareInSlices, curveMetricOf } from '../runs/comparison.ts'
import { valueAt } from '../runs/comparison-values.ts'
import type { ComparedRun, Curve, Goal } from '../runs/comparison-groups.ts'
import { formatTable } from '../runs/comparison-table.ts'
import { summarizeRun } from '../runs/summary.ts'
import { asBefore } from '../requests/later-settings.ts'
import { listMetricNames, readPoints } from '../store/metrics.ts'
import { readRunSpec } from '../store/runs.ts'
import { readRunItems } from '../runs/run-items.ts'
import { inSlices, type Sliced } from '../store/slices.ts'
import { compareItems } from './comparison-items.ts'
import type { HandlerDeps } from './deps.ts'

type Names = 'comparisons.get' | 'comparisons.items' | 'comparisons.samples' | 'comparisons.table'

export function comparisonHandlers(deps: HandlerDeps): Pick<Handlers, Names> {
  return {
    'comparisons.get': async (input) => (await compare(deps, input)).comparison,
    'comparisons.items': async ({ groupHash, ...input }) => {
      const { runs, options, infos } = await gather(deps, input)
      return compareItems(deps.db, runs, { ...options, infos }, groupHash)
    },
    'comparisons.samples': ({ runIds }) => inSlices(samplesByPrompt(deps, runIds)),
    'comparisons.table': async ({ format, metrics, ...input }) => {
      const { comparison, infos } = await compare(deps, input)
      return formatTable(comparison, metrics, format, (name) => describeMetric(name, infos).label, input.at)
    },
  }
}

interface Compared {
  readonly comparison: Output<'comparisons.get'>
  /** How the compared methods call their metrics. */
  readonly infos: readonly MetricInfo[]
}

async function compare(deps: HandlerDeps, input: Parsed<'comparisons.get'>): Promise<Compared> {
  const { runs, options, infos } = await gather(deps, input)
  return { comparison: await inSlices(compareInSlices(runs, { ...options, infos })), infos }
}

interface Gathered {
  readonly runs: readonly ComparedRun[]
  readonly options: ReturnType<typeof withGoals>
  readonly infos: readonly MetricInfo[]
}

async function gather(deps: HandlerDeps, input: Parsed<'comparisons.get'>): Promise<Gathered> {
  const metric = input.metric === '' ? await inSlices(usualMetric(deps, input.runIds)) : input.metric
  const options = withGoals({ ...input, metric })
  const runs = await inSlices(readRuns(deps, options))
  const methods = new Set(runs.map((run) => run.summary.method))
  const infos = algorithms.filter(({ id }) => methods.has(id)).flatMap(({ metrics }) => metrics)
  return { runs, options, infos }
}

function withGoals(
  input: Parsed<'comparisons.get'>,
): Parsed<'comparisons.get'> & { readonly goals: Record<string, Goal> } {
  const declared = algorithms.flatMap((algorithm) =>
    algorithm.metrics.map((metric) => [metric.name, metric.goal] as const),
  )
  return { ...input, goals: Object.fromEntries(declared) }
}

/** What most of the runs are judged by and all have, of the test side where they have it; else the first usual one that all have. */
function* usualMetric({ db, runs }: HandlerDeps, runIds: readonly RunId[]): Sliced<string> {
  const judged = new Map<string, number>()
  const names: ReadonlySet<string>[] = []
  for (const runId of new Set(runIds)) {
    const { runNo, mainMetric, state } = runs.get(runId)
    if (mainMetric !== null) judged.set(mainMetric, (judged.get(mainMetric) ?? 0) + 1)
    if (state !== 'failed') names.push(new Set(listMetricNames(db, runNo)))
    yield
  }
  const byCount = [...judged].toSorted((a, b) => b[1] - a[1]).map(([name]) => name)
  const wanted = [
    ...byCount
      .flatMap((name) => [`${TEST}${baseName(name)}`, name])
      .filter((name) => baseName(name) !== 'loss' || judged.size === 1),
    ...USUAL_METRICS,
  ]
  return wanted.find((name) => names.every((has) => has.has(name))) ?? byCount[0] ?? USUAL_METRICS[0]
}

/** Of the metric that was asked for, the whole curve; of the others the point that counts: millions of points would fill the memory. */
function* readRuns(
  { db, runs }: HandlerDeps,
  options: Parsed<'comparisons.get'> & { readonly goals: Record<string, Goal> },
): Sliced<ComparedRun[]> {
  const compared: ComparedRun[] = []
  let room = MOST_ITEMS
  for (const runId of new Set(options.runIds)) {
    const entry = runs.get(runId)
    const chosen = chosenStep(entry)
    const size = entry.facts['vocabSize']
    const vocabSize = typeof size === 'number' ? size : null
    const names = listMetricNames(db, entry.runNo)
    const whole = [options.metric, curveMetricOf(options.metric, names)]
    const curves = byName<Curve>()
    for (const name of names) {
      const curve = readCurve(db, entry.runNo, name)
      curves[name] = whole.includes(name) ? curve : onlyPoint(valueAt(curve, options.at, chosen))
      yield
    }
    const spec = asBefore(readRunSpec(db, runId))
    const asked = { runFolder: runs.folderOf(runId), metric: options.metric, at: options.at, chosen }
    const items =
      isLive(entry.state) || room <= 0 ? null : readRunItems({ ...asked, lastStep: lastStepOf(curves[options.metric]) })
    room -= items?.ids.length ?? 0
    compared.push({
      summary: summarizeRun(db, entry),
      spec,
      page: algorithms.find(({ id }) => id === spec.method),
      curves,
      chosen,
      vocabSize,
      items,
    })
    yield
  }
  return compared
}

/** Values by item that one comparison holds in memory: past them runs are compared by their means. */
const MOST_ITEMS = 4_000_000

function lastStepOf(curve: Curve | undefined): number {
  return curve?.step.at(-1) ?? 0
}

/** Before every step, so that whoever looks finds it. */
function onlyPoint(value: number | null): Curve {
  return { step: [0], value: [value] }
}

function readCurve(db: HandlerDeps['db'], runNo: number, name: string): Curve {
  const points = readPoints(db, runNo, name)
  return { step: points.map((point) => point[0]), value: points.map((point) => point[2]) }
}

/** What each run's latest samples answer to a prompt; a prompt is the same where its text is. */
function* samplesByPrompt({ runs }: HandlerDeps, runIds: readonly RunId[]): Sliced<Output<'comparisons.samples'>> {
  const byPrompt = new Map<string, Output<'comparisons.samples'>[number]>()
  for (const runId of new Set(runIds)) {
    const latest = runs.samples(runId).at(-1)
    for (const item of latest?.items ?? []) {
      const entry = byPrompt.get(item.prompt) ?? { promptIndex: byPrompt.size, prompt: item.prompt, answers: [] }
      entry.answers.push({ runId, step: latest?.step ?? 0, item })
      byPrompt.set(item.prompt, entry)
    }
    yield
  }
  return [...byPrompt.values()]
}
