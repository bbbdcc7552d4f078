// Means over seeds, with Student's interval, and verdicts from intervals.
import { mean } from '../../../shared/statistics/intervals.ts'
import { studentInterval } from '../../../shared/statistics/student.ts'
import type { Cell, Figure, Gate, Verdict } from './define.ts'

export interface SeedMean {
  readonly mean: number
  readonly low: number
  readonly high: number
  readonly n: number
}

/** One seed has no interval: its bounds are infinite, so that nothing follows from it. */
export function overSeeds(values: readonly number[]): SeedMean {
  const bounds = studentInterval(values)
  return { mean: mean(values), low: bounds?.low ?? -Infinity, high: bounds?.high ?? Infinity, n: values.length }
}

/** A cell of a table; of one seed a plain number. */
export function cellOf(values: readonly number[]): Cell {
  const all = overSeeds(values)
  if (!Number.isFinite(all.mean)) return 'diverged'
  return values.length < 2 ? all.mean : all
}

export function shownMean(value: SeedMean, digits = 3): string {
  if (!Number.isFinite(value.mean)) return 'diverged'
  const half = (value.high - value.low) / 2
  return Number.isFinite(half)
    ? `${value.mean.toFixed(digits)} ± ${half.toFixed(digits)} (n = ${value.n})`
    : `${value.mean.toFixed(digits)} (n = ${value.n})`
}

/** Holds where the whole interval lies above the limit, does not hold where it lies below, else inconclusive. */
export function aboveVerdict({ low, high }: SeedMean, limit: number): Verdict {
  if (low > limit) return 'holds'
  return high < limit ? 'does not hold' : 'inconclusive'
}

/** Two end alike: the whole interval of the difference, seed by seed, lies within the margin; apart where it lies outside. */
export function withinGate(claim: string, differences: readonly number[], margin: number): Gate {
  const all = overSeeds(differences)
  return {
    claim,
    measured: `difference ${shownMean(all)}`,
    required: `95 % interval of the paired difference within ±${margin}`,
    verdict:
      all.low > -margin && all.high < margin
        ? 'holds'
        : all.low >= margin || all.high <= -margin
          ? 'does not hold'
          : 'inconclusive',
  }
}

/** a − b seed by seed is above the limit. */
export function pairedGate(claim: string, a: readonly number[], b: readonly number[], limit = 0): Gate {
  const difference = overSeeds(a.map((value, seed) => value - b[seed]!))
  return {
    claim,
    measured: `difference ${shownMean(difference)}`,
    required: `95 % interval of the paired difference above ${limit}`,
    verdict: aboveVerdict(difference, limit),
  }
}

/** Differences seed by seed are above the limit; of one seed nothing follows. */
export function differenceGate(
  claim: string,
  differences: readonly number[],
  { limit = 0, unit = '' }: { readonly limit?: number; readonly unit?: string } = {},
): Gate {
  const { low, high, n, mean: middle } = overSeeds(differences)
  const range = n < 2 ? 'without an interval' : `[${low.toFixed(4)}, ${high.toFixed(4)}]`
  return {
    claim,
    measured: `${middle.toFixed(4)} ${range}${unit === '' ? '' : ` ${unit}`}, n = ${n}`,
    required: `the 95 % interval of the paired difference above ${limit}`,
    verdict: aboveVerdict({ low, high, mean: middle, n }, limit),
  }
}

/** A mean that is compared with a number, without an interval: as the threshold is given. */
export function meanGate(
  claim: string,
  values: readonly number[],
  required: string,
  holds: (mean: number) => boolean,
): Gate {
  const all = overSeeds(values)
  return { claim, measured: shownMean(all), required, verdict: holds(all.mean) ? 'holds' : 'does not hold' }
}

type Curves = Extract<Figure, { readonly kind: 'curves' }>

/** @param values one curve a seed [seed][point] */
export function curveOf(
  name: string,
  x: readonly number[],
  values: readonly (readonly number[])[],
): Curves['series'][number] {
  const points = x.map((_, at) => overSeeds(values.map((curve) => curve[at]!)))
  const bounded = values.length > 1
  return {
    name,
    x,
    mean: points.map((point) => point.mean),
    low: bounded ? points.map((point) => point.low) : null,
    high: bounded ? points.map((point) => point.high) : null,
    n: values.length,
  }
}
