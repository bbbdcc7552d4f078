// How far annotators agree, beyond what chance would give. Every function returns NaN where the measure is undefined,
// for example when all answers fall into one category.

export type KappaWeights = 'none' | 'linear' | 'quadratic'
export type Level = 'nominal' | 'ordinal' | 'interval' | 'ratio'

/** Share of items on which the two gave the same answer. */
export function observedAgreement<T>(a: readonly T[], b: readonly T[]): number {
  return a.filter((value, index) => value === b[index]).length / a.length
}

/**
 * Cohen's κ of two annotators over the same items (Cohen 1960; weighted: 1968).
 * @param categories in their order, which the weights use
 */
export function cohenKappa<T>(
  a: readonly T[],
  b: readonly T[],
  categories: readonly T[],
  weights: KappaWeights = 'none',
): number {
  if (a.length !== b.length) throw new RangeError(`the annotators rated ${a.length} and ${b.length} items`)
  const place = new Map(categories.map((category, index) => [category, index]))
  const size = categories.length
  const shareA = new Float64Array(size)
  const shareB = new Float64Array(size)
  let observed = 0
  for (const [index, value] of a.entries()) {
    const first = place.get(value)
    const second = place.get(b[index]!)
    if (first === undefined || second === undefined)
      throw new RangeError(`item ${index} has an answer outside the categories`)
    shareA[first]! += 1 / a.length
    shareB[second]! += 1 / a.length
    observed += disagreement(first, second, weights) / a.length
  }
  let expected = 0
  for (let row = 0; row < size; row += 1)
    for (let column = 0; column < size; column += 1)
      expected += disagreement(row, column, weights) * shareA[row]! * shareB[column]!
  return expected < 1e-15 ? NaN : 1 - observed / expected
}

function disagreement(row: number, column: number, weights: KappaWeights): number {
  if (weights === 'none') return row === column ? 0 : 1
  const distance = Math.abs(row - column)
  return weights === 'linear' ? distance : distance * distance
}

/**
 * Krippendorff's α (Krippendorff 2011, computing by coincidences). Units with fewer than two answers are left out.
 * @param coders answers, null where missing [coder, unit]
 */
export function krippendorffAlpha(coders: readonly (readonly (number | null)[])[], level: Level = 'nominal'): number {
  const units = unitsOf(coders).filter((unit) => unit.length >= 2)
  const values = [...new Set(units.flat())].sort((a, b) => a - b)
  const coincidences = coincidenceMatrix(units, values)
  const totals = coincidences.map((row) => row.reduce((sum, value) => sum + value, 0))
  const pairable = totals.reduce((sum, value) => sum + value, 0)
  const distance = distanceFor(level, values, totals)
  let observed = 0
  let expected = 0
  for (let row = 0; row < values.length; row += 1) {
    for (let column = 0; column < values.length; column += 1) {
      const gap = distance(row, column)
      observed += coincidences[row]![column]! * gap
      expected += totals[row]! * totals[column]! * gap
    }
  }
  return expected === 0 ? NaN : 1 - ((pairable - 1) * observed) / expected
}

function unitsOf(coders: readonly (readonly (number | null)[])[]): number[][] {
  const count = Math.max(0, ...coders.map((coder) => coder.length))
  return Array.from({ length: count }, (_, unit) => coders.flatMap((coder) => coder[unit] ?? []))
}

/** How often the values c and k stand beside each other in a unit, each unit of m answers counting as m [value, value]. */
function coincidenceMatrix(units: readonly (readonly number[])[], values: readonly number[]): number[][] {
  const place = new Map(values.map((value, index) => [value, index]))
  const matrix = values.map(() => values.map(() => 0))
  for (const unit of units) {
    const counts = values.map(() => 0)
    for (const value of unit) counts[place.get(value)!]! += 1
    for (const [row, first] of counts.entries()) {
      if (first === 0) continue
      for (const [column, second] of counts.entries())
        matrix[row]![column]! += (first * (second - (row === column ? 1 : 0))) / (unit.length - 1)
    }
  }
  return matrix
}

/** Squared distance of two values, given by their positions. */
function distanceFor(
  level: Level,
  values: readonly number[],
  totals: readonly number[],
): (row: number, column: number) => number {
  if (level === 'nominal') return (row, column) => (row === column ? 0 : 1)
  if (level === 'interval') return (row, column) => (values[row]! - values[column]!) ** 2
  if (level === 'ratio') {
    return (row, column) => {
      const sum = values[row]! + values[column]!
      return sum === 0 ? 0 : ((values[row]! - values[column]!) / sum) ** 2
    }
  }
  return (row, column) => {
    if (row === column) return 0
    const [low, high] = row < column ? [row, column] : [column, row]
    const between = totals.slice(low, high + 1).reduce((sum, value) => sum + value, 0)
    return (between - (totals[row]! + totals[column]!) / 2) ** 2
  }
}

/** Fleiss' κ of a fixed number of answers an item (Fleiss 1971). @param counts answers in each category [item, category] */
export function fleissKappa(counts: readonly (readonly number[])[]): number {
  const raters = counts[0]?.reduce((sum, value) => sum + value, 0) ?? 0
  if (raters < 2) return NaN
  const categories = counts[0]!.map(
    (_, category) => counts.reduce((sum, row) => sum + row[category]!, 0) / (counts.length * raters),
  )
  let observed = 0
  for (const row of counts) {
    if (row.reduce((sum, value) => sum + value, 0) !== raters)
      throw new RangeError('every item needs the same number of answers')
    observed += (row.reduce((sum, value) => sum + value * value, 0) - raters) / (raters * (raters - 1)) / counts.length
  }
  const expected = categories.reduce((sum, share) => sum + share * share, 0)
  return 1 - expected < 1e-15 ? NaN : (observed - expected) / (1 - expected)
}
