// What a comparison may claim, in plain sentences.
import type { Interval } from '../../../shared/contract/comparisons.ts'
import type { RunState } from '../../../shared/domain.ts'
import { pointInWords } from '../../../shared/compare-point.ts'
import { EVAL, TEST } from '../../../shared/metric-names.ts'
import { formatCount, intervalDecimals } from '../../../shared/units.ts'
import { isSameForEverySeed, isUntrained } from './as-it-stands.ts'
import { itemsInWords } from './comparison-item-words.ts'
import {
  countedRuns,
  curveOf,
  type ComparedRun,
  type CompareOptions,
  type Goal,
  type GroupBy,
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
      sayP(items.p),
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

interface WarningInput {
  readonly groups: readonly NamedGroup[]
  readonly metric: string
  /** How it is called within a sentence. */
  readonly said: string
  readonly at: CompareOptions['at']
  readonly groupBy: GroupBy
}

const STATE_WORDS: Readonly<Partial<Record<RunState, string>>> = {
  failed: 'failed',
  lost: 'went silent',
  cancelled: 'was stopped',
  interrupted: 'was interrupted',
  queued: 'waits in the queue',
  starting: 'is starting',
  training: 'is still training',
  evaluating: 'is being evaluated',
}

export function warnInWords({ groups, metric, said, at, groupBy }: WarningInput): string[] {
  return [
    ...groups.flatMap((group) => unfinishedInWords(group)),
    ...groups.flatMap((group) =>
      group.runs.some((run) => curveOf(run, metric) !== undefined) ? [] : [`${group.label} has no ${said}.`],
    ),
    ...missingSeeds(groups, groupBy, metric),
    ...groups.flatMap((group) => repeatedSeeds(group)),
    ...(new Set(groups.flatMap((group) => group.runs.map((run) => run.spec.data.viewHash))).size > 1
      ? ['These runs did not learn from the same data: records, labels or split differ.']
      : []),
    ...(new Set(groups.flatMap((group) => group.runs.map((run) => run.summary.engine))).size > 1
      ? ['These runs used different engines; numbers can differ in the last digits.']
      : []),
    ...(at === 'best' ? [...chosenInWords(groups), ...unmoved(groups), ...flattered(groups, metric, said)] : []),
    ...(groupBy === 'method' && groups.some((group) => new Set(group.runs.map((run) => run.summary.groupHash)).size > 1)
      ? ['Grouped by method, runs of different settings are averaged; their spread is more than that of the seeds.']
      : []),
    ...differentLengths(groups, at),
  ]
}

function unfinishedInWords(group: NamedGroup): string[] {
  const counted = countedRuns(group)
  return group.runs
    .filter((run) => run.summary.state !== 'finished')
    .map((run) => {
      const where = run.summary.state === 'queued' ? '' : ` at step ${run.summary.step} of ${run.summary.totalSteps}`
      const counts = counted.includes(run) ? 'counts with what it has' : 'is left out of the numbers'
      return `${nameRun(group, run)} ${STATE_WORDS[run.summary.state] ?? run.summary.state}${where} and ${counts}.`
    })
}

function nameRun(group: NamedGroup, run: ComparedRun): string {
  return `${group.label}, seed ${run.summary.seed},`
}

/** Seeds that another group has, by what finished. */
function missingSeeds(groups: readonly NamedGroup[], groupBy: GroupBy, metric: string): string[] {
  if (groups.length < 2 || groupBy === 'none') return []
  const finished = groups.map(
    (group) => new Set(group.runs.filter((run) => run.summary.state === 'finished').map((run) => run.summary.seed)),
  )
  const all = [...new Set(finished.flatMap((seeds) => [...seeds]))].toSorted((a, b) => a - b)
  return groups.flatMap((group, index) => {
    if (isSameForEverySeed(group, metric)) return []
    const missing = all.filter((seed) => finished[index]?.has(seed) !== true)
    return missing.length === 0 || missing.length === all.length
      ? []
      : [
          `${group.label} has no finished run with ${missing.length === 1 ? 'seed' : 'seeds'} ${missing.join(', ')}, which others have.`,
        ]
  })
}

function repeatedSeeds(group: NamedGroup): string[] {
  const hashes = new Set(group.runs.map((run) => run.summary.groupHash))
  if (hashes.size > 1 || new Set(group.runs.map((run) => run.summary.seed)).size === group.runs.length) return []
  return [
    `${group.label} has the same seed more than once. Repeating a seed says nothing new: it is no independent run.`,
  ]
}

function differentLengths(groups: readonly NamedGroup[], at: CompareOptions['at']): string[] {
  const trained = groups.flatMap((group) => group.runs.filter((run) => !isUntrained(run)))
  const lengths = [...new Set(trained.map((run) => run.summary.totalSteps))]
  const said = `These runs have different lengths (${lengths.toSorted((a, b) => a - b).join(', ')} steps)`
  if (lengths.length < 2 || typeof at === 'number') return []
  return [
    at === 'last'
      ? `${said}; “last” compares different steps.`
      : `${said}; a longer one has more checkpoints to choose from.`,
  ]
}

/** Runs whose last numbers stand where the others have those of the chosen checkpoint. */
function chosenInWords(groups: readonly NamedGroup[]): string[] {
  const counted = groups.flatMap((group) => countedRuns(group).map((run) => ({ group, run })))
  const without = counted.filter(({ run }) => run.chosen === null)
  if (without.length === 0) return []
  if (without.length === counted.length)
    return ['Of none of these runs a checkpoint was chosen by a validation side: their last numbers count.']
  return without.length > 3
    ? [`Of ${without.length} of these runs no checkpoint was chosen by a validation side: their last numbers count.`]
    : without.map(
        ({ group, run }) =>
          `Of ${nameRun(group, run)} no checkpoint was chosen by a validation side: its last number counts.`,
      )
}

/** Whose numbers are those of the weights that training began with. */
function unmoved(groups: readonly NamedGroup[]): string[] {
  return groups.flatMap((group) => {
    const counted = countedRuns(group)
    const seeds = counted.flatMap((run) => (run.chosen === 0 && !isUntrained(run) ? [run.summary.seed] : []))
    if (seeds.length === 0) return []
    const which =
      seeds.length === counted.length
        ? 'all of its seeds'
        : `${seeds.length === 1 ? 'seed' : 'seeds'} ${seeds.join(', ')}`
    return [`${group.label}, ${which}: no step was better than the weights that training began with, which count here.`]
  })
}

/** What a checkpoint was chosen by says too much of it. */
function flattered(groups: readonly NamedGroup[], metric: string, said: string): string[] {
  const by = groups.flatMap((group) =>
    countedRuns(group).flatMap(({ summary, chosen }) => (chosen === null ? [] : [summary.mainMetric])),
  )
  return by.includes(metric)
    ? [
        `The checkpoints were chosen by this very number, which flatters it: ${said.replace(/^held-out /, '')} of the test side is the one to report.`,
      ]
    : []
}
