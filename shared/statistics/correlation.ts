/** Ranks from 1, ties at their average. */
export function averageRanks(values: readonly number[]): number[] {
  const order = [...values.keys()].sort((a, b) => values[a]! - values[b]!)
  const ranks = values.map(() => 0)
  for (let from = 0; from < order.length;) {
    let to = from
    while (to + 1 < order.length && values[order[to + 1]!] === values[order[from]!]) to += 1
    for (let at = from; at <= to; at += 1) ranks[order[at]!] = (from + to) / 2 + 1
    from = to + 1
  }
  return ranks
}

/** Product-moment correlation; NaN where either side is constant. */
export function pearson(a: readonly number[], b: readonly number[]): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
  const meanA = mean(a)
  const meanB = mean(b)
  let both = 0
  let squaresA = 0
  let squaresB = 0
  a.forEach((value, at) => {
    both += (value - meanA) * (b[at]! - meanB)
    squaresA += (value - meanA) ** 2
    squaresB += (b[at]! - meanB) ** 2
  })
  return squaresA === 0 || squaresB === 0 ? Number.NaN : both / Math.sqrt(squaresA * squaresB)
}

/** Pearson's of the ranks; NaN where either side is constant. */
export function spearman(a: readonly number[], b: readonly number[]): number {
  return pearson(averageRanks(a), averageRanks(b))
}

/** Kendall's τ-b, which takes ties out of both sides; NaN where either side is constant. */
export function kendallTauB(a: readonly number[], b: readonly number[]): number {
  let agreement = 0
  let untiedA = 0
  let untiedB = 0
  for (let i = 0; i < a.length; i += 1) {
    for (let j = 0; j < i; j += 1) {
      const first = Math.sign(a[i]! - a[j]!)
      const second = Math.sign(b[i]! - b[j]!)
      agreement += first * second
      untiedA += Math.abs(first)
      untiedB += Math.abs(second)
    }
  }
  return untiedA === 0 || untiedB === 0 ? Number.NaN : agreement / Math.sqrt(untiedA * untiedB)
}
