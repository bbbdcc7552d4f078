import type { MetricInfo } from '../../shared/domain.ts'
import type { ChartModel, ChartSeries, ReferenceLine } from '../charts/chart-model.ts'
import { smooth } from '../charts/smoothing.ts'
import {
  EVAL,
  TEST,
  arrowOf,
  baseName,
  describeMetric,
  intervalEnds,
  isCount,
  isIntervalEnd,
  isOfMachine,
} from '../../shared/metric-names.ts'
import { stretches, type Curve, type Curves } from './run-series.ts'

/** One chart: the curves of one quantity, or of two that are read together. */
export interface ChartPlan {
  readonly id: string
  readonly title: string
  readonly unit: string
  readonly goal: MetricInfo['goal']
  readonly help: string
  /** Metric names, training and held-out. */
  readonly names: readonly string[]
}

const FAMILIES: readonly { readonly id: string; readonly title: string; readonly bases: readonly string[] }[] = [
  { id: 'rewards', title: 'Rewards of the pair', bases: ['rewards/chosen', 'rewards/rejected'] },
  { id: 'judged', title: 'Rewards of answers judged alone', bases: ['rewards/good', 'rewards/bad'] },
  { id: 'logps', title: 'Log-probs', bases: ['logps/chosen', 'logps/rejected'] },
  { id: 'kl', title: 'KL to the reference', bases: ['kl/k1', 'kl/k3'] },
  { id: 'system/memory', title: 'Memory', bases: ['system/memory', 'system/card_memory'] },
]

/** Charts come in this order after the one the method is judged by; the rest follows by name. */
const ORDER = [
  'embed/ndcg',
  'embed/margin',
  'grace/reward',
  'grace/margin',
  'rollout/reward',
  'rollout/entropy',
  'rollout/tokens',
  'loss',
  'rewards/accuracies',
  'rewards/margins',
  'samples/reward',
  'samples/win_rate',
  'kl',
  'rewards',
  'judged/accuracies',
  'judged',
  'logps',
  'grad_norm',
  'learning_rate',
  'tokens_per_sec',
]

function familyOf(base: string): string {
  return FAMILIES.find((family) => family.bases.includes(base))?.id ?? base
}

/** Which charts a run gets, from the names of its metrics. */
export function planCharts(
  names: readonly string[],
  infos: readonly MetricInfo[],
  mainMetric: string | null,
): ChartPlan[] {
  const all = new Set(names)
  const groups = new Map<string, string[]>()
  for (const name of names) {
    if (isIntervalEnd(name, all) || isCount(name) || name.startsWith(TEST)) continue
    const id = familyOf(baseName(name))
    groups.set(id, [...(groups.get(id) ?? []), name])
  }
  const main = mainMetric === null ? null : familyOf(baseName(mainMetric))
  const rank = (id: string): number => {
    if (id === main) return -1
    if (isOfMachine(id)) return ORDER.length + 1
    return ORDER.includes(id) ? ORDER.indexOf(id) : ORDER.length
  }
  return [...groups]
    .map(([id, members]): ChartPlan => {
      const family = FAMILIES.find((one) => one.id === id)
      const sorted = members.toSorted(
        (one, two) => Number(one.startsWith(EVAL)) - Number(two.startsWith(EVAL)) || one.localeCompare(two),
      )
      const info = describeMetric(baseName(sorted[0] ?? id), infos)
      return {
        id,
        title: family?.title ?? info.label,
        unit: info.unit,
        goal: family === undefined ? info.goal : 'none',
        help: info.help,
        names: sorted,
      }
    })
    .toSorted((one, two) => rank(one.id) - rank(two.id) || one.id.localeCompare(two.id))
}

export type XAxis = 'step' | 'pairs' | 'time'

export interface ChartView {
  readonly xAxis: XAxis
  readonly smoothing: number
  readonly xLog: boolean
  readonly yLog: boolean
}

export interface RunFacts {
  readonly colour: string
  readonly totalSteps: number
  readonly batchSize: number
  readonly samplePrompts: number
  /** What the data hold, in the plural. */
  readonly items: string
}

const OTHERS = ['--r1', '--r2', '--r3', '--r4', '--r5'] as const
/** Colours that the eye takes for one: two blues, two ochres. */
const ALIKE: Readonly<Record<string, string>> = { '--r6': '--r1', '--r8': '--r4' }
const X_TITLES: Readonly<Record<Exclude<XAxis, 'pairs'>, string>> = { step: 'step', time: 'minutes' }

function xOf(curve: Curve, view: ChartView, run: RunFacts): readonly number[] {
  if (view.xAxis === 'step') return curve.step
  if (view.xAxis === 'pairs') return curve.step.map((step) => step * run.batchSize)
  return curve.wallMs.map((ms) => ms / 60_000)
}

function lineLabel(name: string, plan: ChartPlan, infos: readonly MetricInfo[]): string {
  const several = new Set(plan.names.map(baseName)).size > 1
  const held = name.startsWith(EVAL)
  if (!several) return held ? 'held-out' : 'training'
  const base = baseName(name)
  const label = base.startsWith('kl/')
    ? base.slice(3)
    : describeMetric(base, infos).label.replace(/^(Reward|Log-prob|Score), /, '')
  return held ? `${label}, held-out` : label
}

/** The chart as it is drawn now. */
export function buildChart(
  plan: ChartPlan,
  curves: Curves,
  discarded: Curves,
  infos: readonly MetricInfo[],
  run: RunFacts,
  view: ChartView,
): ChartModel {
  const names = new Set(curves.keys())
  const bases = [...new Set(plan.names.map(baseName))]
  const colours = [run.colour, ...OTHERS.filter((token) => token !== run.colour && token !== ALIKE[run.colour])]
  const series = plan.names.flatMap((name): ChartSeries[] => {
    const found = curves.get(name)
    if (found === undefined) return []
    const colour = colours[bases.indexOf(baseName(name)) % colours.length] ?? run.colour
    return [
      ...leftBehind(name, discarded, colour, view, run),
      lineOf(name, found, {
        colour,
        names,
        curves,
        label: lineLabel(name, plan, infos),
        // Where the training side has a line of its own, that one has the name.
        unnamed:
          bases.length > 1 &&
          name.startsWith(EVAL) &&
          plan.names.includes(baseName(name)) &&
          curves.has(baseName(name)),
        view,
        run,
      }),
    ]
  })
  const banded = series.some((line) => line.band !== undefined)
  return {
    title: plan.title,
    note: [
      arrowOf(plan.goal),
      plan.unit === 'fraction' ? '' : plan.unit,
      series.some((line) => line.unnamed === true) ? 'dashed held-out' : '',
    ]
      .filter((part) => part !== '')
      .join(' '),
    xTitle: view.xAxis === 'pairs' ? `${run.items} seen` : X_TITLES[view.xAxis],
    yTitle: plan.unit === '' ? plan.title : `${plan.title}, ${plan.unit}`,
    xLog: view.xLog,
    yLog: view.yLog,
    xDomain:
      view.xLog || view.xAxis === 'time'
        ? undefined
        : [0, run.totalSteps * (view.xAxis === 'pairs' ? run.batchSize : 1)],
    series,
    references: referencesOf(plan),
    bandName: banded ? '95 % interval' : null,
  }
}

interface LineOptions {
  readonly colour: string
  readonly label: string
  readonly unnamed: boolean
  readonly names: ReadonlySet<string>
  readonly curves: Curves
  readonly view: ChartView
  readonly run: RunFacts
}

function lineOf(
  name: string,
  curve: Curve,
  { colour, label, unnamed, names, curves, view, run }: LineOptions,
): ChartSeries {
  const held = name.startsWith(EVAL) || name.startsWith('samples/')
  const x = xOf(curve, view, run)
  if (!held) {
    const smoothed = smooth(curve.value, view.smoothing)
    return { key: name, label, x, y: smoothed, raw: view.smoothing > 0 ? curve.value : undefined, colour, dash: [] }
  }
  const ends = intervalEnds(name, names)
  const low = ends === null ? undefined : curves.get(ends.low)
  const high = ends === null ? undefined : curves.get(ends.high)
  const at = (side: Curve): (number | null)[] => {
    const known = new Map(side.step.map((step, index) => [step, side.value[index] ?? null]))
    return curve.step.map((step) => known.get(step) ?? null)
  }
  const band = low === undefined || high === undefined ? undefined : { low: at(low), high: at(high) }
  const counted = baseName(name).startsWith('samples/') ? run.samplePrompts : lastValue(curves.get(`${EVAL}pairs`))
  const n = band === undefined || counted === null ? {} : { n: counted }
  return { key: name, label, x, y: curve.value, colour, dash: [5, 3], dots: true, unnamed, band, ...n }
}

function leftBehind(name: string, discarded: Curves, colour: string, view: ChartView, run: RunFacts): ChartSeries[] {
  const curve = discarded.get(name)
  if (curve === undefined) return []
  return stretches(curve).map((left, at) => ({
    key: `${name} discarded ${at}`,
    label: 'left behind by a resume',
    x: xOf(left, view, run),
    y: left.value,
    colour,
    dash: [2, 2],
    faint: true,
  }))
}

function referencesOf(plan: ChartPlan): ReferenceLine[] {
  const isShare = plan.names.some((name) => /accuracies|win_rate/.test(name))
  return isShare ? [{ value: 0.5, label: 'chance' }] : []
}

/** Last value of a curve that is not missing. */
export function lastValue(curve: Curve | undefined): number | null {
  return curve?.value.findLast((value) => value !== null) ?? null
}
