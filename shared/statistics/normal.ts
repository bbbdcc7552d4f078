// The normal distribution in double precision, as plain functions.

/** P(Z ≤ z), to about 15 digits: a power series near 0, a continued fraction in the tails. */
export function normalCdf(z: number): number {
  if (Number.isNaN(z)) return NaN
  const size = Math.abs(z)
  const upper = size < 3 ? 0.5 - densitySeries(size) : tailFraction(size)
  return z > 0 ? 1 - upper : upper
}

/** P(0 ≤ Z ≤ z) = φ(z) · Σ z^(2k+1) / (1·3·5 … (2k+1)). */
function densitySeries(z: number): number {
  let term = z
  let sum = z
  for (let odd = 3; Math.abs(term) > 1e-17 * Math.abs(sum) && odd < 400; odd += 2) {
    term *= (z * z) / odd
    sum += term
  }
  return sum * normalDensity(z)
}

/** P(Z > z) = φ(z) / (z + 1/(z + 2/(z + 3/(…)))), from the inside out. */
function tailFraction(z: number): number {
  let fraction = z
  for (let level = 160; level >= 1; level -= 1) fraction = z + level / fraction
  return normalDensity(z) / fraction
}

export function normalDensity(z: number): number {
  return Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI)
}

/** z with P(Z ≤ z) = p: bisection to bracket, then Newton's method on the lower tail. ∓∞ at 0 and 1. */
export function normalQuantile(p: number): number {
  if (!(p >= 0 && p <= 1)) return NaN
  if (p === 0) return -Infinity
  if (p === 1) return Infinity
  if (p === 0.5) return 0
  const target = Math.min(p, 1 - p)
  let low = -40
  let high = 0
  while (high - low > 0.01) {
    const middle = 0.5 * (low + high)
    if (normalCdf(middle) < target) low = middle
    else high = middle
  }
  let z = 0.5 * (low + high)
  for (let round = 0; round < 8; round += 1) z -= (normalCdf(z) - target) / normalDensity(z)
  return p < 0.5 ? z : -z
}
