import type { ColumnRole, ImportMapping } from '../../shared/contract/datasets.ts'
import type { Outcome } from '../../shared/data-kinds.ts'
import { FILE_ANNOTATOR } from '../store/annotators.ts'

export interface LabelColumn {
  readonly column: string
  /** Name of the annotator whose column this is. */
  readonly annotator: string
  readonly strengthColumn: string | null
}

/** A mapping turned round: from role to column, so that a row is read without searching. */
export interface CompiledMapping {
  readonly layout: ImportMapping['layout']
  readonly prompt: string | null
  readonly prompt2: string | null
  readonly a: string | null
  readonly b: string | null
  /** Sides come from columns named chosen and rejected: without label columns, that is the label. */
  readonly sidesAreRanked: boolean
  readonly labels: readonly LabelColumn[]
  readonly annotator: string | null
  readonly rewardA: string | null
  readonly rewardB: string | null
  readonly weight: string | null
  readonly id: string | null
  readonly outcomes: ReadonlyMap<string, Outcome>
  readonly flip: boolean
  /** Columns that do not become metadata. */
  readonly used: ReadonlySet<string>
}

const PERSON = /^(annotator|rater|worker|labeler|judge|user)[ _-]?\w*$/i

/** Prefix of a column that holds one annotator's labels, as the export of pairs with labels writes it. */
export const LABEL_PREFIX = 'label:'
export const STRENGTH_PREFIX = 'strength:'

export function columnsOf(mapping: ImportMapping, role: ColumnRole): string[] {
  return Object.keys(mapping.columns).filter((column) => mapping.columns[column] === role)
}

export function compileMapping(mapping: ImportMapping): CompiledMapping {
  const first = (role: ColumnRole): string | null => columnsOf(mapping, role)[0] ?? null
  const chosen = first('chosen')
  const rejected = first('rejected')
  const promptless = mapping.layout === 'trl-implicit' || mapping.layout === 'hh-rlhf'
  const strengths = columnsOf(mapping, 'strength')
  const labelColumns = columnsOf(mapping, 'label')
  const labels = labelColumns.map((column) => {
    const annotator = annotatorOf(column, labelColumns.length)
    const own = strengths.find((name) => name === `${STRENGTH_PREFIX}${annotator}`)
    return { column, annotator, strengthColumn: own ?? strengths.find((name) => !name.startsWith(STRENGTH_PREFIX)) ?? null }
  })
  const used = Object.keys(mapping.columns).filter((column) => mapping.columns[column] !== 'metadata')
  return {
    layout: mapping.layout,
    prompt: promptless ? null : first('prompt'),
    prompt2: promptless ? null : first('prompt-2'),
    a: first('a') ?? chosen,
    b: first('b') ?? rejected,
    sidesAreRanked: first('a') === null && first('b') === null && chosen !== null && rejected !== null,
    labels,
    annotator: first('annotator'),
    rewardA: first('reward-a'),
    rewardB: first('reward-b'),
    weight: first('weight'),
    id: first('id'),
    outcomes: outcomesOf(mapping),
    flip: mapping.flip,
    used: new Set(promptless ? used.filter((column) => mapping.columns[column] !== 'prompt' && mapping.columns[column] !== 'prompt-2') : used),
  }
}

/** A lone column called `winner` or `label` is the file's word; one called `annotator2` is a person's. */
function annotatorOf(column: string, columnCount: number): string {
  if (column.startsWith(LABEL_PREFIX)) return column.slice(LABEL_PREFIX.length)
  return columnCount > 1 || PERSON.test(column) ? column : FILE_ANNOTATOR
}

/** Lower-case spellings stand behind the exact ones: `A` in the mapping reads `a` in the file, unless `a` means something else. */
function outcomesOf(mapping: ImportMapping): Map<string, Outcome> {
  const values = mapping.labelValues
  const entries: [readonly string[], Outcome][] = [[values.a, 'a'], [values.b, 'b'], [values.tie, 'tie'], [values.bothBad, 'both-bad'], [values.skip, 'skip']]
  const outcomes = new Map<string, Outcome>()
  for (const [names, outcome] of entries) for (const name of names) outcomes.set(name, outcome)
  for (const [names, outcome] of entries) for (const name of names) if (!outcomes.has(name.toLowerCase())) outcomes.set(name.toLowerCase(), outcome)
  return outcomes
}
