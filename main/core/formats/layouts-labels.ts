import type { RowProblem } from '../../../shared/contract/import-mapping.ts'
import type { Outcome, Strength } from '../../../shared/data-kinds.ts'
import { FILE_ANNOTATOR } from './parsed-rows.ts'
import { readScale } from './label-scale.ts'
import { canonicalValue, isNoLabel, isNumber, readWord, type Verdict } from './label-words.ts'
import { cellOf, type CompiledMapping, type WinnerFlags } from './mapping-compile.ts'
import { nameOf, type RowValues } from './readers.ts'

export interface FileLabel {
  readonly annotator: string
  readonly outcome: Outcome
  readonly strength: Strength | null
}

type Report = (severity: RowProblem['severity'], code: string, reason: string, hint: string) => void

/** A number of the file, or null where there is none. Text that is a number counts: CSV has nothing else. */
export function readNumber(values: RowValues, column: string | null, report: Report): number | null {
  if (column === null) return null
  const value = cellOf(values, column)
  if (isNoLabel(value)) return null
  const number =
    typeof value === 'number' ? value : typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN
  if (Number.isFinite(number)) return number
  report(
    'warning',
    'number-unreadable',
    `${column} holds ${typeof value === 'string' ? `"${value.slice(0, 40)}"` : nameOf(value)}, which is no number; it is left empty.`,
    'Numbers are written like 0.5 or 3.',
  )
  return null
}

/** The labels a row gives; null if one of them cannot be read (the row is then left out, with a reason). */
export function readLabels(
  values: RowValues,
  mapping: CompiledMapping,
  rewards: { readonly a: number | null; readonly b: number | null },
  report: Report,
): FileLabel[] | null {
  if (mapping.flags !== null) return readFlags(values, mapping, mapping.flags, report)
  if (mapping.labels.length === 0) {
    if (!mapping.sidesAreRanked) return []
    return [{ annotator: FILE_ANNOTATOR, outcome: flip(rankedOutcome(rewards, report), mapping), strength: null }]
  }
  if (!mapping.labelsAreKnown) return []
  const labels: FileLabel[] = []
  for (const { column, annotator, strengthColumn } of mapping.labels) {
    const value = cellOf(values, column)
    if (isNoLabel(value)) continue
    const verdict = readLabelValue(value, values, mapping)
    if (verdict === null) {
      report(
        'error',
        'label-unknown',
        `${column} holds ${typeof value === 'object' ? nameOf(value) : `"${String(value).slice(0, 40)}"`}, which no label value stands for.`,
        `Say what it means (--values "${typeof value === 'object' ? '…' : String(value).slice(0, 40)}=a", or b, tie, both-bad, skip), or ignore the column.`,
      )
      return null
    }
    labels.push({
      annotator: annotatorOf(values, mapping, annotator),
      outcome: flip(verdict.outcome, mapping),
      strength: readStrength(values, strengthColumn, report) ?? verdict.strength,
    })
  }
  return labels
}

/** The one reading of a label value: what was settled for it, its place on the scale, what it says in words or names. */
export function readLabelValue(value: unknown, values: RowValues, mapping: CompiledMapping): Verdict | null {
  const canonical = canonicalValue(value)
  if (canonical === null) return null
  const spoken = readWord(canonical, mapping.sides, mapping.numbering)
  const settled = mapping.outcomes.get(canonical)
  if (settled !== undefined) return { outcome: settled, strength: spoken?.outcome === settled ? spoken.strength : null }
  if (mapping.scale !== null && isNumber(canonical)) return readScale(Number(canonical), mapping.scale)
  return readNamed(value, values, mapping) ?? spoken
}

/** A value that is the name the row gives for one of its sides, or the text of one of its answers. */
export function readNamed(value: unknown, values: RowValues, mapping: CompiledMapping): Verdict | null {
  if (typeof value !== 'string' || isNumber(value.trim())) return null
  for (const [a, b] of [
    [mapping.nameA, mapping.nameB],
    [mapping.a, mapping.b],
  ] as const) {
    if (a === null || b === null) continue
    const [isA, isB] = [sameText(cellOf(values, a), value), sameText(cellOf(values, b), value)]
    if (isA !== isB) return { outcome: isA ? 'a' : 'b', strength: null }
  }
  return null
}

function sameText(cell: unknown, value: string): boolean {
  return typeof cell === 'string' && cell.trim() === value.trim()
}

/** `winner_model_a`, `winner_model_b`, `winner_tie`: exactly one of them must say yes. */
function readFlags(
  values: RowValues,
  mapping: CompiledMapping,
  flags: WinnerFlags,
  report: Report,
): FileLabel[] | null {
  const columns = [
    [flags.a, 'a'],
    [flags.b, 'b'],
    [flags.tie, 'tie'],
  ] as const
  const given = columns.flatMap(([column, outcome]) =>
    column === null ? [] : [{ column, outcome, yes: isYes(cellOf(values, column)) }],
  )
  if (given.every(({ column }) => isNoLabel(cellOf(values, column)))) return []
  const winners = given.filter(({ yes }) => yes === true)
  const [winner] = winners
  // Without a column for ties, two times no is one.
  const outcome =
    winners.length === 1 ? winner?.outcome : winners.length === 0 && flags.tie === null ? 'tie' : undefined
  if (outcome === undefined || given.some(({ yes }) => yes === null)) {
    report(
      'error',
      'label-unknown',
      `${given.map(({ column }) => column).join(', ')} do not say who wins: ${given.map(({ column }) => String(cellOf(values, column)).slice(0, 20)).join(', ')}.`,
      'Exactly one of them must be 1 or true, the others 0 or false.',
    )
    return null
  }
  return [{ annotator: annotatorOf(values, mapping, FILE_ANNOTATOR), outcome: flip(outcome, mapping), strength: null }]
}

function isYes(value: unknown): boolean | null {
  const text = canonicalValue(value)
  return text === '1' || text === 'true' || text === 'yes'
    ? true
    : text === '0' || text === 'false' || text === 'no'
      ? false
      : null
}

/** Equal scores are a tie, whatever the columns are called. */
function rankedOutcome(rewards: { readonly a: number | null; readonly b: number | null }, report: Report): Outcome {
  if (rewards.a === null || rewards.b === null) return 'a'
  if (rewards.a < rewards.b)
    report(
      'warning',
      'score-against-choice',
      `The rejected answer has the higher score (${rewards.b} against ${rewards.a}).`,
      'The columns chosen and rejected decide; check whether they should be swapped.',
    )
  return rewards.a === rewards.b ? 'tie' : 'a'
}

function flip(outcome: Outcome, mapping: CompiledMapping): Outcome {
  if (!mapping.flip) return outcome
  return outcome === 'a' ? 'b' : outcome === 'b' ? 'a' : outcome
}

function annotatorOf(values: RowValues, mapping: CompiledMapping, fallback: string): string {
  if (mapping.annotator === null) return fallback
  const value = cellOf(values, mapping.annotator)
  const name = typeof value === 'string' || typeof value === 'number' ? String(value).trim().slice(0, 80) : ''
  return name === '' ? fallback : name
}

const STRENGTHS: ReadonlyMap<string, Strength> = new Map([
  ['slightly', 'slightly'],
  ['clearly', 'clearly'],
  ['far', 'far'],
  ['1', 'slightly'],
  ['2', 'clearly'],
  ['3', 'far'],
])

function readStrength(values: RowValues, column: string | null, report: Report): Strength | null {
  if (column === null) return null
  const value = cellOf(values, column)
  if (isNoLabel(value)) return null
  const strength = typeof value === 'object' ? undefined : STRENGTHS.get(canonicalValue(value) ?? '')
  if (strength === undefined)
    report(
      'warning',
      'strength-unknown',
      `${column} holds a value that is no strength; it is left empty.`,
      'Strengths are slightly, clearly, far (or 1, 2, 3).',
    )
  return strength ?? null
}
