import type { Comparison } from '../../shared/contract/comparisons.ts'
import type { MetricInfo } from '../../shared/domain.ts'
import type { ChartModel, ChartSeries } from '../charts/chart-model.ts'
import type { IntervalRow } from '../charts/interval-marks.ts'
import { arrowOf, isCount, isIntervalEnd, isOfMachine } from '../../shared/metric-names.ts'
import type { Look } from './group-looks.ts'

export type IntervalKind = 't' | 'bootstrap' | 'sd' | 'none'

export const INTERVAL_NAMES: Readonly<Record<IntervalKind, string | null>> = {
  t: '95 % interval by t',
  bootstrap: '95 % bootstrap',
  sd: '± s.d.',
  none: null,
}

export type Group = Comparison['groups'][number]

const PLAIN: Look = { colour: '--r7', dash: [] }

export function lookOf(looks: ReadonlyMap<string, Look>, groupHash: string): Look {
  return looks.get(groupHash) ?? PLAIN
}

interface OverlayOptions {
  /** What the curves are drawn against, in place of steps. */
  readonly against?: { readonly info: MetricInfo; readonly curves: Comparison['curves'] } | null
  readonly info: MetricInfo
  readonly interval: IntervalKind
  readonly looks: ReadonlyMap<string, Look>
  readonly hidden: ReadonlySet<string>
  readonly yLog: boolean
  readonly xLog: boolean
}

/** A band is drawn where at least two runs stand behind the point. */
export function overlayModel(comparison: Comparison, options: OverlayOptions): ChartModel {
  const labels = new Map(comparison.groups.map((group) => [group.groupHash, group]))
  const series = comparison.curves.flatMap((curve): ChartSeries[] => {
    const group = labels.get(curve.groupHash)
    if (group === undefined || options.hidden.has(curve.groupHash)) return []
    const look = lookOf(options.looks, curve.groupHash)
    const most = Math.max(0, ...curve.n)
    const known = (values: readonly (number | null)[]): (number | null)[] =>
      values.map((value, at) => ((curve.n[at] ?? 0) > 1 ? value : null))
    return [
      {
        key: curve.groupHash,
        label: group.label,
        x: curve.step,
        y: curve.mean,
        colour: look.colour,
        dash: look.dash,
        width: 2,
        n: most,
        counts: curve.n,
        dots: curve.step.length <= 12,
        band: options.interval === 'none' || most < 2 ? undefined : { low: known(curve.low), high: known(curve.high) },
      },
    ]
  })
  const drawn = options.against == null ? series : series.flatMap((line) => against(line, options.against!.curves))
  const banded = drawn.some((line) => line.band !== undefined)
  return {
    title: options.info.label,
    note: [
      arrowOf(options.info.goal),
      options.info.unit,
      drawn.some((line) => (line.n ?? 0) > 1) ? 'mean over seeds' : '',
    ]
      .filter((part) => part !== '')
      .join(' '),
    xTitle: options.against == null ? 'step' : options.against.info.label,
    yTitle: options.info.unit === '' ? options.info.label : `${options.info.label}, ${options.info.unit}`,
    xLog: options.xLog,
    yLog: options.yLog,
    series: drawn,
    references: /accuracies|win_rate/.test(options.info.name) ? [{ value: 0.5, label: 'chance' }] : [],
    bandName: banded ? INTERVAL_NAMES[options.interval] : null,
  }
}

/** Points at which both were measured, in the order of the other: what a reward costs in divergence. */
function against(line: ChartSeries, curves: Comparison['curves']): ChartSeries[] {
  const other = curves.find(({ groupHash }) => groupHash === line.key)
  if (other === undefined) return []
  const at = new Map(other.step.map((step, index) => [step, other.mean[index] ?? null]))
  const order = line.x
    .flatMap((step, index) => {
      const x = at.get(step) ?? null
      return x === null ? [] : [{ x, index }]
    })
    .toSorted((one, two) => one.x - two.x)
  const pick = <T>(values: readonly T[]): T[] => order.map(({ index }) => values[index]!) // indices of its points
  return order.length === 0
    ? []
    : [
        {
          ...line,
          x: order.map(({ x }) => x),
          y: pick(line.y),
          dots: true,
          ...(line.counts === undefined ? {} : { counts: pick(line.counts) }),
          band: line.band === undefined ? undefined : { low: pick(line.band.low), high: pick(line.band.high) },
        },
      ]
}

/** What a divergence is called by: curves can be drawn against it. */
export function divergences(names: readonly string[]): string[] {
  return names.filter((name) => /^eval\/(?:rollout\/kl|kl\/k[13])$/.test(name))
}

/** The words of a verdict, on the same footing. */
export function verdictWords(verdict: Comparison['differences'][number]['verdict']): string {
  return {
    equivalent: 'equivalent',
    'cannot-tell': 'cannot tell',
    'not-comparable': 'no verdict',
    higher: 'higher',
    lower: 'lower',
  }[verdict]
}

export function differenceRows(comparison: Comparison, looks: ReadonlyMap<string, Look>): IntervalRow[] {
  const labels = new Map(comparison.groups.map((group) => [group.groupHash, group.label]))
  return comparison.differences.map((difference) => ({
    key: difference.groupHash,
    label: labels.get(difference.groupHash) ?? difference.groupHash.slice(0, 8),
    mean: difference.interval.mean,
    low: difference.interval.low,
    high: difference.interval.high,
    colour: lookOf(looks, difference.groupHash).colour,
    verdict: verdictWords(difference.verdict),
  }))
}

/** Metrics worth a column of their own: held-out numbers first, then the test set's, then training. */
export function sortMetrics(names: readonly string[]): string[] {
  const all = new Set(names)
  const rank = (name: string): number => (name.startsWith('eval/') ? 0 : name.startsWith('test/') ? 1 : 2)
  return names
    .filter((name) => !isIntervalEnd(name, all) && !isCount(name) && !isOfMachine(name))
    .toSorted((one, two) => rank(one) - rank(two) || one.localeCompare(two))
}

/** The columns before anybody chose: up to two other held-out numbers that are read on their own. */
export function defaultColumns(names: readonly string[], metric: string): string[] {
  const wanted = [
    'eval/rollout/reward',
    'test/embed/ndcg',
    'test/embed/margin',
    'eval/samples/reward',
    'eval/samples/win_rate',
    'test/rewards/accuracies',
    'eval/rewards/accuracies',
    'eval/rewards/margins',
    'eval/kl/k3',
    'eval/loss',
    'eval/logps/chosen',
    'loss',
  ]
  return wanted.filter((name) => names.includes(name) && name !== metric).slice(0, 2)
}
