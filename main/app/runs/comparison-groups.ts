// Which runs belong together, which of them count, and what sets the groups apart.
import type { Parsed } from '../../../shared/contract.ts'
import type { Comparison } from '../../../shared/contract/comparisons.ts'
import type { RunSummary } from '../../../shared/contract/runs.ts'
import type { AlgorithmRole, MetricInfo } from '../../../shared/domain.ts'
import type { RunSpec } from '../../../shared/run-spec.ts'
import type { Sliced } from '../store/slices.ts'
import type { RunItems } from './run-items.ts'

/** A curve in step order, over the steps that count. */
export interface Curve {
  readonly step: readonly number[]
  readonly value: readonly (number | null)[]
}

export type GroupDifference = Comparison['differences'][number]

export interface ComparedRun {
  readonly summary: RunSummary
  readonly spec: RunSpec
  readonly curves: Readonly<Record<string, Curve>>
  /** The step that its validation side chose; null where none was chosen: then its last numbers stand. */
  readonly chosen: number | null
  /** Tokens that its tokenizer knows; null where it reads none, or has not said yet. */
  readonly vocabSize: number | null
  /** Of its method; absent: it trains a policy. */
  readonly page?: { readonly learns?: false; readonly role: AlgorithmRole } | undefined
  /** Values of the metric that is compared, by held-out item; null where the run kept none. */
  readonly items?: RunItems | null
}

/** A metric's curve. A metric may be called `constructor`, which every object has. */
export function curveOf(run: ComparedRun, metric: string): Curve | undefined {
  return Object.hasOwn(run.curves, metric) ? run.curves[metric] : undefined
}

export type GroupBy = 'configuration' | 'method' | 'none'
export type SettingValue = RunSpec['config'][string]
export type Goal = MetricInfo['goal']

export type CompareOptions = Omit<Parsed<'comparisons.get'>, 'runIds'> & {
  /** Which direction is better, by metric name with or without its `eval/`. */
  readonly goals?: Readonly<Record<string, Goal>>
  /** How the compared methods call their metrics, for sentences; without it a metric goes by its name in the events. */
  readonly infos?: readonly MetricInfo[]
}

export interface RunGroup {
  readonly key: string
  readonly method: string
  /** By seed, then by age. */
  readonly runs: readonly ComparedRun[]
}

export interface NamedGroup extends RunGroup {
  /** No two groups share it. */
  readonly label: string
}

/** In the order in which the groups first appear among the runs given. */
export function groupRuns(runs: readonly ComparedRun[], groupBy: GroupBy): readonly RunGroup[] {
  return [...Map.groupBy(runs, (run) => keyOf(run, groupBy))].map(([key, members]) => ({
    key,
    method: firstOf(members).summary.method,
    runs: members.toSorted((a, b) => a.summary.seed - b.summary.seed || a.summary.createdAtMs - b.summary.createdAtMs),
  }))
}

function keyOf(run: ComparedRun, groupBy: GroupBy): string {
  if (groupBy === 'method') return run.summary.method
  return groupBy === 'none' ? run.summary.runId : run.summary.groupHash
}

/**
 * The runs that all numbers are of, those of the table, the curves, the sentences and the files alike: the finished
 * ones; where none is, those that are on their way or stopped at a checkpoint.
 */
export function countedRuns(group: RunGroup): readonly ComparedRun[] {
  const finished = group.runs.filter((run) => run.summary.state === 'finished')
  if (finished.length > 0) return finished
  return group.runs.filter((run) => run.summary.state !== 'failed' && run.summary.state !== 'lost')
}

export interface SettingsDiff {
  readonly differing: readonly { readonly path: string; readonly values: readonly SettingValue[] }[]
  readonly same: number
}

/** What a group's runs do not agree on among themselves. */
export const MIXED = '(several)'

/** Every setting but the seed, and what belongs to a run and not to its configuration. */
export function* diffSettings(groups: readonly RunGroup[]): Sliced<SettingsDiff> {
  const flat: Record<string, SettingValue>[][] = []
  const paths = new Set<string>()
  for (const group of groups) {
    const members = group.runs.map((run) => ({ ...settingsOf(run.spec), engine: run.summary.engine }))
    for (const settings of members) for (const path of Object.keys(settings)) paths.add(path)
    flat.push(members)
    yield
  }
  const differing: { readonly path: string; readonly values: readonly SettingValue[] }[] = []
  for (const path of paths) {
    const values = flat.map((members) => valueOfGroup(members, path))
    if (new Set(values.map((value) => JSON.stringify(value))).size > 1 || values.includes(MIXED))
      differing.push({ path, values })
    yield
  }
  return { differing, same: paths.size - differing.length }
}

function valueOfGroup(members: readonly Readonly<Record<string, SettingValue>>[], path: string): SettingValue {
  const values = new Map(members.map((settings) => [JSON.stringify(settings[path] ?? null), settings[path] ?? null]))
  const [only] = values.values()
  return values.size > 1 ? MIXED : (only ?? null)
}

function settingsOf(spec: RunSpec): Record<string, SettingValue> {
  const { viewPath: _file, ...data } = spec.data
  const start: SettingValue =
    spec.model.kind === 'run'
      ? { kind: spec.model.kind, runId: spec.model.runId, checkpoint: spec.model.checkpoint }
      : spec.model
  return {
    method: spec.method,
    ...flatten('config', spec.config),
    ...flatten('training', spec.training),
    ...flatten('model', start),
    ...flatten('data', data),
    ...flatten('judge', spec.judge?.source ?? null),
    appVersion: spec.appVersion,
  }
}

/** Nested records as dotted paths; lists stay whole. */
function flatten(path: string, value: SettingValue): Record<string, SettingValue> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { [path]: value }
  return Object.assign({}, ...Object.entries(value).map(([key, inner]) => flatten(`${path}.${key}`, inner)))
}

/** A group is made by its first run, so there is one. */
export function firstOf<T>(items: readonly T[]): T {
  const [first] = items
  if (first === undefined) throw new RangeError('an empty list has no first item')
  return first
}
