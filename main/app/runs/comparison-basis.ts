// Whether the numbers of two groups may be set against each other at all: the same data, and a metric that means the same.
import { describeMetric, isRankingMeasure } from '../../../shared/metric-names.ts'
import type { RunSpec } from '../../../shared/run-spec.ts'
import { countedRuns, type CompareOptions, type ComparedRun, type RunGroup } from './comparison-groups.ts'

/** Why no verdict may be given, in words that end a sentence; null where it may. */
export function whyNotComparable(
  one: RunGroup,
  other: RunGroup,
  { metric, at, infos = [] }: Pick<CompareOptions, 'metric' | 'at' | 'infos'>,
): string | null {
  const runs = [...countedRuns(one), ...countedRuns(other)]
  return (
    otherData(runs.map((run) => run.spec)) ??
    otherMeaning(runs, metric) ??
    otherTokens(runs, describeMetric(metric, infos).unit) ??
    otherEvaluation(runs, metric, at)
  )
}

/** What each group learned from, one name for each view of the data. */
export function nameData(groups: readonly RunGroup[]): string[] {
  const data = new Map(
    groups.flatMap((group) => group.runs.map(({ spec }) => [spec.data.viewHash, spec.data.datasetName] as const)),
  )
  const names = [...data.values()]
  return groups.map((group) => {
    const [view, ...others] = new Set(group.runs.map((run) => run.spec.data.viewHash))
    if (view === undefined || others.length > 0) return '(several)'
    const name = data.get(view) ?? ''
    return names.filter((one) => one === name).length > 1 ? `${name} ${view.slice(0, 8)}` : name
  })
}

function differs<T>(specs: readonly RunSpec[], of: (spec: RunSpec) => T): boolean {
  return new Set(specs.map((spec) => JSON.stringify(of(spec) ?? null))).size > 1
}

function otherData(specs: readonly RunSpec[]): string | null {
  if (!differs(specs, (spec) => spec.data.viewHash)) return null
  if (differs(specs, (spec) => spec.data.fingerprint)) {
    const names = [...new Set(specs.map((spec) => spec.data.datasetName))].toSorted()
    return `these runs are of different data${names.length > 1 ? ` (${names.join(', ')})` : `: the records of ${names[0] ?? 'the data set'} are not the same`}`
  }
  if (differs(specs, (spec) => spec.data.split))
    return 'these runs are of different splits, so that they were not tested on the same'
  if (differs(specs, (spec) => [spec.data.annotators, spec.data.aggregation]))
    return 'these runs count the labels of different people, or count them in different ways'
  return 'these runs are of different data: labels or sides changed between them'
}

/** Names after `eval/` and `test/` that mean another quantity where something else differs. */
function otherMeaning(runs: readonly ComparedRun[], metric: string): string | null {
  const name = metric.replace(/^(eval|test)\//, '')
  const specs = runs.map((run) => run.spec)
  if (/(^|\/)loss(_|$)/.test(name) && differs(specs, (spec) => spec.method))
    return 'the loss of one method and that of another are different quantities'
  if (/^rewards\/(chosen|rejected|margins)/.test(name) && differs(specs, (spec) => [spec.method, spec.config['beta']]))
    return 'rewards of another method or another β are on another scale'
  if (/^(rewards|kl)\/|^rollout\/kl/.test(name) && differs(specs, ({ training }) => movesBy(training)))
    return 'their references follow the policy in different ways, or only that of one does'
  if (name.startsWith('samples/') && differs(specs, (spec) => spec.judge))
    return 'their samples were not scored by the same judge'
  if (isRankingMeasure(name) && differs(specs, (spec) => spec.config['cutoff']))
    return 'they count a different number of places (the cut-off k)'
  return null
}

/** What is counted by the token depends on what a token is. */
function otherTokens(runs: readonly ComparedRun[], unit: string): string | null {
  if (!unit.endsWith('/token')) return null
  const told = runs.map(({ spec, vocabSize }) => JSON.stringify([vocabSize, spec.layout, spec.training.maxLength]))
  return new Set(told).size > 1
    ? 'it is a mean over tokens, and their tokenizers, text layouts or longest sequences are not the same'
    : null
}

/** Null where the reference stays where training began. */
function movesBy({ referenceSyncEvery, referenceMixup }: RunSpec['training']): readonly number[] | null {
  return referenceSyncEvery === 0 ? null : [referenceSyncEvery, referenceMixup]
}

/** The end of a run is judged by the whole held-out side, points before it by a part. */
function otherEvaluation(runs: readonly ComparedRun[], metric: string, at: CompareOptions['at']): string | null {
  const specs = runs.map((run) => run.spec)
  const name = metric.replace(/^(eval|test)\//, '')
  if (
    name.startsWith('samples/') &&
    differs(specs, ({ training }) => [training.samplePrompts, training.sampleTokens, training.sampleTemperature])
  )
    return 'their samples are of different prompts, lengths or temperatures'
  if (!metric.startsWith('eval/') || (at === 'last' && runs.every((run) => run.summary.state === 'finished')))
    return null
  if (differs(specs, ({ training }) => training.evalPairs)) return 'they were not evaluated on the same held-out pairs'
  const inPart = runs.filter(({ spec: { training, data } }) => data.counts.validation > training.evalPairs)
  if (
    at === 'best' &&
    !/^(rollout|samples)\//.test(name) &&
    new Set(inPart.map(({ chosen, spec }) => chosen === null || chosen === spec.training.steps)).size > 1
  )
    return 'some were chosen at their end, where all of the validation side was measured, others before it, where a part was: compare the test side'
  return at === 'last' && new Set(runs.map((run) => run.summary.state === 'finished')).size > 1
    ? 'some have finished and were judged by the whole held-out side, others so far by a part of it'
    : null
}
