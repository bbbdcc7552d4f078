import type { ColumnRole, ImportMapping } from '../../../shared/contract/import-mapping.ts'
import { knownRoles, plainName } from './known-layouts.ts'
import { sideNamedBy } from './label-words.ts'
import { canonicalValue, isNoLabel, readWord, type SideNames } from './label-words.ts'
import { cellOf, columnsOf, LABEL_PREFIX, sidesAreRanked, STRENGTH_PREFIX } from './mapping-compile.ts'
import { CONVERSATIONS, NAMES } from './mapping-names.ts'
import { findSides, type SideColumns } from './mapping-sides.ts'
import type { FileFormat, RowValues } from './readers.ts'
import { readSplitName } from './source-split.ts'

/** Roles while they are being found: what was said beforehand is never taken back. */
interface Guess {
  readonly columns: readonly string[]
  readonly rows: readonly RowValues[]
  readonly roles: Map<string, ColumnRole>
  readonly byName: ReadonlyMap<string, string>
  has(role: ColumnRole): boolean
  /** Gives the role to the first of the names that is a column without a role, unless some column has the role. */
  assign(role: ColumnRole, names: readonly string[], fits?: (column: string) => boolean): string | null
}

/**
 * Guesses what each column means from its name and what its first rows hold. What label values mean is not guessed
 * here: `decideLabels` settles it once the columns are known.
 * @param given roles that somebody said; the rest is found around them
 */
export function guessMapping(
  format: FileFormat,
  columns: readonly string[],
  rows: readonly RowValues[],
  given: Readonly<Record<string, ColumnRole>> = {},
): ImportMapping {
  const roles = new Map<string, ColumnRole>(Object.entries(given))
  const saidRoles = new Set(Object.values(given))
  for (const [column, role] of knownRoles(columns)) {
    const filled =
      !column.includes('.') || rows.some((row) => cellOf(row, column) !== undefined && cellOf(row, column) !== null)
    if (!roles.has(column) && !saidRoles.has(role) && filled) roles.set(column, role)
  }
  const byName = new Map(columns.map((column) => [plainName(column), column]))
  const guess: Guess = {
    columns,
    rows,
    roles,
    byName,
    has: (role) => [...roles.values()].includes(role),
    assign(role, names, fits = () => true) {
      if (guess.has(role)) return columnsOf({ columns: Object.fromEntries(roles) }, role)[0] ?? null
      const column = names
        .map((name) => byName.get(name))
        .find((found) => found !== undefined && !roles.has(found) && fits(found))
      if (column === undefined) return null
      roles.set(column, role)
      return column
    },
  }
  const sides = findSides(columns, rows, roles)
  if (sides !== null) assignSides(guess, sides)
  guessPrompt(guess)
  guessLabels(guess)
  guess.assign('weight', NAMES.weight)
  guess.assign('id', NAMES.id)
  guess.assign('split', NAMES.split, (column) => isSplit(rows, column))
  const all = Object.fromEntries(
    [...columns, ...[...roles.keys()].filter((column) => column.includes('.') && !columns.includes(column))].map(
      (column) => [column, roles.get(column) ?? 'metadata'],
    ),
  )
  return {
    format,
    layout: layoutOf(all, rows),
    columns: all,
    labelValues: null,
    labelScale: null,
    labelsSaidBy: 'file',
    labelWords: '',
    flip: false,
  }
}

function assignSides({ roles }: Guess, sides: SideColumns): void {
  const set = (column: string | null, role: ColumnRole): void => {
    if (column !== null && !roles.has(column)) roles.set(column, role)
  }
  set(sides.a, sides.ranked ? 'chosen' : 'a')
  set(sides.b, sides.ranked ? 'rejected' : 'b')
  set(sides.rewardA, 'reward-a')
  set(sides.rewardB, 'reward-b')
}

/** Everything that stood before the answers: the prompt, what the system was told, earlier turns, tools. */
function guessPrompt(guess: Guess): void {
  const { rows, roles } = guess
  const sides = [...roles].flatMap(([column, role]) =>
    ['a', 'b', 'chosen', 'rejected'].includes(role) ? [column] : [],
  )
  const whole = sides.length > 0 && holdConversations(rows, sides)
  const isTurns = (column: string): boolean =>
    rows.some((row) => Array.isArray(cellOf(row, column)) || isTurn(cellOf(row, column)))
  const isRepeated = (column: string): boolean =>
    whole && plainName(column) !== 'prompt' && CONVERSATIONS.includes(plainName(column)) && isTurns(column)
  const system = guess.assign('system', NAMES.system, (column) =>
    rows.every((row) => typeof row[column] === 'string' || isNoLabel(row[column])),
  )
  guess.assign('tools', NAMES.tools)
  const prompt = guess.assign('prompt', NAMES.prompt, (column) => !isRepeated(column) && column !== system)
  if (prompt === null) return
  guess.assign(
    'history',
    NAMES.history,
    (column) => !isRepeated(column) && (plainName(column) !== 'context' || isTurns(column)),
  )
  const own = plainName(prompt)
  // A question beside a prompt repeats it more often than not; beside an instruction it is the rest of it.
  guess.assign(
    'prompt-2',
    own === 'instruction' ? NAMES['prompt-2'] : ['input', 'context'],
    (column) => !isTurns(column),
  )
}

/** True where most rows' sides begin with what a user said: the conversation is in them. */
function holdConversations(rows: readonly RowValues[], sides: readonly string[]): boolean {
  const said = rows.filter((row) =>
    sides.every((column) => {
      const cell = cellOf(row, column)
      return Array.isArray(cell) && cell.some((turn) => /^(user|human|prompter)$/i.test(speakerOf(turn)))
    }),
  )
  return said.length * 2 > rows.length
}

function isTurn(cell: unknown): boolean {
  return speakerOf(cell) !== ''
}

function speakerOf(turn: unknown): string {
  if (typeof turn !== 'object' || turn === null) return ''
  const speaker = 'role' in turn ? turn.role : 'from' in turn ? turn.from : ''
  return typeof speaker === 'string' ? speaker : ''
}

/** Columns of several people, or one column with the word and perhaps one with the person. */
function guessLabels(guess: Guess): void {
  const { columns, rows, roles } = guess
  for (const column of columns) {
    if (!roles.has(column) && column.startsWith(LABEL_PREFIX)) roles.set(column, 'label')
    if (!roles.has(column) && column.startsWith(STRENGTH_PREFIX)) roles.set(column, 'strength')
  }
  if (sidesAreRanked({ columns: Object.fromEntries(roles) })) return
  guessFlags(guess)
  if (guess.has('wins-a')) return
  const numbered = columns.filter(
    (column) => /^(annotator|rater|labeler|worker|judge)_?\d+$/.test(plainName(column)) && !roles.has(column),
  )
  if (!guess.has('label')) for (const column of numbered) roles.set(column, 'label')
  const holdsValues = (column: string): boolean =>
    rows.length === 0 || rows.some((row) => ['string', 'number', 'boolean'].includes(typeof cellOf(row, column)))
  const label = guess.assign('label', NAMES.label, holdsValues) ?? labelByName(guess) ?? labelByWords(guess)
  if (label === null && rows.length > 0) return
  guess.assign('strength', NAMES.strength)
  guess.assign('annotator', NAMES.annotator)
  guessNames(guess)
}

/** Kaggle's form of the arena: one column of 0 and 1 for each side, and one for ties. */
function guessFlags({ byName, roles }: Guess): void {
  if ([...roles.values()].includes('label')) return
  for (const [a, b] of [
    ['winner_model_a', 'winner_model_b'],
    ['winner_a', 'winner_b'],
    ['a_wins', 'b_wins'],
    ['win_a', 'win_b'],
    ['model_a_wins', 'model_b_wins'],
  ] as const) {
    const [columnA, columnB, tie] = [byName.get(a), byName.get(b), byName.get('winner_tie') ?? byName.get('tie')]
    if (columnA === undefined || columnB === undefined || roles.has(columnA) || roles.has(columnB)) continue
    roles.set(columnA, 'wins-a')
    roles.set(columnB, 'wins-b')
    if (tie !== undefined && !roles.has(tie)) roles.set(tie, 'wins-tie')
    return
  }
}

/** A column of yes and no that names a side itself: `b_is_better`. */
function labelByName({ columns, rows, roles }: Guess): string | null {
  const sides = sidesOf(roles)
  if (sides === null) return null
  const found = columns.find((column) => {
    const side = roles.has(column) ? null : sideNamedBy(column, sides)
    const cells = rows.flatMap((row) => (isNoLabel(row[column]) ? [] : [canonicalValue(row[column])]))
    return (
      (side === 'a' || side === 'b') &&
      cells.length > 0 &&
      cells.every((cell) => ['0', '1', 'true', 'false'].includes(cell ?? ''))
    )
  })
  if (found !== undefined) roles.set(found, 'label')
  return found ?? null
}

function sidesOf(roles: ReadonlyMap<string, ColumnRole>): SideNames | null {
  const [a, b] = ['a', 'b'].map((role) => [...roles].find((entry) => entry[1] === role)?.[0])
  return a === undefined || b === undefined ? null : { a, b }
}

/** A column of any name whose every value is a word for a side or a tie. */
function labelByWords({ columns, rows, roles }: Guess): string | null {
  const sides = sidesOf(roles)
  if (sides === null) return null
  const found = columns.find((column) => {
    // A model's proposal is no label.
    if (roles.has(column) || /suggest|predict|proposal|baseline/i.test(column)) return false
    const cells = rows.flatMap((row) => (isNoLabel(row[column]) ? [] : [row[column]]))
    const verdicts = cells.map((cell) =>
      typeof cell === 'string' && cell.length < 80 ? readWord(canonicalValue(cell) ?? '', sides, null) : null,
    )
    return (
      cells.length > 0 &&
      verdicts.every((verdict) => verdict !== null) &&
      verdicts.some((verdict) => verdict?.outcome === 'a' || verdict?.outcome === 'b')
    )
  })
  if (found === undefined) return null
  roles.set(found, 'label')
  return found
}

const NAME_PAIRS: readonly (readonly [string, string])[] = [
  ['model_a', 'model_b'],
  ['model_1', 'model_2'],
  ['model1', 'model2'],
  ['model_0', 'model_1'],
  ['model_left', 'model_right'],
  ['name_a', 'name_b'],
  ['system_a', 'system_b'],
  ['system_1', 'system_2'],
  ['generator_a', 'generator_b'],
  ['source_a', 'source_b'],
  ['policy_a', 'policy_b'],
]

/** Columns that name whose answer each side is, where the labels are such names. */
function guessNames({ byName, rows, roles }: Guess): void {
  const labels = [...roles].flatMap(([column, role]) => (role === 'label' ? [column] : []))
  for (const [first, second] of NAME_PAIRS) {
    const [a, b] = [byName.get(first), byName.get(second)]
    if (a === undefined || b === undefined || roles.has(a) || roles.has(b)) continue
    if (
      !rows.some((row) =>
        labels.some((label) => typeof row[label] === 'string' && (row[label] === row[a] || row[label] === row[b])),
      )
    )
      continue
    roles.set(a, 'name-a')
    roles.set(b, 'name-b')
    return
  }
}

function isSplit(rows: readonly RowValues[], column: string): boolean {
  const given = rows.flatMap((row) => (isNoLabel(row[column]) ? [] : [row[column]]))
  return given.length > 0 && given.every((value) => readSplitName(value) !== null)
}

/** Where the prompt is, by the roles alone. */
export function layoutOf(columns: ImportMapping['columns'], rows: readonly RowValues[]): ImportMapping['layout'] {
  const roles = new Set(Object.values(columns))
  const ranked = sidesAreRanked({ columns })
  if (roles.has('prompt')) return ranked ? 'trl-explicit' : 'mapped'
  const sides = Object.keys(columns).filter((column) =>
    ['a', 'b', 'chosen', 'rejected'].includes(columns[column] ?? ''),
  )
  const dialogues = rows.filter(
    (row) =>
      sides.length === 2 &&
      sides.every((column) => {
        const cell = cellOf(row, column)
        return typeof cell === 'string' && /^\s*Human:/.test(cell) && cell.includes('\n\nAssistant:')
      }),
  )
  if (rows.length > 0 && dialogues.length * 2 > rows.length) return 'hh-rlhf'
  return ranked ? 'trl-implicit' : 'mapped'
}
