import type { Comparison, Interval } from '../../../shared/contract/comparisons.ts'
import { baseName, describeMetric, EVAL, lowerFirst, TEST } from '../../../shared/metric-names.ts'
import { byName } from '../../../shared/named-values.ts'
import { percentileInterval, resampleIndices, resampleMeans } from '../../../shared/statistics/bootstrap.ts'
import { mean } from '../../../shared/statistics/intervals.ts'
import { nameData } from './comparison-basis.ts'
import {
  countedRuns,
  curveOf,
  diffSettings,
  groupRuns,
  type ComparedRun,
  type CompareOptions,
  type Goal,
  type NamedGroup,
  type RunGroup,
} from './comparison-groups.ts'
import { compareToBaseline } from './comparison-differences.ts'
import { robustOf } from './comparison-robust.ts'
import { nameGroups } from './comparison-names.ts'
import { intervalOf, memberValues, present } from './comparison-values.ts'
import { atOnce, type Sliced } from '../store/slices.ts'
import { concludeInWords, sidesInWords } from './comparison-words.ts'
import { warnInWords } from './comparison-warnings.ts'

/** A band is drawn from at most this many steps, evenly taken; its ends are always kept. */
const BAND_STEPS = 300
const BAND_RESAMPLES = 400

/**
 * Groups of runs that differ only in their seed, each metric's mean and interval over seeds, differences against a
 * baseline, and what may be said about them. Pure: same runs, same answer. Runs that do not count (`countedRuns`) are
 * named in the warnings.
 */
export function* compareInSlices(runs: readonly ComparedRun[], options: CompareOptions): Sliced<Comparison> {
  const curveMetric = curveMetricOf(
    options.metric,
    runs.flatMap((run) => Object.keys(run.curves)),
  )
  const bare = groupRuns(runs, options.groupBy)
  const labels = yield* nameGroups(bare, options.groupBy)
  const data = nameData(bare)
  const groups = bare.map((group, at): NamedGroup => ({ ...group, label: labels[at] ?? group.key }))
  const metricNames = [...new Set(runs.flatMap((run) => Object.keys(run.curves)))].toSorted(byMetricName)
  const goal = goalOf(options.metric, options.goals)
  const said =
    options.infos === undefined ? options.metric : lowerFirst(describeMetric(options.metric, options.infos).label)
  const scored: Comparison['groups'] = []
  for (const [at, group] of groups.entries())
    scored.push(yield* scoreGroup(group, data[at] ?? '', metricNames, options))
  const differences = yield* compareToBaseline(groups, options)
  const diff = yield* diffSettings(groups)
  const curves: Comparison['curves'] = []
  for (const group of groups) curves.push(yield* bandOf(group, { ...options, metric: curveMetric }))
  return {
    metric: options.metric,
    curveMetric,
    metricNames,
    groups: scored,
    curves,
    differences,
    robust: robustOf(groups, options),
    diff: diff.differing.map(({ path, values }) => ({ path, values: [...values] })),
    sameSettings: diff.same,
    conclusions: concludeInWords({
      groups,
      metric: said,
      metricName: options.metric,
      goal,
      differences,
      values: scored.map((group) => group.values[options.metric]),
      at: options.at,
      margin: options.margin,
      sides: sidesInWords(groups, options.metric),
    }),
    warnings: warnInWords({ groups, metric: options.metric, said, at: options.at, groupBy: options.groupBy }),
  }
}

/** A number of the test side is measured at the end alone: what has a curve is the same of the validation side. */
export function curveMetricOf(metric: string, names: readonly string[]): string {
  const twin = `${EVAL}${baseName(metric)}`
  return metric.startsWith(TEST) && names.includes(twin) ? twin : metric
}

/** The same at once. */
export function compareRuns(runs: readonly ComparedRun[], options: CompareOptions): Comparison {
  return atOnce(compareInSlices(runs, options))
}

/** Held-out metrics first, then by name. */
function byMetricName(a: string, b: string): number {
  const rank = Number(b.startsWith('eval/')) - Number(a.startsWith('eval/'))
  return rank !== 0 ? rank : a.localeCompare(b, 'en')
}

/** As declared by the method; else losses fall, accuracies and win rates rise, and everything else is left undecided. */
export function goalOf(metric: string, goals: Readonly<Record<string, Goal>> = {}): Goal {
  const declared = [metric, metric.replace(/^eval\//, '')].find((name) => Object.hasOwn(goals, name))
  if (declared !== undefined) return goals[declared] ?? 'none'
  if (/(^|\/)loss$/.test(metric)) return 'min'
  return /accurac|win-?rate/.test(metric) ? 'max' : 'none'
}

function* scoreGroup(
  group: NamedGroup,
  data: string,
  metricNames: readonly string[],
  options: CompareOptions,
): Sliced<Comparison['groups'][number]> {
  const members = byName<(number | null)[]>()
  const values = byName<Interval>()
  for (const name of metricNames) {
    members[name] = memberValues(group, name, options)
    values[name] = intervalOf(present(members[name]), options.interval)
    yield
  }
  const counted = new Set(countedRuns(group))
  return {
    groupHash: group.key,
    label: group.label,
    method: group.method,
    data,
    runIds: group.runs.map((run) => run.summary.runId),
    seeds: group.runs.map((run) => run.summary.seed),
    counted: group.runs.map((run) => counted.has(run)),
    values,
    members,
  }
}

/** Mean and interval over the runs that count and have a number at exactly that step; `n` says how many. */
function* bandOf(group: RunGroup, { metric, interval }: CompareOptions): Sliced<Comparison['curves'][number]> {
  const byStep = new Map<number, number[]>()
  for (const run of countedRuns(group)) {
    const curve = curveOf(run, metric)
    curve?.value.forEach((value, index) => {
      const step = curve.step[index]
      if (value === null || step === undefined) return
      const values = byStep.get(step)
      if (values === undefined) byStep.set(step, [value])
      else values.push(value)
    })
    yield
  }
  const steps = thinSteps([...byStep.keys()].toSorted((a, b) => a - b))
  const draws = new Map<number, number[][]>()
  const points: Interval[] = []
  for (const step of steps) {
    points.push(pointOf(byStep.get(step) ?? [], interval, draws))
    yield
  }
  return {
    groupHash: group.key,
    step: steps,
    mean: points.map((point) => point.mean),
    low: points.map((point) => point.low),
    high: points.map((point) => point.high),
    n: points.map((point) => point.n),
  }
}

/** @param draws resamples by number of values, drawn once for the whole band */
function pointOf(
  values: readonly number[],
  interval: CompareOptions['interval'],
  draws: Map<number, number[][]>,
): Interval {
  if (interval !== 'bootstrap' || values.length < 2) return intervalOf(values, interval)
  const indices = draws.get(values.length) ?? resampleIndices(values.length, BAND_RESAMPLES)
  draws.set(values.length, indices)
  return { mean: mean(values), ...percentileInterval(resampleMeans(values, indices)), n: values.length }
}

function thinSteps(steps: readonly number[]): number[] {
  if (steps.length <= BAND_STEPS) return [...steps]
  const kept = Array.from(
    { length: BAND_STEPS },
    (_, index) => steps[Math.round((index * (steps.length - 1)) / (BAND_STEPS - 1))],
  )
  return kept.filter((step) => step !== undefined)
}
