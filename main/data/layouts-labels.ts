import type { RowProblem } from '../../shared/contract/datasets.ts'
import type { Outcome, Strength } from '../../shared/data-kinds.ts'
import { FILE_ANNOTATOR } from '../store/annotators.ts'
import type { CompiledMapping } from './mapping-compile.ts'
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
  const value = values[column]
  if (value === null || value === undefined || value === '') return null
  const number = typeof value === 'number' ? value : typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN
  if (Number.isFinite(number)) return number
  report('warning', 'number-unreadable', `${column} holds ${typeof value === 'string' ? `"${value.slice(0, 40)}"` : nameOf(value)}, which is no number; it is left empty.`, 'Numbers are written like 0.5 or 3.')
  return null
}

/** The labels a row gives; null if one of them cannot be read (the row is then left out, with a reason). */
export function readLabels(values: RowValues, mapping: CompiledMapping, rewards: { readonly a: number | null; readonly b: number | null }, report: Report): FileLabel[] | null {
  if (mapping.labels.length === 0) {
    if (!mapping.sidesAreRanked) return []
    return [{ annotator: FILE_ANNOTATOR, outcome: flip(rankedOutcome(rewards, report), mapping), strength: null }]
  }
  const labels: FileLabel[] = []
  for (const { column, annotator, strengthColumn } of mapping.labels) {
    const value = values[column]
    if (value === null || value === undefined || value === '') continue
    const outcome = readOutcome(value, mapping)
    if (outcome === null) {
      report('error', 'label-unknown', `${column} holds ${typeof value === 'object' ? nameOf(value) : `"${String(value).slice(0, 40)}"`}, which no label value stands for.`, 'Say in the mapping what this value means, or ignore the column.')
      return null
    }
    labels.push({ annotator: annotatorOf(values, mapping, annotator), outcome: flip(outcome, mapping), strength: readStrength(values, strengthColumn, report) })
  }
  return labels
}

/** Equal scores are a tie, whatever the columns are called. */
function rankedOutcome(rewards: { readonly a: number | null; readonly b: number | null }, report: Report): Outcome {
  if (rewards.a === null || rewards.b === null) return 'a'
  if (rewards.a < rewards.b) report('warning', 'score-against-choice', `The rejected answer has the higher score (${rewards.b} against ${rewards.a}).`, 'The columns chosen and rejected decide; check whether they should be swapped.')
  return rewards.a === rewards.b ? 'tie' : 'a'
}

function flip(outcome: Outcome, mapping: CompiledMapping): Outcome {
  if (!mapping.flip) return outcome
  return outcome === 'a' ? 'b' : outcome === 'b' ? 'a' : outcome
}

function readOutcome(value: unknown, mapping: CompiledMapping): Outcome | null {
  if (typeof value === 'object') return null
  const text = String(value).trim()
  return mapping.outcomes.get(text) ?? mapping.outcomes.get(text.toLowerCase()) ?? null
}

function annotatorOf(values: RowValues, mapping: CompiledMapping, fallback: string): string {
  if (mapping.annotator === null) return fallback
  const value = values[mapping.annotator]
  const name = typeof value === 'string' || typeof value === 'number' ? String(value).trim().slice(0, 80) : ''
  return name === '' ? fallback : name
}

const STRENGTHS: ReadonlyMap<string, Strength> = new Map([['slightly', 'slightly'], ['clearly', 'clearly'], ['far', 'far'], ['1', 'slightly'], ['2', 'clearly'], ['3', 'far']])

function readStrength(values: RowValues, column: string | null, report: Report): Strength | null {
  if (column === null) return null
  const value = values[column]
  if (value === null || value === undefined || value === '') return null
  const strength = typeof value === 'object' ? undefined : STRENGTHS.get(String(value).trim().toLowerCase())
  if (strength === undefined) report('warning', 'strength-unknown', `${column} holds a value that is no strength; it is left empty.`, 'Strengths are slightly, clearly, far (or 1, 2, 3).')
  return strength ?? null
}
