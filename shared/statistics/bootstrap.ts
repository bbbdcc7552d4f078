// The bootstrap (Efron and Tibshirani 1993): how much a mean would move if the study were repeated.
import { ascending, mean, quantileSorted, standardDeviation, type Bounds } from './intervals.ts'
import { normalCdf, normalQuantile } from './normal.ts'

export const DEFAULT_RESAMPLES = 2000

/** Mean of each resample. @param indices [resample, n], positions in values */
export function resampleMeans(values: readonly number[], indices: readonly (readonly number[])[]): number[] {
  return indices.map((row) => mean(row.map((index) => values[index]!)))
}

/** Positions drawn with replacement, always the same for a seed [resample, n]. */
export function resampleIndices(count: number, resamples = DEFAULT_RESAMPLES, seed = 1): number[][] {
  const random = seededUniform(seed)
  return Array.from({ length: resamples }, () => Array.from({ length: count }, () => Math.floor(random() * count)))
}

/** 32-bit generator of Mulberry's kind: one word of state, uniform in [0, 1). Good enough to draw positions. */
export function seededUniform(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** The middle `level` of the resampled means. */
export function percentileInterval(means: readonly number[], level = 0.95): Bounds {
  const sorted = ascending(means)
  return { low: quantileSorted(sorted, (1 - level) / 2), high: quantileSorted(sorted, (1 + level) / 2) }
}

/** The percentile interval mirrored at the observed mean. */
export function basicInterval(observed: number, means: readonly number[], level = 0.95): Bounds {
  const { low, high } = percentileInterval(means, level)
  return { low: 2 * observed - high, high: 2 * observed - low }
}

export interface BcaInterval extends Bounds {
  /** Bias correction: where the observed mean lies among the resampled ones, as a normal deviate. */
  readonly z0: number
  /** From the jackknife: how the spread changes with the mean. */
  readonly acceleration: number
  readonly alphas: readonly [low: number, high: number]
}

/** Bias-corrected and accelerated interval of the mean (Efron 1987). Resampled means equal to the observed count half. */
export function bcaInterval(values: readonly number[], means: readonly number[], level = 0.95): BcaInterval {
  const observed = mean(values)
  const below =
    means.filter((value) => value < observed).length + 0.5 * means.filter((value) => value === observed).length
  const z0 = normalQuantile(below / means.length)
  const acceleration = jackknifeAcceleration(values)
  const alphaAt = (probability: number): number => {
    const shifted = z0 + normalQuantile(probability)
    return normalCdf(z0 + shifted / (1 - acceleration * shifted))
  }
  const alphas = [alphaAt((1 - level) / 2), alphaAt((1 + level) / 2)] as const
  const sorted = ascending(means)
  return { low: quantileSorted(sorted, alphas[0]), high: quantileSorted(sorted, alphas[1]), z0, acceleration, alphas }
}

function jackknifeAcceleration(values: readonly number[]): number {
  const leftOut = values.map((_, skipped) => mean(values.filter((_, index) => index !== skipped)))
  const center = mean(leftOut)
  let cubes = 0
  let squares = 0
  for (const value of leftOut) {
    cubes += (center - value) ** 3
    squares += (center - value) ** 2
  }
  return squares === 0 ? 0 : cubes / (6 * squares ** 1.5)
}

/** Two-sided: twice the share of resampled means on the far side of 0, the observed sample counted in. */
export function bootstrapPValue(means: readonly number[]): number {
  const notAbove = means.filter((value) => value <= 0).length
  const notBelow = means.filter((value) => value >= 0).length
  return Math.min(1, (2 * (Math.min(notAbove, notBelow) + 1)) / (means.length + 1))
}

/**
 * Percentile interval of the mean with a fixed seed. Null for fewer than two values: one seed has no spread.
 */
export function bootstrapMean(
  values: readonly number[],
  options: { readonly level?: number; readonly resamples?: number; readonly seed?: number } = {},
): Bounds | null {
  if (values.length < 2) return null
  return percentileInterval(
    resampleMeans(values, resampleIndices(values.length, options.resamples, options.seed)),
    options.level,
  )
}

/** a − b, member by member, and its bootstrap interval; null interval for fewer than two pairs. */
export function pairedDifference(
  a: readonly number[],
  b: readonly number[],
  options: { readonly level?: number; readonly seed?: number } = {},
): { readonly mean: number; readonly sd: number; readonly bounds: Bounds | null } {
  if (a.length !== b.length) throw new RangeError(`paired samples differ in size: ${a.length} and ${b.length}`)
  const differences = a.map((value, index) => value - b[index]!)
  return { mean: mean(differences), sd: standardDeviation(differences), bounds: bootstrapMean(differences, options) }
}

/** mean(a) − mean(b) of two independent samples, each resampled on its own; null when either has fewer than two values. */
export function unpairedDifference(
  a: readonly number[],
  b: readonly number[],
  options: { readonly level?: number; readonly resamples?: number; readonly seed?: number } = {},
): Bounds | null {
  if (a.length < 2 || b.length < 2) return null
  const seed = options.seed ?? 1
  const meansA = resampleMeans(a, resampleIndices(a.length, options.resamples, seed))
  const meansB = resampleMeans(b, resampleIndices(b.length, options.resamples, seed + 1))
  return percentileInterval(
    meansA.map((value, index) => value - meansB[index]!),
    options.level,
  )
}
