import type { ColumnRole } from '../../../shared/contract/import-mapping.ts'
import { plainName } from './known-layouts.ts'
import {
  BARE_SIDES,
  BEGINNINGS,
  ENDINGS,
  NO_TEXT,
  RANKED_WORDS,
  SIDE_LISTS,
  STEMS,
  TEXT_KEYS,
  UNNAMED_CHOSEN,
} from './mapping-names.ts'
import { canonicalValue, isNoLabel, readWord } from './label-words.ts'
import { cellOf } from './mapping-compile.ts'
import type { RowValues } from './readers.ts'

/** The two answers of a row, and the numbers that the file gives them. */
export interface SideColumns {
  readonly a: string
  readonly b: string
  /** The names say that the first is the better one. */
  readonly ranked: boolean
  readonly rewardA: string | null
  readonly rewardB: string | null
}

/** Finds the columns of the two sides, by what was said of them or by their names. */
export function findSides(
  columns: readonly string[],
  rows: readonly RowValues[],
  roles: ReadonlyMap<string, ColumnRole>,
): SideColumns | null {
  const said = (role: ColumnRole): string | null => [...roles].find((entry) => entry[1] === role)?.[0] ?? null
  const free = columns.filter((column) => !roles.has(column))
  const byName = new Map(free.map((column) => [plainName(column), column]))
  const isText = (column: string): boolean =>
    rows.length === 0 ||
    rows.some((row) => typeof row[column] === 'string' || (typeof row[column] === 'object' && row[column] !== null)) ||
    rows.every((row) => row[column] === undefined || row[column] === null)
  if (said('a') !== null || said('b') !== null) {
    const flat = findFlat(byName)
    const pair = { a: said('a') ?? flat?.a ?? null, b: said('b') ?? flat?.b ?? null }
    return pair.a === null || pair.b === null
      ? null
      : withFlatRewards({ a: pair.a, b: pair.b }, byName, flat?.ending ?? null)
  }
  const [chosen, rejected] = [said('chosen'), said('rejected')]
  const ranked =
    chosen !== null && rejected !== null ? { chosen, rejected } : findRanked(byName, { chosen, rejected }, isText)
  const flat = findFlat(byName)
  if (ranked !== null && (flat === null || !namesSides(ranked, flat, rows)))
    return { a: ranked.chosen, b: ranked.rejected, ranked: true, ...rankedRewards(byName) }
  return flat === null ? findList(byName, rows) : withFlatRewards(flat, byName, flat.ending)
}

function findRanked(
  byName: ReadonlyMap<string, string>,
  said: { readonly chosen: string | null; readonly rejected: string | null },
  isText: (column: string) => boolean,
): { readonly chosen: string; readonly rejected: string } | null {
  const names = [...byName.keys()].sort((x, y) => x.length - y.length)
  const candidates = (word: string): string[] =>
    names.filter((name) => (name === word || name.split('_').includes(word)) && !NO_TEXT.test(name.replace(word, '')))
  for (const [better, worse] of RANKED_WORDS) {
    for (const name of candidates(better)) {
      const partner = name
        .split('_')
        .map((part) => (part === better ? worse : part))
        .join('_')
      const [chosen, rejected] = [said.chosen ?? byName.get(name), said.rejected ?? byName.get(partner)]
      // Columns of just these names are the answers, whatever they hold: their rows then say what is wrong.
      const isPlain = name === 'chosen'
      if (
        chosen !== undefined &&
        rejected !== undefined &&
        chosen !== rejected &&
        (isPlain || (isText(chosen) && isText(rejected)))
      )
        return { chosen, rejected }
    }
    const lone = candidates(worse)
      .map((name) => byName.get(name))
      .find((column) => column !== undefined && isText(column))
    const rejected = said.rejected ?? lone
    const chosen = said.chosen ?? UNNAMED_CHOSEN.map((name) => byName.get(name)).find((column) => column !== undefined)
    if (worse === 'rejected' && rejected !== undefined && chosen !== undefined && isText(chosen))
      return { chosen, rejected }
  }
  return null
}

/** `winner` and `loser`, or `chosen`, that say which of two other columns is meant, and are no answers themselves. */
function namesSides(
  { chosen, rejected }: { readonly chosen: string; readonly rejected: string },
  flat: FlatSides,
  rows: readonly RowValues[],
): boolean {
  if (chosen === flat.a || rejected === flat.a) return false
  if (/^(winner|loser|preferred)$/.test(plainName(chosen))) return true
  const cells = rows.flatMap((row) => (isNoLabel(row[chosen]) ? [] : [row[chosen]]))
  return (
    cells.length > 0 &&
    cells.every(
      (cell) =>
        typeof cell === 'number' ||
        (typeof cell === 'string' && readWord(canonicalValue(cell) ?? '', flat, null) !== null),
    )
  )
}

const REWARD_WORDS = ['score', 'reward', 'rating']

function rankedRewards(byName: ReadonlyMap<string, string>): {
  readonly rewardA: string | null
  readonly rewardB: string | null
} {
  const names = (side: string): string[] =>
    REWARD_WORDS.flatMap((word) => [
      `${word}_${side}`,
      `${side}_${word}`,
      `${side}_avg_${word}`,
      `${side}_overall_${word}`,
    ])
  const [a, b] = ['chosen', 'rejected'].map(names)
  const at = a?.findIndex((name, index) => byName.has(name) && byName.has(b?.[index] ?? '')) ?? -1
  return at < 0
    ? { rewardA: null, rewardB: null }
    : { rewardA: byName.get(a?.[at] ?? '') ?? null, rewardB: byName.get(b?.[at] ?? '') ?? null }
}

interface FlatSides {
  readonly a: string
  readonly b: string
  readonly ending: readonly [string, string]
}

function findFlat(byName: ReadonlyMap<string, string>): FlatSides | null {
  const names = [
    ...STEMS.flatMap((stem) =>
      ENDINGS.map((ending) => ({ a: `${stem}${ending[0]}`, b: `${stem}${ending[1]}`, ending })),
    ),
    ...STEMS.flatMap((stem) =>
      BEGINNINGS.map((ending) => ({ a: `${ending[0]}${stem}`, b: `${ending[1]}${stem}`, ending })),
    ),
    ...BARE_SIDES.map(([a, b]) => ({ a, b, ending: [`_${a}`, `_${b}`] as const })),
  ]
  for (const { a: first, b: second, ending } of names) {
    const [a, b] = [byName.get(first), byName.get(second)]
    if (a !== undefined && b !== undefined) return { a, b, ending }
  }
  return null
}

/** Scores with the endings of the sides (`score_0` beside `answer_0`), else with any. */
function withFlatRewards(
  { a, b }: { readonly a: string; readonly b: string },
  byName: ReadonlyMap<string, string>,
  ending: readonly [string, string] | null,
): SideColumns {
  for (const [first, second] of [...(ending === null ? [] : [ending]), ...ENDINGS]) {
    for (const word of REWARD_WORDS) {
      const [rewardA, rewardB] = [byName.get(`${word}${first}`), byName.get(`${word}${second}`)]
      if (rewardA !== undefined && rewardB !== undefined) return { a, b, ranked: false, rewardA, rewardB }
    }
  }
  return { a, b, ranked: false, rewardA: null, rewardB: null }
}

/** A list of exactly two answers in every row. */
function findList(byName: ReadonlyMap<string, string>, rows: readonly RowValues[]): SideColumns | null {
  for (const name of SIDE_LISTS) {
    const column = byName.get(name)
    if (
      column === undefined ||
      rows.length === 0 ||
      !rows.every((row) => Array.isArray(row[column]) && row[column].length === 2)
    )
      continue
    const key = ['', ...TEXT_KEYS.map((text) => `.${text}`)].find((end) =>
      rows.every((row) => [0, 1].every((at) => typeof cellOf(row, `${column}.${at}${end}`) === 'string')),
    )
    if (key !== undefined)
      return { a: `${column}.0${key}`, b: `${column}.1${key}`, ranked: false, rewardA: null, rewardB: null }
  }
  return null
}
