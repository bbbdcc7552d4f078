// Differences between configurations, over their seeds, and what may be said of them.
import type { Interval } from '../../../shared/contract/comparisons.ts'
import { mean } from '../../../shared/statistics/intervals.ts'
import {
  boundsOf,
  holm,
  meanEstimate,
  pValueOf,
  valuesToTell,
  welchEstimate,
} from '../../../shared/statistics/student.ts'
import type { Sliced } from '../store/slices.ts'
import { isSameForEverySeed } from './as-it-stands.ts'
import { whyNotComparable } from './comparison-basis.ts'
import type { CompareOptions, GroupDifference, RunGroup } from './comparison-groups.ts'
import { itemsDifference, sameItems } from './comparison-items.ts'
import { memberValues } from './comparison-values.ts'

/** Fewer seeds than this never carry a verdict. */
export const FEWEST_SEEDS = 3
const LEVEL = 0.05

/**
 * Against the baseline group, or the first; no number where the two are not of the same data or the metric means another thing.
 * Paired by seed where both have the same seeds: the same seed orders the data alike. Where one has seeds that the other has
 * not, pairing would throw them away, and all stand against all. Verdicts are by p-values that know how many comparisons are shown.
 */
export function* compareToBaseline(
  groups: readonly RunGroup[],
  options: Pick<CompareOptions, 'metric' | 'at' | 'baseline' | 'margin' | 'infos'>,
): Sliced<GroupDifference[]> {
  const baseline = groups.find((group) => group.key === options.baseline) ?? groups[0]
  if (baseline === undefined) return []
  const differences: GroupDifference[] = []
  for (const group of groups) {
    if (group === baseline) continue
    differences.push(differenceOf(group, baseline, options))
    yield
  }
  const tested = differences.filter((one) => one.p !== null && one.interval.n >= FEWEST_SEEDS)
  const adjusted = new Map(holm(tested.map((one) => one.p ?? 1)).map((value, at) => [tested[at]!, value]))
  const byItem = differences.flatMap(({ items }) => items ?? [])
  const ofItems = new Map(holm(byItem.map(({ p }) => p)).map((value, at) => [byItem[at]!, value]))
  return differences.map((one) => {
    if (one.whyNot !== null) return one
    const items = one.items === null ? null : { ...one.items, adjustedP: ofItems.get(one.items)! }
    const adjustedP = adjusted.get(one) ?? null
    const verdict = verdictOf(one.interval, adjustedP, options.margin)
    const more = verdict === 'cannot-tell' && one.seedsToTell !== null && one.seedsToTell > one.interval.n
    return { ...one, items, adjustedP, verdict, seedsToTell: more ? one.seedsToTell : null }
  })
}

const NO_DIFFERENCE = {
  interval: { mean: null, low: null, high: null, n: 0 },
  paired: false,
  p: null,
  adjustedP: null,
  seedsToTell: null,
  items: null,
} as const

function differenceOf(
  group: RunGroup,
  baseline: RunGroup,
  options: Pick<CompareOptions, 'metric' | 'at' | 'infos'>,
): GroupDifference {
  const named = { groupHash: group.key, baseline: baseline.key }
  const whyNot = whyNotComparable(group, baseline, options)
  if (whyNot !== null)
    return { ...named, ...NO_DIFFERENCE, seeds: { group: 0, baseline: 0 }, verdict: 'not-comparable', whyNot }
  const [own, other] = [valuesBySeed(group, options), valuesBySeed(baseline, options)]
  const ours = isSameForEverySeed(group, options.metric) ? forSeedsOf(other, own) : own
  const theirs = isSameForEverySeed(baseline, options.metric) ? forSeedsOf(own, other) : other
  const seeds = { group: own.size, baseline: other.size }
  const n = Math.min(ours.size, theirs.size)
  if (n === 0) return { ...named, ...NO_DIFFERENCE, seeds, verdict: 'cannot-tell', whyNot: null }
  const shared = [...ours.keys()].filter((seed) => theirs.has(seed))
  const paired = shared.length >= 2 && shared.length === ours.size && shared.length === theirs.size
  const same = sameItems(group, baseline, options.metric)
  const [first, second] = [[...ours.values()], [...theirs.values()]]
  // Student's t whatever the table shows: a verdict of three seeds must not rest on an interval that is too narrow.
  const estimate = paired
    ? meanEstimate(shared.map((seed) => ours.get(seed)! - theirs.get(seed)!)) // both have it
    : welchEstimate(first, second)
  const bounds = estimate === null ? null : boundsOf(estimate)
  return {
    ...named,
    interval: {
      mean: estimate?.mean ?? mean(first) - mean(second),
      low: bounds?.low ?? null,
      high: bounds?.high ?? null,
      n,
    },
    paired,
    seeds,
    p: estimate === null ? null : pValueOf(estimate),
    adjustedP: null,
    seedsToTell: estimate === null ? null : valuesToTell(estimate, n, paired ? 1 : 2),
    items: same === null ? null : itemsDifference(same),
    verdict: 'cannot-tell',
    whyNot: null,
  }
}

/** A value that no seed changes, at each seed of the others. */
function forSeedsOf(others: ReadonlyMap<number, number>, own: ReadonlyMap<number, number>): Map<number, number> {
  const [value] = own.values()
  return new Map(value === undefined ? [] : Array.from(others.keys(), (seed) => [seed, value]))
}

/** A seed that was run twice counts by the mean of its runs. */
function valuesBySeed(group: RunGroup, options: Pick<CompareOptions, 'metric' | 'at'>): Map<number, number> {
  const values = memberValues(group, options.metric, options)
  const lists = new Map<number, number[]>()
  for (const [index, run] of group.runs.entries()) {
    const value = values[index] ?? null
    if (value !== null) lists.set(run.summary.seed, [...(lists.get(run.summary.seed) ?? []), value])
  }
  return new Map([...lists].map(([seed, list]) => [seed, mean(list)]))
}

function verdictOf(
  { low, high, n, mean: center }: Interval,
  adjustedP: number | null,
  margin: number | null,
): GroupDifference['verdict'] {
  if (n < FEWEST_SEEDS || low === null || high === null || center === null) return 'cannot-tell'
  if (margin !== null && low > -margin && high < margin) return 'equivalent'
  if (adjustedP === null || adjustedP >= LEVEL) return 'cannot-tell'
  return center > 0 ? 'higher' : 'lower'
}
