import type { Comparison } from '../../shared/contract/comparisons.ts'
import type { MetricInfo } from '../../shared/domain.ts'
import type { ChartModel, ChartSeries } from '../charts/chart-model.ts'
import type { IntervalRow } from '../charts/interval-marks.ts'
import { arrowOf, isCount, isIntervalEnd } from '../../shared/metric-names.ts'
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
  const banded = series.some((line) => line.band !== undefined)
  return {
    title: options.info.label,
    note: [
      arrowOf(options.info.goal),
      options.info.unit,
      series.some((line) => (line.n ?? 0) > 1) ? 'mean over seeds' : '',
    ]
      .filter((part) => part !== '')
      .join(' '),
    xTitle: 'step',
    yTitle: options.info.unit === '' ? options.info.label : `${options.info.label}, ${options.info.unit}`,
    xLog: options.xLog,
    yLog: options.yLog,
    series,
    references: /accuracies|win_rate/.test(options.info.name) ? [{ value: 0.5, label: 'chance' }] : [],
    bandName: banded ? INTERVAL_NAMES[options.interval] : null,
  }
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
    .filter((name) => !isIntervalEnd(name, all) && !isCount(name))
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
