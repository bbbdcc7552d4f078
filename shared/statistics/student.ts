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

/** mean ± t · s/√n; null with fewer than two values. */
export function studentInterval(values: readonly number[], level = 0.95): Bounds | null {
  if (values.length < 2) return null
  const half = studentQuantile((1 + level) / 2, values.length - 1) * standardError(values)
  return { low: mean(values) - half, high: mean(values) + half }
}

/** Difference of two means with unequal spread (Welch); null with fewer than two values on a side. */
export function welchInterval(a: readonly number[], b: readonly number[], level = 0.95): Bounds | null {
  if (a.length < 2 || b.length < 2) return null
  const [first, second] = [standardError(a) ** 2, standardError(b) ** 2]
  const difference = mean(a) - mean(b)
  if (first + second === 0) return { low: difference, high: difference }
  const df = (first + second) ** 2 / (first ** 2 / (a.length - 1) + second ** 2 / (b.length - 1))
  const half = studentQuantile((1 + level) / 2, df) * Math.sqrt(first + second)
  return { low: difference - half, high: difference + half }
}
