import type { Bounds } from './intervals.ts'
import { boundsOf, studentQuantile } from './student.ts'

/** One outcome (of a share, between 0 and 1), how much it counts, and what it has in common with others: the prompt of a pair. */
export interface Outcome {
  readonly value: number
  readonly weight: number
  readonly cluster: string
}

export interface ClusteredShare extends Bounds {
  /** The weighted mean. */
  readonly share: number
  readonly clusters: number
  /** How many independent outcomes of equal weight would be as sure. */
  readonly effective: number
}

/**
 * 95 % interval of a weighted share whose outcomes come in clusters: Wilson's (1927) at the effective number of outcomes, as
 * Korn and Graubard (1998) have it for surveys, with Student's t of clusters − 1 for z. The variance is that of a ratio, its terms
 * summed by cluster; outcomes of a cluster that differ by chance more than they would alone do not narrow the interval, so
 * that it is at most that of Kish's effective size (Σw)² / Σw². Where all outcomes agree there is no spread to
 * see, and a cluster counts as one outcome. Ties (½) make it a little wide: their true spread is smaller than a coin's.
 * Covers between 92 % and 99 % in simulation (`test/unit/coverage.test.ts`); fewer than two clusters say nothing: [0, 1].
 */
export function clusteredShare(outcomes: readonly Outcome[]): ClusteredShare {
  const { mean: share, weight, sums } = residualsOf(outcomes)
  const clusters = sums.length
  if (clusters < 2) return { share, low: 0, high: 1, clusters, effective: clusters }
  const variance = ((clusters / (clusters - 1)) * squaresOf(sums)) / weight ** 2
  const kish = weight ** 2 / squaresOf(outcomes.map((one) => one.weight))
  // Sums of floats that should be 0 are not quite.
  const agree = variance < 1e-18
  const effective = Math.min(kish, agree ? clusters : (share * (1 - share)) / variance)
  const half = studentQuantile(0.975, clusters - 1)
  return { share, ...wilsonAt(share, effective, half), clusters, effective }
}

/**
 * 95 % interval of a weighted mean whose values come in clusters: Student's t of clusters − 1, the variance that of a ratio, its
 * terms summed by cluster. NaN bounds with fewer than two clusters.
 */
export function clusteredMean(values: readonly Outcome[]): Bounds & { readonly mean: number } {
  const { mean, sums, weight } = residualsOf(values)
  const clusters = sums.length
  if (clusters < 2) return { mean, low: Number.NaN, high: Number.NaN }
  const variance = ((clusters / (clusters - 1)) * squaresOf(sums)) / weight ** 2
  return { mean, ...boundsOf({ mean, error: Math.sqrt(variance), df: clusters - 1 }) }
}

interface Residuals {
  readonly mean: number
  readonly weight: number
  /** Of each cluster that counts, Σ w (y − mean) */
  readonly sums: readonly number[]
}

function residualsOf(values: readonly Outcome[]): Residuals {
  let [weight, sum] = [0, 0]
  for (const one of values) {
    weight += one.weight
    sum += one.weight * one.value
  }
  const mean = weight > 0 ? sum / weight : Number.NaN
  const sums = new Map<string, number>()
  for (const one of values) {
    if (one.weight > 0) sums.set(one.cluster, (sums.get(one.cluster) ?? 0) + one.weight * (one.value - mean))
  }
  return { mean, weight, sums: [...sums.values()] }
}

function squaresOf(values: readonly number[]): number {
  let total = 0
  for (const value of values) total += value ** 2
  return total
}

/** Wilson's interval of a share of n outcomes. @param z how many standard errors it spans */
export function wilsonAt(share: number, n: number, z: number): Bounds {
  const z2 = z * z
  const center = (share + z2 / (2 * n)) / (1 + z2 / n)
  const half = (z / (1 + z2 / n)) * Math.sqrt(Math.max(0, (share * (1 - share)) / n + z2 / (4 * n * n)))
  return { low: Math.max(0, center - half), high: Math.min(1, center + half) }
}
