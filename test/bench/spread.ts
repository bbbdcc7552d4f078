export interface Spread {
  readonly median: number
  /** First and third quartile. */
  readonly low: number
  readonly high: number
}

export function quartiles(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number): number => {
    const place = share * (sorted.length - 1)
    const below = sorted[Math.floor(place)] ?? Number.NaN
    return below + (place % 1) * ((sorted[Math.ceil(place)] ?? Number.NaN) - below)
  }
  return { median: at(0.5), low: at(0.25), high: at(0.75) }
}

/** Of paired times: each divided by the other's of the same round, so that a slow spell of the machine counts for both. */
export function ratioOf(ours: readonly number[], theirs: readonly number[]): Spread {
  return quartiles(ours.map((value, round) => value / theirs[round]!))
}

/** Largest relative difference of two lists of numbers; infinite where one is longer. */
export function disagreement(ours: readonly number[], theirs: readonly number[]): number {
  if (ours.length !== theirs.length) return Number.POSITIVE_INFINITY
  return Math.max(0, ...ours.map((value, at) => Math.abs(value - theirs[at]!) / Math.max(1e-6, Math.abs(theirs[at]!))))
}
