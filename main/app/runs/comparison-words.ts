// What a comparison may claim, in plain sentences.
import type { Interval } from '../../../shared/contract/comparisons.ts'
import { pointInWords } from '../../../shared/compare-point.ts'
import { EVAL, TEST } from '../../../shared/metric-names.ts'
import { formatCount, intervalDecimals } from '../../../shared/units.ts'
import { isSameForEverySeed } from './as-it-stands.ts'
import { itemsInWords } from './comparison-item-words.ts'
import {
  countedRuns,
  type CompareOptions,
  type Goal,
  type GroupDifference,
  type NamedGroup,
} from './comparison-groups.ts'

interface ConclusionInput {
  readonly groups: readonly NamedGroup[]
  /** As it is called within a sentence. */
  readonly metric: string
  /** As it is logged. */
  readonly metricName: string
  readonly goal: Goal
  readonly differences: readonly GroupDifference[]
  /** Of the metric, in the order of the groups. */
  readonly values: readonly (Interval | undefined)[]
  readonly at: CompareOptions['at']
  readonly margin: CompareOptions['margin']
  /** What the numbers are of, beside seeds. */
  readonly sides: string
}

export function concludeInWords(input: ConclusionInput): string[] {
  const { groups, metric, values, differences } = input
  const seeds = values.map((value) => value?.n ?? 0)
  if (Math.max(0, ...seeds) === 0) return [`None of these runs has a value of ${metric} yet.`]
  const sentences: string[] = []
  if (groups.length > 0 && groups.every((group) => isSameForEverySeed(group, input.metricName))) {
    // One run of each says all that runs can say.
  } else if (seeds.every((n) => n <= 1))
    sentences.push(
      'With one seed nothing can be concluded: a second run of the same configuration could come out the other way. Run at least three seeds.',
    )
  else if (Math.max(...seeds) < 3) sentences.push('With two seeds nothing can be concluded. Run at least three.')
  if (groups.length === 1) sentences.push('There is one configuration here, so nothing to compare it with.')
  sentences.push(
    ...differences.flatMap((difference) => [differenceInWords(difference, input), ...itemsOf(difference, input)]),
  )
  const tested = differences.filter(({ adjustedP }) => adjustedP !== null).length
  if (tested > 1)
    sentences.push(
      `${tested} comparisons are shown: a verdict is by p-values that are adjusted for all of them (Holm); each interval is for its own difference alone.`,
    )
  const over =
    Math.max(...seeds) > 1 ? ` Intervals are over seeds${input.sides === '' ? '' : `, on ${input.sides}`}.` : ''
  sentences.push(`Values are taken ${pointInWords(input.at)}.${over}`)
  return sentences
}

function differenceInWords(
  difference: GroupDifference,
  { groups, metric, metricName, goal, margin }: ConclusionInput,
): string {
  const { groupHash, baseline, interval, paired, seeds, p, adjustedP, seedsToTell, verdict, whyNot } = difference
  const [name, base] = [labelOf(groups, groupHash), labelOf(groups, baseline)]
  if (whyNot !== null) return `${name} against ${base}: no verdict on ${metric}, because ${whyNot}.`
  if (interval.mean === null) return `${name} against ${base}: one of them has no value of ${metric}.`
  const amount = `${signed(interval.mean, interval)}${rangeInWords(interval)}`
  if (noSeedChanges(difference, groups, metricName))
    return `${name} against ${base}: ${metric} differs by ${amount}. No seed changes either: what may be concluded, the items say.`
  if (interval.n < 3)
    return `${name} against ${base}: ${metric} differs by ${amount}, but ${interval.n === 1 ? 'one seed is' : 'two seeds are'} too few to tell.`
  const count = (n: number): string => `${n} ${n === 1 ? 'seed' : 'seeds'}`
  const how = [
    !paired
      ? `${count(seeds.group)} against ${seeds.baseline}, not paired`
      : seeds.group === seeds.baseline
        ? `paired over ${count(interval.n)}`
        : `over ${count(interval.n)}, against one that no seed changes`,
    ...(p === null ? [] : [sayP(p)]),
    ...(adjustedP === null || adjustedP === p ? [] : [`${sayP(adjustedP)} by Holm`]),
  ].join(', ')
  if (verdict === 'equivalent')
    return `${name} and ${base} are equivalent in ${metric}: the difference is ${amount}, ${how}, all of it within the margin of ${margin}.`
  if (verdict === 'cannot-tell') {
    const excludes = interval.low !== null && interval.high !== null && (interval.low > 0 || interval.high < 0)
    const why = excludes
      ? 'its interval alone excludes 0, and among all comparisons shown that is no more than chance would give'
      : 'the interval includes 0'
    const more =
      seedsToTell === null
        ? ''
        : ` Such a difference could be told in four of five repeats with ${count(seedsToTell)}${seeds.group === seeds.baseline ? ' of each' : ''}.`
    return `${name} against ${base}: it cannot be told which has the higher ${metric}. The difference is ${amount}, ${how}, and ${why}.${more}`
  }
  const better =
    goal === 'none' ? '' : (goal === 'max') === (verdict === 'higher') ? ', which is better' : ', which is worse'
  return `${name} has a ${verdict} ${metric} than ${base}${better}: by ${amount}, ${how}.`
}

/** Item by item, where that is known. */
function itemsOf(difference: GroupDifference, { groups, metricName }: ConclusionInput): string[] {
  const { items, verdict } = difference
  if (items === null) return []
  const told = verdict === 'higher' || verdict === 'lower'
  return [
    itemsInWords(
      items,
      metricName,
      `${signed(items.mean, items)}${rangeInWords({ ...items, n: items.items })}`,
      items.adjustedP === items.p ? sayP(items.p) : `${sayP(items.p)}, ${sayP(items.adjustedP)} by Holm`,
      { told, still: noSeedChanges(difference, groups, metricName) },
    ),
  ]
}

/** Whether neither of the two depends on its seed. */
function noSeedChanges(
  { groupHash, baseline }: GroupDifference,
  groups: readonly NamedGroup[],
  metric: string,
): boolean {
  return groups
    .filter(({ key }) => key === groupHash || key === baseline)
    .every((group) => isSameForEverySeed(group, metric))
}

function sayP(p: number): string {
  return p < 0.001 ? 'p < .001' : `p = ${p.toFixed(3).replace(/^0/, '')}`
}

/** What the numbers are of, beside seeds: intervals say nothing of other pairs. '' where runs do not share it. */
export function sidesInWords(groups: readonly NamedGroup[], metric: string): string {
  const runs = groups.flatMap((group) => countedRuns(group))
  if (/(^|\/)(return|success)(_|$)/.test(metric)) return 'episodes of their own for each seed'
  const side = metric.startsWith(TEST) ? 'test' : metric.startsWith(EVAL) ? 'validation' : null
  const counts = new Set(runs.map(({ spec }) => (side === null ? 0 : spec.data.counts[side])))
  const [count = 0] = counts
  if (side === null || counts.size !== 1 || count === 0) return ''
  return `this ${side} side (${formatCount(count)} ${count === 1 ? 'item' : 'items'})`
}

function labelOf(groups: readonly NamedGroup[], key: string): string {
  return groups.find((group) => group.key === key)?.label ?? key
}

function rangeInWords({ mean, low, high }: Interval): string {
  if (mean === null || low === null || high === null) return ''
  return ` (95 % interval ${signed(low, { low, high })} to ${signed(high, { low, high })})`
}

function signed(value: number, scale: Pick<Interval, 'low' | 'high'>): string {
  const digits = decimalsFor(
    scale.low === null || scale.high === null ? Math.abs(value) / 5 : (scale.high - scale.low) / 2,
  )
  const text = Math.abs(value).toFixed(digits)
  return `${value < 0 && Number(text) !== 0 ? '−' : '+'}${text}`
}

/** Decimals that show two digits of an uncertainty; three where there is none. */
export function decimalsFor(uncertainty: number): number {
  return uncertainty > 0 && Number.isFinite(uncertainty) ? intervalDecimals(uncertainty) : 3
}
