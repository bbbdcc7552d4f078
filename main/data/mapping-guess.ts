import type { ColumnRole, ImportMapping } from '../../shared/contract/datasets.ts'
import { LABEL_PREFIX, STRENGTH_PREFIX } from './mapping-compile.ts'
import { guessLabelValues } from './mapping-values.ts'
import type { FileFormat, RowValues } from './readers.ts'

/** Column names as files have them, lower case with `_`, best first. */
const NAMES = {
  prompt: ['prompt', 'instruction', 'question', 'query', 'input', 'context', 'post', 'user', 'conversation', 'history'],
  'prompt-2': ['input', 'context'],
  chosen: ['chosen', 'preferred', 'chosen_response', 'response_chosen', 'winner_response', 'better', 'accepted'],
  rejected: ['rejected', 'dispreferred', 'rejected_response', 'response_rejected', 'loser_response', 'worse'],
  label: ['label', 'preference', 'winner', 'choice', 'choice_index', 'preferred_response', 'better_response_id', 'vote', 'judgment', 'judgement', 'answer_key', 'overall_preference', 'result', 'verdict', 'human_preference', 'selected'],
  strength: ['strength', 'preference_strength'],
  annotator: ['annotator', 'annotator_id', 'annotator_name', 'worker', 'worker_id', 'labeler', 'labeler_id', 'rater', 'rater_id', 'judge', 'user_id', 'judged_by'],
  weight: ['weight', 'sample_weight', 'importance'],
  id: ['pair_id', 'id', '_id', 'uid', 'uuid', 'idx', 'row_id', 'example_id', 'comparison_id', 'index'],
} as const satisfies Partial<Record<ColumnRole, readonly string[]>>

const CHOSEN_REWARDS = ['score_chosen', 'chosen_score', 'chosen_rating', 'reward_chosen', 'chosen_reward', 'rating_chosen']
const REJECTED_REWARDS = ['score_rejected', 'rejected_score', 'rejected_rating', 'reward_rejected', 'rejected_reward', 'rating_rejected']

/** The two answers of a flat file: any stem with the endings of one pair. */
const STEMS = ['response', 'completion', 'answer', 'output', 'option', 'text', 'summary', 'candidate', 'generation', 'reply', 'assistant', 'conversation', 'model_output', 'sentence', 'message', 'side']
const ENDINGS: readonly (readonly [string, string])[] = [['1', '2'], ['_1', '_2'], ['_a', '_b'], ['a', 'b'], ['_0', '_1'], ['0', '1'], ['_left', '_right']]
const BARE_SIDES: readonly (readonly [string, string])[] = [['a', 'b'], ['left', 'right'], ['first', 'second']]

function plain(name: string): string {
  return name.trim().toLowerCase().replace(/[\s.-]+/g, '_')
}

/** Guesses what each column means from names and, for labels, from the values of the first rows. */
export function guessMapping(format: FileFormat, columns: readonly string[], rows: readonly RowValues[]): ImportMapping {
  const byName = new Map(columns.map((column) => [plain(column), column]))
  const roles = new Map<string, ColumnRole>()
  function assign(role: ColumnRole, names: readonly string[]): string | null {
    const column = names.map((name) => byName.get(name)).find((found) => found !== undefined && !roles.has(found))
    if (column === undefined) return null
    roles.set(column, role)
    return column
  }
  const chosen = byName.has('chosen') || NAMES.chosen.some((name) => byName.has(name)) && NAMES.rejected.some((name) => byName.has(name))
  const sides = chosen ? null : findSides(byName)
  if (chosen) {
    assign('chosen', NAMES.chosen)
    assign('rejected', NAMES.rejected)
    assign('reward-a', CHOSEN_REWARDS)
    assign('reward-b', REJECTED_REWARDS)
  } else if (sides !== null) {
    roles.set(sides.a, 'a')
    roles.set(sides.b, 'b')
    for (const [a, b] of ENDINGS) {
      for (const stem of ['reward', 'score', 'rating']) {
        if (byName.has(`${stem}${a}`) && byName.has(`${stem}${b}`) && ![...roles.values()].includes('reward-a')) {
          assign('reward-a', [`${stem}${a}`])
          assign('reward-b', [`${stem}${b}`])
        }
      }
    }
  }
  const prompt = assign('prompt', NAMES.prompt)
  if (prompt !== null) assign('prompt-2', NAMES['prompt-2'])
  for (const column of columns) {
    if (column.startsWith(LABEL_PREFIX)) roles.set(column, 'label')
    if (column.startsWith(STRENGTH_PREFIX)) roles.set(column, 'strength')
  }
  if (!chosen) guessPeople(columns, rows, roles, assign)
  assign('weight', NAMES.weight)
  assign('id', NAMES.id)
  const labelColumns = columns.filter((column) => roles.get(column) === 'label')
  return {
    format,
    layout: chosen ? guessLayout(prompt, columns, roles, rows) : 'mapped',
    columns: Object.fromEntries(columns.map((column) => [column, roles.get(column) ?? 'metadata'])),
    labelValues: guessLabelValues(labelColumns, rows, sides),
    flip: false,
  }
}

/** Columns of several people, or one column with the word and perhaps one with the person. */
function guessPeople(columns: readonly string[], rows: readonly RowValues[], roles: Map<string, ColumnRole>, assign: (role: ColumnRole, names: readonly string[]) => string | null): void {
  const numbered = columns.filter((column) => /^(annotator|rater|labeler|worker|judge)_?\d+$/.test(plain(column)) && !roles.has(column))
  for (const column of numbered) roles.set(column, 'label')
  if ([...roles.values()].includes('label')) return
  const label = assign('label', NAMES.label)
  if (label === null && rows.length > 0) return
  assign('strength', NAMES.strength)
  assign('annotator', NAMES.annotator)
}

function findSides(byName: ReadonlyMap<string, string>): { readonly a: string; readonly b: string } | null {
  const names: (readonly [string, string])[] = STEMS.flatMap((stem) => ENDINGS.map(([a, b]) => [`${stem}${a}`, `${stem}${b}`] as const))
  for (const [first, second] of [...names, ...BARE_SIDES]) {
    const a = byName.get(first)
    const b = byName.get(second)
    if (a !== undefined && b !== undefined) return { a, b }
  }
  return null
}

function guessLayout(prompt: string | null, columns: readonly string[], roles: ReadonlyMap<string, ColumnRole>, rows: readonly RowValues[]): ImportMapping['layout'] {
  if (prompt !== null) return 'trl-explicit'
  const sides = columns.filter((column) => roles.get(column) === 'chosen' || roles.get(column) === 'rejected')
  const dialogues = rows.filter((row) => sides.every((column) => typeof row[column] === 'string' && row[column].startsWith('\n\nHuman:')))
  return rows.length > 0 && dialogues.length * 2 > rows.length ? 'hh-rlhf' : 'trl-implicit'
}
