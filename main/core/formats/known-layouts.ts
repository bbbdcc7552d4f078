import type { ColumnRole } from '../../../shared/contract/import-mapping.ts'
import type { LabelReading } from './label-reading.ts'
import type { LabelTally } from './label-tally.ts'
import { isNumber } from './label-words.ts'
import type { CompiledMapping } from './mapping-compile.ts'

/** A public layout whose documentation says what its columns mean. It is known by its whole set of columns, never by one. */
interface KnownLayout {
  readonly name: string
  /** All of these must be there, lower case with `_`. */
  readonly columns: readonly string[]
  readonly roles: Readonly<Record<string, ColumnRole>>
  /** How its label column is read, in the documentation's words. */
  readonly label?: {
    readonly column: string
    readonly values: readonly number[]
    readonly reading: Omit<LabelReading, 'title'>
    readonly words: string
  }
}

const NONE = { a: [], b: [], tie: [], bothBad: [], skip: [] }
const SIGNED = [-3, -2, -1, 0, 1, 2, 3]
const NEGATIVE_IS_FIRST = { values: NONE, scale: { low: -3, high: 3, lowIs: 'first' } } as const

const KNOWN: readonly KnownLayout[] = [
  {
    name: 'HelpSteer3',
    columns: ['domain', 'language', 'context', 'response1', 'response2', 'overall_preference'],
    roles: { context: 'prompt', response1: 'a', response2: 'b', overall_preference: 'label' },
    label: {
      column: 'overall_preference',
      values: SIGNED,
      reading: NEGATIVE_IS_FIRST,
      words: 'negative means response1, positive means response2 (−3 to 3)',
    },
  },
  {
    name: 'HelpSteer2',
    columns: ['prompt', 'response_1', 'response_2', 'preference_strength', 'preference_statement'],
    roles: { prompt: 'prompt', response_1: 'a', response_2: 'b', preference_strength: 'label' },
    label: {
      column: 'preference_strength',
      values: SIGNED,
      reading: NEGATIVE_IS_FIRST,
      words: 'negative means response_1, positive means response_2 (−3 to 3)',
    },
  },
  {
    name: 'SHP',
    columns: ['post_id', 'history', 'human_ref_a', 'human_ref_b', 'labels', 'score_a', 'score_b'],
    roles: {
      history: 'prompt',
      human_ref_a: 'a',
      human_ref_b: 'b',
      labels: 'label',
      score_a: 'reward-a',
      score_b: 'reward-b',
    },
    label: {
      column: 'labels',
      values: [0, 1],
      reading: { values: { ...NONE, a: ['1'], b: ['0'] }, scale: null },
      words: '1 means human_ref_A, 0 means human_ref_B',
    },
  },
  {
    name: 'WebGPT’s comparisons',
    columns: ['question', 'answer_0', 'answer_1', 'score_0', 'score_1', 'quotes_0'],
    roles: { 'question.full_text': 'prompt', answer_0: 'a', answer_1: 'b', score_0: 'reward-a', score_1: 'reward-b' },
  },
  {
    name: 'Stack Exchange pairs',
    columns: ['qid', 'question', 'response_j', 'response_k'],
    roles: { question: 'prompt', response_j: 'chosen', response_k: 'rejected' },
  },
  {
    name: 'the comparisons of Summarize from feedback',
    columns: ['info', 'summaries', 'choice'],
    roles: {
      'info.post': 'prompt',
      'info.article': 'prompt',
      'summaries.0.text': 'a',
      'summaries.1.text': 'b',
      choice: 'label',
      worker: 'annotator',
    },
    label: {
      column: 'choice',
      values: [0, 1],
      reading: { values: { ...NONE, a: ['0'], b: ['1'] }, scale: null },
      words: '0 means the first summary, 1 means the second',
    },
  },
]

export function plainName(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replace(/[\s.-]+/g, '_')
}

function findKnown(columns: readonly string[]): KnownLayout | null {
  const names = new Set(columns.map(plainName))
  return KNOWN.find((layout) => layout.columns.every((column) => names.has(column))) ?? null
}

/** Roles that a known layout gives, by the file's own names. */
export function knownRoles(columns: readonly string[]): [string, ColumnRole][] {
  const layout = findKnown(columns)
  if (layout === null) return []
  const byName = new Map(columns.map((column) => [plainName(column), column]))
  return Object.entries(layout.roles).flatMap(([name, role]) => {
    const column = name.includes('.') ? name : byName.get(name)
    return column === undefined ? [] : [[column, role] as [string, ColumnRole]]
  })
}

/** The documented meaning of the labels, if the sides and the label column are the documented ones and hold nothing else. */
export function knownReading(
  columns: readonly string[],
  compiled: CompiledMapping,
  tally: LabelTally,
): LabelReading | null {
  const layout = findKnown(columns)
  const [label] = compiled.labels
  if (
    layout?.label === undefined ||
    label === undefined ||
    compiled.labels.length > 1 ||
    plainName(label.column) !== layout.label.column
  )
    return null
  const roleOf = (column: string | null): ColumnRole | undefined =>
    column === null ? undefined : layout.roles[column.includes('.') ? column : plainName(column)]
  if (roleOf(compiled.a) !== 'a' || roleOf(compiled.b) !== 'b') return null
  const { values, reading, words } = layout.label
  if (![...tally.values.keys()].every((value) => isNumber(value) && values.includes(Number(value)))) return null
  return { ...reading, title: `read as ${layout.name}: ${words}` }
}
