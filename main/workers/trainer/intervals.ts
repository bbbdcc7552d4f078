const Z95 = 1.959963984540054

export interface Bounds {
  readonly low: number
  readonly high: number
}

/**
 * Wilson's 95 % interval of a share (Wilson, 1927). Ties count as half a success, which keeps the interval a little
 * wide: their true spread is smaller than a coin's.
 */
export function wilson(share: number, n: number): Bounds {
  if (n <= 0) return { low: 0, high: 1 }
  const z2 = Z95 * Z95
  const center = (share + z2 / (2 * n)) / (1 + z2 / n)
  const half = (Z95 / (1 + z2 / n)) * Math.sqrt((share * (1 - share)) / n + z2 / (4 * n * n))
  return { low: Math.max(0, center - half), high: Math.min(1, center + half) }
}

/** Mean ± 1.96 standard errors; no width can be known from fewer than two values. */
export function meanInterval(values: readonly number[]): Bounds & { readonly mean: number } {
  const n = values.length
  const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, n)
  if (n < 2) return { mean, low: Number.NaN, high: Number.NaN }
  const error = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1) / n)
  return { mean, low: mean - Z95 * error, high: mean + Z95 * error }
}

/** A metric with its interval, as three metrics: `name`, `name_low`, `name_high`. */
export function withBounds(name: string, mean: number, { low, high }: Bounds): Record<string, number> {
  return { [name]: mean, [`${name}_low`]: low, [`${name}_high`]: high }
}

/** The mean of some values with its interval, as three metrics. */
export function withMean(name: string, values: readonly number[]): Record<string, number> {
  const { mean, ...bounds } = meanInterval(values)
  return withBounds(name, mean, bounds)
}
