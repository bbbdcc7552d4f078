// What speaks against a comparison, in plain sentences.
import type { RunState } from '../../../shared/domain.ts'
import { isSameForEverySeed, isUntrained } from './as-it-stands.ts'
import {
  countedRuns,
  curveOf,
  type ComparedRun,
  type CompareOptions,
  type GroupBy,
  type NamedGroup,
} from './comparison-groups.ts'

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
