// Which columns of a file hold a prompt, one answer to it, and what was said of that answer.
import { LABEL_PREFIX } from './mapping-compile.ts'

const PROMPTS = ['prompt', 'instruction', 'question', 'query', 'input', 'messages']
const COMPLETIONS = ['completion', 'response', 'answer', 'output', 'generation']
const LABELS = ['label', 'labels', 'thumbs', 'thumb', 'desirable', 'is_good', 'good']

export interface UnpairedColumns {
  readonly prompt: string
  readonly completion: string
  /** One column for each annotator. */
  readonly labels: readonly { readonly column: string; readonly annotator: string | null }[]
  readonly id: string | null
  /** Who labeled the row; null where the file does not say. */
  readonly annotator: string | null
  readonly split: string | null
}

/** Null where the names say no prompt and no answer. A file with two answers a row is none of these. */
export function findUnpairedColumns(names: readonly string[]): UnpairedColumns | null {
  const find = (wanted: readonly string[]): string | null =>
    wanted.flatMap((name) => names.filter((column) => plain(column) === name))[0] ?? null
  const [prompt, completion] = [find(PROMPTS), find(COMPLETIONS)]
  if (prompt === null || completion === null) return null
  const own = names.filter((name) => name.startsWith(LABEL_PREFIX))
  const label = find(LABELS)
  return {
    prompt,
    completion,
    labels:
      own.length > 0
        ? own.map((column) => ({ column, annotator: column.slice(LABEL_PREFIX.length) }))
        : label === null
          ? []
          : [{ column: label, annotator: null }],
    id: find(['id', 'pair_id', 'row_id', 'uuid']),
    annotator: find(['annotator', 'annotator_id', 'user_id', 'rater']),
    split: find(['split']),
  }
}

/** Whether a column of this name may say which answers are good. */
export function mayJudge(name: string): boolean {
  return name.startsWith(LABEL_PREFIX) || LABELS.includes(plain(name))
}

function plain(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replace(/[\s-]+/g, '_')
}
