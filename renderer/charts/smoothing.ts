/** Smoothing and thinning of curves. Pure; a missing or non-finite value is null and stays null. */

function isNumber(value: number | null | undefined): value is number {
  return value !== null && value !== undefined && Number.isFinite(value)
}

/**
 * Exponential moving average with the start corrected for (the debiasing of Adam, eq. 3 of arXiv 1412.6980): the first
 * smoothed value is the first value, not a step from zero. Runs over the whole curve; thin afterwards, never before,
 * or the line would depend on the width of the screen. A missing value is skipped, not counted as zero.
 * @param factor 0 (no smoothing) to below 1
 */
export function smooth(values: readonly (number | null)[], factor: number): (number | null)[] {
  if (factor <= 0) return values.map((value) => (isNumber(value) ? value : null))
  const first = values.find(isNumber)
  // A constant is left exactly as it is: dividing by the correction would add noise of the last digit to a flat line.
  if (values.every((value) => !isNumber(value) || value === first))
    return values.map((value) => (isNumber(value) ? value : null))
  const keep = Math.min(factor, 0.9999)
  let average = 0
  let weight = 1
  return values.map((value) => {
    if (!isNumber(value)) return null
    average = keep * average + (1 - keep) * value
    weight *= keep
    return average / (1 - weight)
  })
}

/**
 * Indices to draw so that the curve looks the same in `maxPoints` points: of every bucket the first, lowest, highest
 * and last value are kept, so that spikes and the ends stay. Gaps (null) keep one index each.
 */
export function thinIndices(values: readonly (number | null)[], maxPoints: number): number[] {
  const length = values.length
  if (length <= maxPoints || maxPoints < 8) return Array.from({ length }, (_, at) => at)
  const buckets = Math.floor(maxPoints / 4)
  const kept: number[] = []
  for (let bucket = 0; bucket < buckets; bucket += 1) {
    const from = Math.floor((bucket * length) / buckets)
    const to = Math.floor(((bucket + 1) * length) / buckets)
    for (const at of bucketIndices(values, from, to)) kept.push(at)
  }
  return kept
}

function bucketIndices(values: readonly (number | null)[], from: number, to: number): number[] {
  let lowest = -1
  let highest = -1
  let gap = -1
  for (let at = from; at < to; at += 1) {
    const value = values[at]
    if (!isNumber(value)) {
      gap = at
      continue
    }
    if (lowest === -1 || value < (values[lowest] ?? 0)) lowest = at
    if (highest === -1 || value > (values[highest] ?? 0)) highest = at
  }
  return [...new Set([from, lowest, highest, gap, to - 1])].filter((at) => at >= 0).toSorted((one, two) => one - two)
}

export function pick<T>(values: readonly T[], indices: readonly number[]): T[] {
  return indices.map((at) => values[at] as T) // indices come from thinIndices of a curve of the same length
}

/** Index of the value of a rising list that is nearest to `x`; −1 for an empty list. */
export function nearestIndex(sorted: readonly number[], x: number): number {
  let low = 0
  let high = sorted.length - 1
  if (high < 0) return -1
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if ((sorted[middle] ?? 0) <= x) low = middle
    else high = middle
  }
  return Math.abs((sorted[high] ?? 0) - x) < Math.abs((sorted[low] ?? 0) - x) ? high : low
}
