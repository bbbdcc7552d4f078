// Student's t: the interval of a mean of few values, such as three seeds. A percentile bootstrap of three values can
// only give back their range and covers far less than it says; t is wide because little is known.
import { mean, standardError, type Bounds } from './intervals.ts'

/** ln Γ(x) for x > 0 (Lanczos with six terms; relative error below 2e-10). */
function logGamma(x: number): number {
  const coefficients = [
    76.18009172947146, -86.50532032941678, 24.01409824083091, -1.231739572450155, 0.1208650973866179e-2,
    -0.5395239384953e-5,
  ]
  const shifted = x + 5.5 - (x + 0.5) * Math.log(x + 5.5)
  const series = coefficients.reduce((sum, coefficient, at) => sum + coefficient / (x + 1 + at), 1.000000000190015)
  return -shifted + Math.log((Math.sqrt(2 * Math.PI) * series) / x)
}

/** Continued fraction of the incomplete beta function, by Lentz's method. */
function betaFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300
  const guard = (value: number): number => (Math.abs(value) < tiny ? tiny : value)
  let c = 1
  let d = 1 / guard(1 - ((a + b) * x) / (a + 1))
  let result = d
  for (let m = 1; m <= 300; m += 1) {
    for (const step of [
      (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m)),
      (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1)),
    ]) {
      d = 1 / guard(1 + step * d)
      c = guard(1 + step / c)
      result *= d * c
    }
    if (Math.abs(d * c - 1) < 1e-15) break
  }
  return result
}

/** I_x(a, b), the regularized incomplete beta function, for 0 ≤ x ≤ 1. */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0 || x >= 1) return x <= 0 ? 0 : 1
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log(1 - x))
  return x < (a + 1) / (a + b + 2) ? (front * betaFraction(x, a, b)) / a : 1 - (front * betaFraction(1 - x, b, a)) / b
}

/** P(T ≤ t) with `df` degrees of freedom. */
export function studentCdf(t: number, df: number): number {
  const tail = incompleteBeta(df / (df + t * t), df / 2, 0.5) / 2
  return t > 0 ? 1 - tail : tail
}

/** The t with P(T ≤ t) = probability, for ½ < probability < 1, by bisection. */
export function studentQuantile(probability: number, df: number): number {
  let low = 0
  let high = 1
  while (studentCdf(high, df) < probability) high *= 2
  for (let step = 0; step < 200 && high - low > 1e-12 * high; step += 1) {
    const middle = (low + high) / 2
    if (studentCdf(middle, df) < probability) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/** A mean that is estimated: its standard error and how many degrees of freedom that has. */
export interface Estimate {
  readonly mean: number
  readonly error: number
  readonly df: number
}

/** Of some values; null with fewer than two. */
export function meanEstimate(values: readonly number[]): Estimate | null {
  return values.length < 2 ? null : { mean: mean(values), error: standardError(values), df: values.length - 1 }
}

/** Of the difference of two means with unequal spread (Welch 1947); null with fewer than two values on a side. */
export function welchEstimate(a: readonly number[], b: readonly number[]): Estimate | null {
  if (a.length < 2 || b.length < 2) return null
  const [first, second] = [standardError(a) ** 2, standardError(b) ** 2]
  const df =
    first + second === 0
      ? a.length + b.length - 2
      : (first + second) ** 2 / (first ** 2 / (a.length - 1) + second ** 2 / (b.length - 1))
  return { mean: mean(a) - mean(b), error: Math.sqrt(first + second), df }
}

export function boundsOf({ mean: center, error, df }: Estimate, level = 0.95): Bounds {
  const half = error === 0 ? 0 : studentQuantile((1 + level) / 2, df) * error
  return { low: center - half, high: center + half }
}

/** Two-sided p of the hypothesis that the mean is 0. */
export function pValueOf({ mean: center, error, df }: Estimate): number {
  if (error === 0) return center === 0 ? 1 : 0
  return 2 * (1 - studentCdf(Math.abs(center) / error, df))
}

/**
 * How many values there would have to be, each side having as many where there are two, for a mean and a spread like these
 * to be told from 0 in four of five repeats: the least n with |mean| ≥ (t₀.₉₇₅ + t₀.₈) · s/√n. Null where the mean is 0 or `most` would not do.
 * @param n values that the estimate is of   @param groups samples that are compared, each of which gives a degree of freedom away
 */
export function valuesToTell({ mean: center, error }: Estimate, n: number, groups: 1 | 2, most = 200): number | null {
  if (center === 0) return null
  const spread = error * Math.sqrt(n)
  const tells = (count: number): boolean => {
    const df = groups * (count - 1)
    return Math.abs(center) * Math.sqrt(count) >= (studentQuantile(0.975, df) + studentQuantile(0.8, df)) * spread
  }
  if (!tells(most)) return null
  let [low, high] = [1, most] // too few, enough
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (tells(middle)) high = middle
    else low = middle
  }
  return high
}

/** mean ± t · s/√n; null with fewer than two values. */
export function studentInterval(values: readonly number[], level = 0.95): Bounds | null {
  const estimate = meanEstimate(values)
  return estimate === null ? null : boundsOf(estimate, level)
}

/** Difference of two means with unequal spread (Welch); null with fewer than two values on a side. */
export function welchInterval(a: readonly number[], b: readonly number[], level = 0.95): Bounds | null {
  const estimate = welchEstimate(a, b)
  return estimate === null ? null : boundsOf(estimate, level)
}

/** p-values as they stand against the level when all of them are looked at (Holm 1979), in their order; never below their own. */
export function holm(values: readonly number[]): number[] {
  const order = [...values.keys()].sort((a, b) => values[a]! - values[b]!)
  const adjusted = values.map(() => 1)
  let floor = 0
  order.forEach((at, rank) => {
    floor = Math.max(floor, Math.min(1, (values.length - rank) * values[at]!))
    adjusted[at] = floor
  })
  return adjusted
}
