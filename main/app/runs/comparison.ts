import type { Comparison, Interval } from '../../../shared/contract/comparisons.ts'
import { baseName, describeMetric, EVAL, lowerFirst, TEST } from '../../../shared/metric-names.ts'
import { byName } from '../../../shared/named-values.ts'
import {
  bootstrapMean,
  percentileInterval,
  resampleIndices,
  resampleMeans,
} from '../../../shared/statistics/bootstrap.ts'
import { mean, standardDeviation, type Bounds } from '../../../shared/statistics/intervals.ts'
import {
  boundsOf as intervalBounds,
  holm,
  meanEstimate,
  pValueOf,
  studentInterval,
  valuesToTell,
  welchEstimate,
} from '../../../shared/statistics/student.ts'
import { nameData, whyNotComparable } from './comparison-basis.ts'
import {
  countedRuns,
  curveOf,
  diffSettings,
  groupRuns,
  type ComparedRun,
  type CompareOptions,
  type Curve,
  type Goal,
  type GroupDifference,
  type NamedGroup,
  type RunGroup,
} from './comparison-groups.ts'
import { nameGroups } from './comparison-names.ts'
import { atOnce, type Sliced } from '../store/slices.ts'
import { concludeInWords, sidesInWords, warnInWords } from './comparison-words.ts'

/** Fewer seeds than this never carry a verdict. */
export const FEWEST_SEEDS = 3
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
    diff: diff.differing.map(({ path, values }) => ({ path, values: [...values] })),
    sameSettings: diff.same,
    conclusions: concludeInWords({
      groups,
      metric: said,
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

/** One value a run, in the group's order; null for a run that does not count or has no value there. */
export function memberValues(group: RunGroup, metric: string, options: Pick<CompareOptions, 'at'>): (number | null)[] {
  const counted = new Set(countedRuns(group))
  return group.runs.map((run) => {
    const curve = curveOf(run, metric)
    return curve === undefined || !counted.has(run) ? null : valueAt(curve, options.at, run.chosen)
  })
}

/** `last`: the last number. A step: the latest number up to it. `best`: the same up to the chosen step, the last number where none was chosen. */
export function valueAt(curve: Curve, at: CompareOptions['at'], chosen: number | null): number | null {
  const step = at === 'best' ? chosen : at === 'last' ? null : at
  return (
    curve.value.findLast((value, index) => value !== null && (curve.step[index] ?? Infinity) <= (step ?? Infinity)) ??
    null
  )
}

export function intervalOf(values: readonly number[], kind: CompareOptions['interval']): Interval {
  if (values.length === 0) return { mean: null, low: null, high: null, n: 0 }
  const center = mean(values)
  const bounds = boundsOf(values, kind)
  return { mean: center, low: bounds?.low ?? null, high: bounds?.high ?? null, n: values.length }
}

function boundsOf(values: readonly number[], kind: CompareOptions['interval']): Bounds | null {
  if (kind === 'none' || values.length < 2) return null
  if (kind === 't') return studentInterval(values)
  if (kind === 'bootstrap') return bootstrapMean(values)
  const spread = standardDeviation(values)
  return { low: mean(values) - spread, high: mean(values) + spread }
}

/**
 * Against the baseline group, or the first; no number where the two are not of the same data or the metric means another thing.
 * Paired by seed where both have the same seeds: the same seed orders the data alike. Where one has seeds that the other has
 * not, pairing would throw them away, and all stand against all. Verdicts are by p-values that know how many comparisons are shown.
 */
export function* compareToBaseline(
  groups: readonly RunGroup[],
  options: Pick<CompareOptions, 'metric' | 'at' | 'baseline' | 'margin'>,
): Sliced<GroupDifference[]> {
  const baseline = groups.find((group) => group.key === options.baseline) ?? groups[0]
  if (baseline === undefined) return []
  const differences: GroupDifference[] = []
  for (const group of groups) {
    if (group === baseline) continue
    differences.push(differenceOf(group, baseline, options))
    yield
  }
  const tested = differences.filter((one) => one.p !== null && one.interval.n >= FEWEST_SEEDS)
  const adjusted = new Map(holm(tested.map((one) => one.p ?? 1)).map((value, at) => [tested[at]!, value]))
  return differences.map((one) => {
    if (one.whyNot !== null) return one
    const adjustedP = adjusted.get(one) ?? null
    const verdict = verdictOf(one.interval, adjustedP, options.margin)
    const more = verdict === 'cannot-tell' && one.seedsToTell !== null && one.seedsToTell > one.interval.n
    return { ...one, adjustedP, verdict, seedsToTell: more ? one.seedsToTell : null }
  })
}

const NO_DIFFERENCE = {
  interval: { mean: null, low: null, high: null, n: 0 },
  paired: false,
  p: null,
  adjustedP: null,
  seedsToTell: null,
} as const

function differenceOf(
  group: RunGroup,
  baseline: RunGroup,
  options: Pick<CompareOptions, 'metric' | 'at'>,
): GroupDifference {
  const named = { groupHash: group.key, baseline: baseline.key }
  const whyNot = whyNotComparable(group, baseline, options)
  if (whyNot !== null)
    return { ...named, ...NO_DIFFERENCE, seeds: { group: 0, baseline: 0 }, verdict: 'not-comparable', whyNot }
  const ours = valuesBySeed(group, options)
  const theirs = valuesBySeed(baseline, options)
  const seeds = { group: ours.size, baseline: theirs.size }
  const n = Math.min(ours.size, theirs.size)
  if (n === 0) return { ...named, ...NO_DIFFERENCE, seeds, verdict: 'cannot-tell', whyNot: null }
  const shared = [...ours.keys()].filter((seed) => theirs.has(seed))
  const paired = shared.length >= 2 && shared.length === ours.size && shared.length === theirs.size
  const [first, second] = [[...ours.values()], [...theirs.values()]]
  // Student's t whatever the table shows: a verdict of three seeds must not rest on an interval that is too narrow.
  const estimate = paired
    ? meanEstimate(shared.map((seed) => ours.get(seed)! - theirs.get(seed)!)) // both have it
    : welchEstimate(first, second)
  const bounds = estimate === null ? null : intervalBounds(estimate)
  return {
    ...named,
    interval: {
      mean: estimate?.mean ?? mean(first) - mean(second),
      low: bounds?.low ?? null,
      high: bounds?.high ?? null,
      n,
    },
    paired,
    seeds,
    p: estimate === null ? null : pValueOf(estimate),
    adjustedP: null,
    seedsToTell: estimate === null ? null : valuesToTell(estimate, n, paired ? 1 : 2),
    verdict: 'cannot-tell',
    whyNot: null,
  }
}

/** A seed that was run twice counts by the mean of its runs. */
function valuesBySeed(group: RunGroup, options: Pick<CompareOptions, 'metric' | 'at'>): Map<number, number> {
  const values = memberValues(group, options.metric, options)
  const lists = new Map<number, number[]>()
  for (const [index, run] of group.runs.entries()) {
    const value = values[index] ?? null
    if (value !== null) lists.set(run.summary.seed, [...(lists.get(run.summary.seed) ?? []), value])
  }
  return new Map([...lists].map(([seed, list]) => [seed, mean(list)]))
}

const LEVEL = 0.05

function verdictOf(
  { low, high, n, mean: center }: Interval,
  adjustedP: number | null,
  margin: number | null,
): GroupDifference['verdict'] {
  if (n < FEWEST_SEEDS || low === null || high === null || center === null) return 'cannot-tell'
  if (margin !== null && low > -margin && high < margin) return 'equivalent'
  if (adjustedP === null || adjustedP >= LEVEL) return 'cannot-tell'
  return center > 0 ? 'higher' : 'lower'
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

function present(values: readonly (number | null)[] | undefined): number[] {
  return (values ?? []).filter((value) => value !== null)
}
