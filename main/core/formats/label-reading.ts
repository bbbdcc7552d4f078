// A meaning that the values of a label column may have.
import type { ImportMapping, LabelScale } from '../../../shared/contract/import-mapping.ts'
import type { Outcome } from '../../../shared/data-kinds.ts'
import type { SideNames } from './label-words.ts'

export type LabelValues = NonNullable<ImportMapping['labelValues']>

/** One way in which the values of label columns can be meant. */
export interface LabelReading {
  readonly values: LabelValues
  readonly scale: LabelScale | null
  /** "0 means response_0, 1 means response_1" */
  readonly title: string
}

/** What is known about label columns besides their values. */
export interface LabelContext {
  readonly columns: readonly string[]
  readonly sides: SideNames | null
}

/** Everything that the values can mean: one reading is the answer, several are a question, none is a question without proposals. */
export interface LabelReadings {
  readonly readings: readonly LabelReading[]
  /** Why it cannot be decided; empty where there is one reading. */
  readonly doubt: string
}

export const NO_VALUES: LabelValues = { a: [], b: [], tie: [], bothBad: [], skip: [] }

const FIELD = { a: 'a', b: 'b', tie: 'tie', 'both-bad': 'bothBad', skip: 'skip' } as const satisfies Record<
  Outcome,
  keyof LabelValues
>

/** `values` with more entries. */
export function withOutcomes(values: LabelValues, entries: readonly (readonly [string, Outcome])[]): LabelValues {
  const added = {
    a: [...values.a],
    b: [...values.b],
    tie: [...values.tie],
    bothBad: [...values.bothBad],
    skip: [...values.skip],
  }
  for (const [value, outcome] of entries) added[FIELD[outcome]].push(value)
  return added
}

/** Sides as the file calls them. */
export function sideWords(sides: SideNames | null): { readonly a: string; readonly b: string } {
  return { a: sides?.a ?? 'the first answer', b: sides?.b ?? 'the second answer' }
}

export function says(entries: readonly (readonly [string, Outcome])[], sides: SideNames | null): string {
  const names = sideWords(sides)
  const meaning = { ...names, tie: 'a tie', 'both-bad': 'both bad', skip: 'skipped' }
  return entries.map(([value, outcome]) => `${value} means ${meaning[outcome]}`).join(', ')
}

export function fixed(
  entries: readonly (readonly [string, Outcome])[],
  sides: SideNames | null,
  why = '',
): LabelReading {
  return { values: withOutcomes(NO_VALUES, entries), scale: null, title: `${says(entries, sides)}${why}` }
}

export function one(reading: LabelReading): LabelReadings {
  return { readings: [reading], doubt: '' }
}
