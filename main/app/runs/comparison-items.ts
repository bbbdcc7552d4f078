// Two configurations set against each other item by item, on the held-out items that all of their runs were measured on.
import type { Comparison } from '../../../shared/contract/comparisons.ts'
import { clustersToTell, crossedDifference, type CrossedItem } from '../../../shared/statistics/crossed.ts'
import { mean } from '../../../shared/statistics/intervals.ts'
import { isSameForEverySeed } from './as-it-stands.ts'
import { countedRuns, type RunGroup } from './comparison-groups.ts'
import type { RunItems } from './run-items.ts'

export type ItemsDifference = NonNullable<Comparison['differences'][number]['items']>

/** Whether each seed of one is a seed of the other, so that they stand side by side. */
function sameSeeds(ours: readonly number[], theirs: readonly number[]): boolean {
  return ours.length === theirs.length && ours.every((seed) => theirs.includes(seed))
}

/** Values of one configuration [seed][item], of the items in one order. */
interface MeasuredGroup {
  readonly seeds: readonly number[]
  readonly ids: readonly string[]
  readonly items: readonly CrossedItem[]
  readonly rows: readonly (readonly number[])[]
}

/** Null unless every run that counts kept its items, and these are the same in all. Runs of one seed count by their mean. */
function measuredGroup(group: RunGroup): MeasuredGroup | null {
  const runs = countedRuns(group)
  const first = runs[0]?.items
  if (first === undefined || first === null || first.ids.length === 0) return null
  const bySeed = new Map<number, (readonly number[])[]>()
  for (const { items, summary } of runs) {
    const values = items === undefined || items === null ? null : inOrderOf(first, items)
    if (values === null) return null
    bySeed.set(summary.seed, [...(bySeed.get(summary.seed) ?? []), values])
  }
  return {
    seeds: [...bySeed.keys()],
    ids: first.ids,
    items: first.weights.map((weight, at) => ({ weight, cluster: first.clusters[at]! })), // one each
    rows: [...bySeed.values()].map((rows) =>
      rows.length === 1 ? rows[0]! : rows[0]!.map((_value, item) => mean(rows.map((row) => row[item]!))),
    ),
  }
}

/** Values of the same items with the same weights; null where they are not the same. */
function inOrderOf(first: Pick<RunItems, 'ids' | 'weights'>, other: RunItems): readonly number[] | null {
  if (other.ids.length !== first.ids.length) return null
  const places = new Map(other.ids.map((id, at) => [id, at]))
  const order = first.ids.map((id) => places.get(id) ?? -1)
  return order.every((place, at) => place >= 0 && other.weights[place] === first.weights[at])
    ? order.map((place) => other.values[place]!)
    : null
}

/** Both on the same items [seed][item], in one order. */
export interface SameItems {
  readonly ids: readonly string[]
  readonly items: readonly CrossedItem[]
  readonly ours: readonly (readonly number[])[]
  readonly theirs: readonly (readonly number[])[]
  /** Both of the same seeds, in one order. */
  readonly paired: boolean
}

/** Null where they were not measured on the same. One that no seed changes stands beside each seed of the other. */
export function sameItems(ours: RunGroup, theirs: RunGroup, metric: string): SameItems | null {
  const [one, other] = [measuredGroup(ours), measuredGroup(theirs)]
  if (one === null || other === null) return null
  const aligned = other.rows.map((values) =>
    inOrderOf(
      { ids: one.ids, weights: one.items.map(({ weight }) => weight) },
      { ids: other.ids, clusters: [], weights: other.items.map(({ weight }) => weight), values },
    ),
  )
  const rows = aligned.filter((row) => row !== null)
  if (rows.length < aligned.length) return null
  const fixed = [isSameForEverySeed(ours, metric), isSameForEverySeed(theirs, metric)] as const
  return {
    ids: one.ids,
    items: one.items,
    ours: fixed[0] ? repeat(one.rows, rows.length) : one.rows,
    theirs: fixed[1] ? repeat(rows, one.rows.length) : rows,
    paired: fixed[0] || fixed[1] || sameSeeds(one.seeds, other.seeds),
  }
}

function repeat([first]: SameItems['ours'], times: number): SameItems['ours'] {
  return Array.from({ length: times }, () => first!) // a measured group has a run
}

/** Null where the items are all of one prompt. */
export function itemsDifference({ items: all, ours, theirs, paired }: SameItems): ItemsDifference | null {
  const found = crossedDifference(ours, theirs, all, paired)
  if (found === null) return null
  const { mean: center, low, high, p, items, clusters } = found
  return {
    mean: center,
    low,
    high,
    p,
    adjustedP: p, // until it is known what else is shown
    items,
    clusters,
    overSeeds: ours.length > 1 && theirs.length > 1,
    clustersToTell: p < 0.05 ? null : clustersToTell(found),
  }
}
