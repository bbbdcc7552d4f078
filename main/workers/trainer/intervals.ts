import { clusteredMean, clusteredShare, type Outcome } from '../../../shared/statistics/clustered.ts'
import { mean, type Bounds } from '../../../shared/statistics/intervals.ts'
import { studentInterval } from '../../../shared/statistics/student.ts'

/** A metric with its interval, as three metrics: `name`, `name_low`, `name_high`. */
export function withBounds(name: string, value: number, { low, high }: Bounds): Record<string, number> {
  return { [name]: value, [`${name}_low`]: low, [`${name}_high`]: high }
}

/** The mean of some values with Student's 95 % interval, as three metrics; no width can be known from fewer than two values. */
export function withMean(name: string, values: readonly number[]): Record<string, number> {
  return withBounds(name, mean(values), studentInterval(values) ?? { low: Number.NaN, high: Number.NaN })
}

/** A weighted mean with its interval (`clusteredMean`), as three metrics. */
export function withClusteredMean(name: string, outcomes: readonly Outcome[]): Record<string, number> {
  const { mean: center, ...bounds } = clusteredMean(outcomes)
  return withBounds(name, center, bounds)
}

/** A weighted share of outcomes with its interval (`clusteredShare`), as three metrics. */
export function withShare(name: string, outcomes: readonly Outcome[]): Record<string, number> {
  const { share, ...bounds } = clusteredShare(outcomes)
  return withBounds(name, share, bounds)
}

/** Outcomes of equal weight that have nothing in common. */
export function alone(values: readonly number[]): Outcome[] {
  return values.map((value, at) => ({ value, weight: 1, cluster: String(at) }))
}
