import { normalQuantile } from './normal.ts'

export interface Bounds {
  readonly low: number
  readonly high: number
}

/** NaN for no values. */
export function mean(values: readonly number[]): number {
  let sum = 0
  for (const value of values) sum += value
  return sum / values.length
}

/** Standard deviation with n − 1 below the line; NaN for fewer than two values. */
export function standardDeviation(values: readonly number[]): number {
  if (values.length < 2) return NaN
  const center = mean(values)
  let squares = 0
  for (const value of values) squares += (value - center) ** 2
  return Math.sqrt(squares / (values.length - 1))
}

/** Standard error of the mean. */
export function standardError(values: readonly number[]): number {
  return standardDeviation(values) / Math.sqrt(values.length)
}

/** Quantile by linear interpolation between order statistics (Hyndman and Fan's type 7). @param sorted ascending */
export function quantileSorted(sorted: readonly number[], probability: number): number {
  if (sorted.length === 0 || Number.isNaN(probability)) return NaN
  const position = Math.min(Math.max(probability, 0), 1) * (sorted.length - 1)
  const below = Math.floor(position)
  const lower = sorted[below]!
  const upper = sorted[Math.min(below + 1, sorted.length - 1)]!
  return lower + (upper - lower) * (position - below)
}

export function ascending(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b)
}

/** Wilson's score interval of a share: it stays inside 0 to 1 and is honest for few trials. NaN without a trial. */
export function wilsonInterval(successes: number, trials: number, level = 0.95): Bounds {
  if (trials <= 0) return { low: NaN, high: NaN }
  const z = normalQuantile(0.5 + level / 2)
  const share = successes / trials
  const spread = (z * z) / trials
  const center = (share + spread / 2) / (1 + spread)
  const half = (z / (1 + spread)) * Math.sqrt((share * (1 - share)) / trials + spread / (4 * trials))
  return { low: Math.max(0, center - half), high: Math.min(1, center + half) }
}

/** Two-sided exact sign test: how likely a split at least this uneven is for a fair coin. Ties are left out before. */
export function signTest(wins: number, losses: number): number {
  const trials = wins + losses
  if (trials === 0) return 1
  let logChoose = -trials * Math.LN2
  let tail = 0
  for (let count = 0; count <= Math.min(wins, losses); count += 1) {
    tail += Math.exp(logChoose)
    logChoose += Math.log(trials - count) - Math.log(count + 1)
  }
  return Math.min(1, 2 * tail)
}
