// Which runs belong together, what sets the groups apart, and what they are called.
import type { RunSummary } from '../../shared/contract/runs.ts'
import type { RunSpec } from '../../shared/run-spec.ts'

/** A curve in step order, over the steps that count. */
export interface Curve {
  readonly step: readonly number[]
  readonly value: readonly (number | null)[]
}

export interface ComparedRun {
  readonly summary: RunSummary
  readonly spec: RunSpec
  readonly curves: Readonly<Record<string, Curve>>
}

export type GroupBy = 'configuration' | 'method' | 'none'
type Json = RunSpec['config'][string]

export interface RunGroup {
  readonly key: string
  readonly label: string
  readonly method: string
  /** By seed, then by age. */
  readonly runs: readonly ComparedRun[]
}

/** In the order in which the groups first appear among the runs given. */
export function groupRuns(runs: readonly ComparedRun[], groupBy: GroupBy): readonly RunGroup[] {
  const byKey = new Map<string, ComparedRun[]>()
  for (const run of runs) {
    const key = keyOf(run, groupBy)
    byKey.set(key, [...(byKey.get(key) ?? []), run])
  }
  const bare = [...byKey].map(([key, members]) => {
    const first = firstOf(members)
    const sorted = members.toSorted((a, b) => a.summary.seed - b.summary.seed || a.summary.createdAtMs - b.summary.createdAtMs)
    return { key, label: first.summary.methodName, method: first.summary.method, runs: sorted }
  })
  return bare.map((group) => ({ ...group, label: labelOf(group, bare, groupBy) }))
}

function keyOf(run: ComparedRun, groupBy: GroupBy): string {
  if (groupBy === 'method') return run.summary.method
  return groupBy === 'none' ? run.summary.runId : run.summary.groupHash
}

/** The method, and where that is not enough to tell groups apart, the settings that differ among its groups. */
function labelOf(group: RunGroup, groups: readonly RunGroup[], groupBy: GroupBy): string {
  const [run] = group.runs
  if (groupBy === 'none' && run !== undefined) return run.summary.name === '' ? `${group.label}, seed ${run.summary.seed}` : `${run.summary.name}, seed ${run.summary.seed}`
  const alike = groups.filter((other) => other.method === group.method)
  if (alike.length < 2) return group.label
  const place = alike.findIndex((other) => other.key === group.key)
  const parts = diffSettings(alike).differing.slice(0, 3).map(({ path, values }) => `${shortName(path)} ${showValue(values[place])}`)
  if (parts.length > 0) return `${group.label} · ${parts.join(', ')}`
  const name = run?.summary.name ?? ''
  return name === '' ? `${group.label} · ${place + 1}` : `${group.label} · ${name}`
}

function shortName(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1)
}

function showValue(value: Json | undefined): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : JSON.stringify(value ?? null)
}

export interface SettingsDiff {
  readonly differing: readonly { readonly path: string; readonly values: readonly Json[] }[]
  readonly same: number
}

/** What a group's runs do not agree on among themselves. */
export const MIXED = '(several)'

/** Every setting but the seed, and what belongs to a run and not to its configuration. */
export function diffSettings(groups: readonly RunGroup[]): SettingsDiff {
  const flat = groups.map((group) => group.runs.map((run) => ({ ...settingsOf(run.spec), engine: run.summary.engine })))
  const paths = [...new Set(flat.flat().flatMap((settings) => Object.keys(settings)))]
  const rows = paths.map((path) => ({ path, values: flat.map((members) => valueOfGroup(members, path)) }))
  const differing = rows.filter(({ values }) => new Set(values.map((value) => JSON.stringify(value))).size > 1 || values.includes(MIXED))
  return { differing, same: rows.length - differing.length }
}

function valueOfGroup(members: readonly Readonly<Record<string, Json>>[], path: string): Json {
  const values = new Map(members.map((settings) => [JSON.stringify(settings[path] ?? null), settings[path] ?? null]))
  const [only] = values.values()
  return values.size > 1 ? MIXED : only ?? null
}

function settingsOf(spec: RunSpec): Record<string, Json> {
  const { viewPath: _file, ...data } = spec.data
  const start: Json = spec.model.kind === 'run' ? { kind: spec.model.kind, runId: spec.model.runId, checkpoint: spec.model.checkpoint } : spec.model
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
function flatten(path: string, value: Json): Record<string, Json> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { [path]: value }
  return Object.assign({}, ...Object.entries(value).map(([key, inner]) => flatten(`${path}.${key}`, inner)))
}

/** A group is made by its first run, so there is one. */
export function firstOf<T>(items: readonly T[]): T {
  const [first] = items
  if (first === undefined) throw new RangeError('an empty list has no first item')
  return first
}
