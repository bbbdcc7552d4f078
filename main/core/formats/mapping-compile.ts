import type { ColumnRole, ImportMapping, LabelScale } from '../../../shared/contract/import-mapping.ts'
import type { Outcome } from '../../../shared/data-kinds.ts'
import { FILE_ANNOTATOR } from './parsed-rows.ts'
import { numberingOfValues } from './label-readings.ts'
import { canonicalValue, type Numbering, type SideNames } from './label-words.ts'

export interface LabelColumn {
  readonly column: string
  /** Name of the annotator whose column this is. */
  readonly annotator: string
  readonly strengthColumn: string | null
}

/** Three columns of which one says yes: who wins, or that there is a tie. */
export interface WinnerFlags {
  readonly a: string
  readonly b: string
  readonly tie: string | null
}

/** A mapping turned round: from role to column, so that a row is read without searching. */
export interface CompiledMapping {
  readonly layout: ImportMapping['layout']
  readonly prompt: string | null
  readonly prompt2: string | null
  readonly system: string | null
  readonly history: string | null
  readonly tools: string | null
  readonly a: string | null
  readonly b: string | null
  /** Names of the columns of the two sides; null where one is missing. */
  readonly sides: SideNames | null
  /** Sides come from columns named chosen and rejected: without label columns, that is the label. */
  readonly sidesAreRanked: boolean
  readonly labels: readonly LabelColumn[]
  readonly flags: WinnerFlags | null
  readonly nameA: string | null
  readonly nameB: string | null
  readonly annotator: string | null
  readonly rewardA: string | null
  readonly rewardB: string | null
  readonly weight: string | null
  readonly id: string | null
  readonly split: string | null
  /** Canonical value → outcome, of values that no word explains. */
  readonly outcomes: ReadonlyMap<string, Outcome>
  readonly scale: LabelScale | null
  readonly numbering: Numbering
  /** False while nobody knows what the label values mean: rows are then read without labels. */
  readonly labelsAreKnown: boolean
  readonly flip: boolean
  /** Columns that do not become metadata. */
  readonly used: ReadonlySet<string>
}

const PERSON = /^(annotator|rater|worker|labeler|judge|user)[ _-]?\w*$/i

/** Prefix of a column that holds one annotator's labels, as the export of pairs with labels writes it. */
export const LABEL_PREFIX = 'label:'
export const STRENGTH_PREFIX = 'strength:'

/** Roles whose columns stay in the metadata too: what they say is not kept word for word. */
const ALSO_METADATA: readonly ColumnRole[] = ['metadata', 'name-a', 'name-b', 'split', 'tools']

export function columnsOf(mapping: Pick<ImportMapping, 'columns'>, role: ColumnRole): string[] {
  return Object.keys(mapping.columns).filter((column) => mapping.columns[column] === role)
}

/** True where the roles say that one column's answers are better than the other's. */
export function sidesAreRanked(mapping: Pick<ImportMapping, 'columns'>): boolean {
  const roles = new Set(Object.values(mapping.columns))
  return !roles.has('a') && !roles.has('b') && roles.has('chosen') && roles.has('rejected')
}

export function compileMapping(mapping: ImportMapping): CompiledMapping {
  const first = (role: ColumnRole): string | null => columnsOf(mapping, role)[0] ?? null
  const a = first('a') ?? first('chosen')
  const b = first('b') ?? first('rejected')
  const sides = a === null || b === null ? null : { a, b }
  const promptless = mapping.layout === 'trl-implicit' || mapping.layout === 'hh-rlhf'
  const strengths = columnsOf(mapping, 'strength')
  const labelColumns = columnsOf(mapping, 'label')
  const labels = labelColumns.map((column) => {
    const annotator = annotatorOf(column, labelColumns.length)
    const own = strengths.find((name) => name === `${STRENGTH_PREFIX}${annotator}`)
    return {
      column,
      annotator,
      strengthColumn: own ?? strengths.find((name) => !name.startsWith(STRENGTH_PREFIX)) ?? null,
    }
  })
  const used = Object.keys(mapping.columns).filter(
    (column) => !ALSO_METADATA.includes(mapping.columns[column] ?? 'metadata'),
  )
  const [winsA, winsB] = [first('wins-a'), first('wins-b')]
  return {
    layout: mapping.layout,
    prompt: promptless ? null : first('prompt'),
    prompt2: promptless ? null : first('prompt-2'),
    system: first('system'),
    history: first('history'),
    tools: first('tools'),
    a,
    b,
    sides,
    sidesAreRanked: sidesAreRanked(mapping),
    labels,
    flags: winsA === null || winsB === null ? null : { a: winsA, b: winsB, tie: first('wins-tie') },
    nameA: first('name-a'),
    nameB: first('name-b'),
    annotator: first('annotator'),
    rewardA: first('reward-a'),
    rewardB: first('reward-b'),
    weight: first('weight'),
    id: first('id'),
    split: first('split'),
    outcomes: outcomesOf(mapping.labelValues),
    scale: mapping.labelScale,
    numbering:
      mapping.labelValues === null
        ? numberingOfValues({ a: [], b: [], tie: [], bothBad: [], skip: [] }, sides)
        : numberingOfValues(mapping.labelValues, sides),
    labelsAreKnown: mapping.labelValues !== null || mapping.labelScale !== null,
    flip: mapping.flip,
    used: new Set(
      promptless
        ? used.filter((column) => mapping.columns[column] !== 'prompt' && mapping.columns[column] !== 'prompt-2')
        : used,
    ),
  }
}

/** A lone column called `winner` or `label` is the file's word; one called `annotator2` is a person's. */
function annotatorOf(column: string, columnCount: number): string {
  if (column.startsWith(LABEL_PREFIX)) return column.slice(LABEL_PREFIX.length)
  return columnCount > 1 || PERSON.test(column) ? column : FILE_ANNOTATOR
}

function outcomesOf(values: ImportMapping['labelValues']): Map<string, Outcome> {
  const outcomes = new Map<string, Outcome>()
  if (values === null) return outcomes
  const entries: [readonly string[], Outcome][] = [
    [values.a, 'a'],
    [values.b, 'b'],
    [values.tie, 'tie'],
    [values.bothBad, 'both-bad'],
    [values.skip, 'skip'],
  ]
  for (const [names, outcome] of entries) for (const name of names) outcomes.set(canonicalValue(name) ?? name, outcome)
  return outcomes
}

/** A cell by its column's name; where no column has the name, a dot reaches into objects and lists. */
export function cellOf(values: Readonly<Record<string, unknown>>, column: string): unknown {
  if (Object.hasOwn(values, column) || !column.includes('.')) return values[column]
  let cell: unknown = values
  for (const key of column.split('.')) {
    if (typeof cell !== 'object' || cell === null || !Object.hasOwn(cell, key)) return undefined
    cell = (cell as Readonly<Record<string, unknown>>)[key] // an object was just proved
  }
  return cell
}
