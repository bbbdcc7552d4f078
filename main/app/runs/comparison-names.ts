// What groups are called: the method or the run's name, and the fewest settings that tell the groups apart.
import { isUntrained } from './as-it-stands.ts'
import { diffSettings, firstOf, MIXED, type GroupBy, type RunGroup, type SettingValue } from './comparison-groups.ts'
import type { Sliced } from '../store/slices.ts'

/** Combinations of settings are tried one by one up to this many looks at a value; beyond, the most telling setting is taken first. */
const MOST_LOOKS = 200_000
const LONGEST_VALUE = 40
const SHORTEST_HASH = 8

/** One name a group, in their order; no two are equal. */
export function* nameGroups(groups: readonly RunGroup[], groupBy: GroupBy): Sliced<readonly string[]> {
  const names = new Map<RunGroup, string>()
  const byStem = Map.groupBy(groups, (group) => stemOf(group, groupBy))
  for (const [stem, alike] of byStem) {
    const tails = alike.map((group) => (groupBy === 'none' ? `, seed ${firstOf(group.runs).summary.seed}` : ''))
    const parts = yield* tellingParts(alike, tails)
    for (const [at, group] of alike.entries())
      names.set(group, `${stem}${parts[at] === '' ? '' : ` · ${parts[at]}`}${tails[at]}`)
  }
  const counts = new Map<string, number>()
  for (const name of names.values()) counts.set(name, (counts.get(name) ?? 0) + 1)
  // Nothing that is recorded tells these apart but that they are other runs.
  return groups.map((group) => {
    const name = names.get(group) ?? ''
    return counts.get(name) === 1 ? name : `${name} (${firstOf(group.runs).summary.runId})`
  })
}

function stemOf(group: RunGroup, groupBy: GroupBy): string {
  const { name, methodName } = firstOf(group.runs).summary
  if (groupBy === 'none' && name !== '') return name
  // Of a method that learns nothing that is no news.
  const untrained = group.runs.every((run) => isUntrained(run) && run.page?.learns !== false)
  return untrained ? `${methodName}, before training` : methodName
}

/** A setting that differs among groups. */
interface Column {
  readonly path: string
  readonly texts: readonly string[]
  /** The same number where the value is the same. */
  readonly classes: readonly number[]
}

function* tellingParts(groups: readonly RunGroup[], tails: readonly string[]): Sliced<string[]> {
  const columns = distinctColumns((yield* diffSettings(groups)).differing)
  yield
  const chosen = shortestTelling(columns, classesOf(tails))
  const words = chosen.map(({ path }) =>
    wordFor(
      path,
      chosen.map((column) => column.path),
    ),
  )
  return groups.map((_group, at) => chosen.map(({ texts }, index) => `${words[index]} ${texts[at]}`).join(', '))
}

/** One column for settings that divide the groups alike, the first of them; those that a group does not agree on itself come last. */
function distinctColumns(
  differing: readonly { readonly path: string; readonly values: readonly SettingValue[] }[],
): Column[] {
  const mixed = (values: readonly SettingValue[]): number => Number(values.includes(MIXED))
  const columns = differing
    .toSorted((a, b) => mixed(a.values) - mixed(b.values) || placeOf(a.path) - placeOf(b.path))
    .map(({ path, values }) => {
      const whole = values.map((value) => JSON.stringify(value ?? null))
      return { path, texts: showValues(values), classes: classesOf(whole) }
    })
  return [...new Map(columns.toReversed().map((column) => [column.classes.join(' '), column])).values()].toReversed()
}

/** What a person chose is named before what follows from it. */
const LAST_PATHS = [
  'data.split',
  'data.counts',
  'data.fingerprint',
  'data.viewHash',
  'data.datasetId',
  'model.hash',
  'model.path',
  'model.modelId',
  'engine',
  'appVersion',
]

function placeOf(path: string): number {
  return LAST_PATHS.findIndex((start) => path.startsWith(start))
}

function classesOf(values: readonly string[]): number[] {
  const seen = new Map<string, number>()
  return values.map((value) => {
    const known = seen.get(value) ?? seen.size
    seen.set(value, known)
    return known
  })
}

function refine(classes: readonly number[], column: Column): number[] {
  return classesOf(classes.map((one, at) => `${one} ${column.classes[at]}`))
}

function countOf(classes: readonly number[]): number {
  return new Set(classes).size
}

/** The fewest columns that tell apart as much as all of them do. @param known what tells them apart already */
function shortestTelling(columns: readonly Column[], known: readonly number[]): readonly Column[] {
  const goal = countOf(columns.reduce(refine, known))
  let looks = 0
  /** Of `size` columns from a place on that reach the goal together with what is chosen. */
  function choose(size: number, from: number, classes: readonly number[]): readonly Column[] | null {
    if (size === 0) return countOf(classes) === goal ? [] : null
    for (let at = from; at < columns.length && looks < MOST_LOOKS; at += 1) {
      const column = columns[at]
      if (column === undefined) return null
      looks += classes.length
      const rest = choose(size - 1, at + 1, refine(classes, column))
      if (rest !== null) return [column, ...rest]
    }
    return null
  }
  for (let size = 0; size <= columns.length && looks < MOST_LOOKS; size += 1) {
    const found = choose(size, 0, known)
    if (found !== null) return found
  }
  return mostTellingFirst(columns, known, goal)
}

function mostTellingFirst(columns: readonly Column[], known: readonly number[], goal: number): readonly Column[] {
  const chosen: Column[] = []
  let classes = known
  while (countOf(classes) < goal) {
    const next = firstOf(
      columns
        .map((column) => ({ column, count: countOf(refine(classes, column)) }))
        .toSorted((a, b) => b.count - a.count),
    ).column
    chosen.push(next)
    classes = refine(classes, next)
  }
  return columns.filter((column) => chosen.includes(column))
}

const PATH_WORDS: Readonly<Record<string, string>> = {
  'data.datasetName': 'data',
  'data.viewHash': 'data',
  'data.fingerprint': 'records',
  'data.datasetId': 'data set',
  'data.labelCount': 'labels',
  appVersion: 'Pairlab',
  'model.kind': 'model',
  'model.name': 'model',
  'model.runId': 'from',
  'model.hash': 'weights',
  'model.modelId': 'model',
  'judge.kind': 'judge',
}

/** The setting's own name; with what it belongs to where two settings of that name are told. */
function wordFor(path: string, among: readonly string[]): string {
  const known = PATH_WORDS[path]
  if (known !== undefined) return known
  const segments = path.split('.')
  const last = segments.at(-1) ?? path
  const nested = segments.length > 2 && (segments[0] === 'data' || segments[0] === 'model')
  return nested || among.some((other) => other !== path && other.endsWith(`.${last}`))
    ? segments.slice(-2).join(' ')
    : last
}

/** As short as the values stay different. */
function showValues(values: readonly SettingValue[]): string[] {
  const distinct = countOf(classesOf(values.map((value) => JSON.stringify(value ?? null))))
  for (const digits of [SHORTEST_HASH, 2 * SHORTEST_HASH]) {
    const texts = values.map((value) => showValue(value, digits))
    if (new Set(texts).size === distinct) return texts
  }
  return values.map((value) => JSON.stringify(value ?? null))
}

function showValue(value: SettingValue, hashDigits: number): string {
  if (Array.isArray(value))
    return value.length === 0 ? 'none' : value.map((one) => showValue(one, hashDigits)).join(' + ')
  if (typeof value !== 'string')
    return value === null ? 'none' : typeof value === 'object' ? JSON.stringify(value) : String(value)
  if (/^[0-9a-f]{32,}$/.test(value)) return value.slice(0, hashDigits)
  const oneLine = value.replaceAll(/\s+/g, ' ')
  return oneLine.length > LONGEST_VALUE ? `${oneLine.slice(0, LONGEST_VALUE - 1)}…` : oneLine
}
