// Differences between configurations whose runs (seeds) were all measured on the same items: both are a sample of more.
import { boundsOf, pValueOf, studentQuantile, type Estimate } from './student.ts'
import type { Bounds } from './intervals.ts'

/** An item that every run was measured on, how much it counts, and what it has in common with others: the prompt of a pair. */
export interface CrossedItem {
  readonly weight: number
  readonly cluster: string
}

/** Values of one configuration's runs [run][item]; every run has every item. */
export type CrossedValues = readonly (readonly number[])[]

export interface CrossedDifference extends Bounds {
  readonly mean: number
  readonly p: number
  readonly items: number
  readonly clusters: number
  /** Of the variance of the mean, what more runs would take away, and what more clusters would. */
  readonly variance: { readonly runs: number; readonly items: number }
  readonly df: number
}

/**
 * Mean difference, over runs and items that are both drawn at random and crossed: y_ri = μ + run_r + item_i + ε_ri. The variance of
 * the mean is σ²_run/R + σ²_item/I + σ²_ε/(RI); that of the run means estimates the first and last term, that of the item
 * means (summed by cluster, as of a weighted ratio) the last two, so that the term which both hold is taken off once, and never
 * so much that less than either is left. Degrees of freedom are Satterthwaite's (1946), each part with its own.
 * With one run a side, what is known is how items vary: the interval is of these two runs and of no other seed.
 * @param paired runs of the two stand side by side, as with equal seeds: their differences are the values
 * @returns null with fewer than two clusters
 */
export function crossedDifference(
  ours: CrossedValues,
  theirs: CrossedValues,
  items: readonly CrossedItem[],
  paired: boolean,
): CrossedDifference | null {
  const clusters = new Set(items.map((one) => one.cluster)).size
  if (clusters < 2 || ours.length === 0 || theirs.length === 0) return null
  const samples = paired
    ? [ours.map((row, run) => row.map((value, item) => value - theirs[run]![item]!))]
    : [ours, theirs]
  const parts = samples.map((rows) => partsOf(rows, items))
  const difference = meanItems(samples)
  const mean = weightedMean(difference, items)
  const ofItems = clusterVariance(
    difference.map((value) => value - mean),
    items,
    clusters,
  )
  const several = parts.every(({ runs }) => runs > 1)
  const ofRuns = several ? sum(parts.map((part) => part.ofRuns)) : 0
  const ofBoth = several ? sum(parts.map((part) => part.ofBoth)) : 0
  const total = Math.max(ofRuns, ofItems, ofRuns + ofItems - ofBoth)
  const freedom =
    ofItems ** 2 / (clusters - 1) +
    (several ? sum(parts.map((part) => part.ofRuns ** 2 / (part.runs - 1))) : 0) +
    (several ? sum(parts.map((part) => part.ofBoth ** 2 / ((part.runs - 1) * (clusters - 1)))) : 0)
  const df = total === 0 || freedom === 0 ? clusters - 1 : Math.max(1, total ** 2 / freedom)
  const estimate: Estimate = { mean, error: Math.sqrt(total), df }
  return {
    mean,
    ...boundsOf(estimate),
    p: pValueOf(estimate),
    items: items.length,
    clusters,
    variance: { runs: Math.max(0, total - ofItems), items: ofItems },
    df,
  }
}

/**
 * How many clusters of items there would have to be, with as many runs as there are, to tell such a difference in four of five
 * repeats; null where it is out of reach by items alone.
 */
export function clustersToTell(found: CrossedDifference, most = 100_000): number | null {
  if (found.mean === 0) return null
  const times = studentQuantile(0.975, found.df) + studentQuantile(0.8, found.df)
  const room = (found.mean / times) ** 2 - found.variance.runs
  if (room <= 0) return null
  const needed = Math.ceil((found.variance.items * found.clusters) / room)
  return needed > most ? null : needed
}

interface Parts {
  readonly runs: number
  /** Variance of the mean over runs. */
  readonly ofRuns: number
  /** What of it is neither the run's own nor the item's. */
  readonly ofBoth: number
}

function partsOf(rows: CrossedValues, items: readonly CrossedItem[]): Parts {
  const runs = rows.length
  if (runs < 2) return { runs, ofRuns: 0, ofBoth: 0 }
  const runMeans = rows.map((row) => weightedMean(row, items))
  const itemMeans = meanItems([rows])
  const mean = weightedMean(itemMeans, items)
  const clusters = new Set(items.map((one) => one.cluster)).size
  const share = 1 / (runs * (runs - 1))
  return {
    runs,
    ofRuns: share * sum(runMeans.map((value) => (value - mean) ** 2)),
    ofBoth:
      share *
      sum(
        rows.map((row, run) =>
          clusterVariance(
            row.map((value, item) => value - runMeans[run]! - itemMeans[item]! + mean),
            items,
            clusters,
          ),
        ),
      ),
  }
}

/** Mean over runs of the first, less that of the second if there is one [item] */
function meanItems([first, second]: readonly CrossedValues[]): number[] {
  const of = (rows: CrossedValues, item: number): number => sum(rows.map((row) => row[item]!)) / rows.length
  return first![0]!.map((_value, item) => of(first!, item) - (second === undefined ? 0 : of(second, item)))
}

function weightedMean(values: readonly number[], items: readonly CrossedItem[]): number {
  return sum(values.map((value, at) => value * items[at]!.weight)) / sum(items.map((one) => one.weight))
}

/** Of the weighted mean of residuals that are independent between clusters alone. */
function clusterVariance(residuals: readonly number[], items: readonly CrossedItem[], clusters: number): number {
  const sums = new Map<string, number>()
  let weight = 0
  for (const [at, { weight: own, cluster }] of items.entries()) {
    weight += own
    sums.set(cluster, (sums.get(cluster) ?? 0) + own * residuals[at]!)
  }
  return ((clusters / (clusters - 1)) * sum([...sums.values()].map((value) => value ** 2))) / weight ** 2
}

function sum(values: readonly number[]): number {
  let total = 0
  for (const value of values) total += value
  return total
}
