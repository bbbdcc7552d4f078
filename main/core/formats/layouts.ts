import type { ImportMapping, RowProblem } from '../../../shared/contract/import-mapping.ts'
import type { Content, Message, ResponsePair, SplitName } from '../../../shared/data-kinds.ts'
import {
  isEmptyContent,
  looksLikePython,
  readContent,
  readEarlier,
  sameContent,
  sharedLength,
  sharedTurns,
  weaveTexts,
  type ReadContent,
} from './layouts-content.ts'
import { readLabels, readNumber, type FileLabel } from './layouts-labels.ts'
import { alignForms, dropPrompt, putBefore, type Sides } from './layouts-prompt.ts'
import { cellOf, type CompiledMapping } from './mapping-compile.ts'
import type { RowValues } from './readers.ts'
import { readSplitName } from './source-split.ts'

export type Layout = ImportMapping['layout']

/** A row as a pair; `pairId` and `index` are given where rows are counted. */
export interface MappedRow {
  readonly pair: Omit<ResponsePair, 'pairId' | 'index'>
  /** The row's own id, as text; null if it has none. */
  readonly id: string | null
  readonly labels: readonly FileLabel[]
}

export interface RowResult {
  /** Null where a problem of severity error leaves the row out. */
  readonly row: MappedRow | null
  readonly problems: readonly RowProblem[]
}

/** Reads one row of the file as the mapping says. Never throws on what a row holds. */
export function readRow(values: RowValues, line: number, mapping: CompiledMapping): RowResult {
  const problems: RowProblem[] = []
  function report(severity: RowProblem['severity'], code: string, reason: string, hint: string): void {
    problems.push({ line, severity, code, reason, hint })
  }
  const extras: [string, unknown][] = []
  function keep(column: string, read: ReadContent): Content | null {
    if (read.problem !== null) report('error', read.problem.code, read.problem.reason, read.problem.hint)
    if (read.extra) extras.push([column, cellOf(values, column)])
    return read.content
  }
  function take(column: string | null, noun: 'answer' | 'prompt'): Content | null {
    return column === null ? null : keep(column, readContent(cellOf(values, column), column, noun))
  }
  const woven = weaveTexts(cellAt(values, mapping.prompt), cellAt(values, mapping.a), cellAt(values, mapping.b))
  const sides = woven ?? readSides(values, mapping, take, report)
  if (sides === null) return { row: null, problems }
  const whole = hasBefore(mapping) ? addBefore(sides, values, mapping, keep) : sides
  if (whole === null) return { row: null, problems }
  const rewardA = readNumber(values, mapping.rewardA, report)
  const rewardB = readNumber(values, mapping.rewardB, report)
  const labels = readLabels(values, mapping, { a: rewardA, b: rewardB }, report)
  if (labels === null) return { row: null, problems }
  warnAboutSides(whole, mapping, report)
  const weight = readNumber(values, mapping.weight, report)
  if (weight !== null && weight < 0)
    report(
      'warning',
      'weight-negative',
      `${mapping.weight ?? 'weight'} is below 0; 1 is used.`,
      'Weights multiply a row’s loss and must be 0 or more.',
    )
  const split = readSplit(values, mapping, report)
  const pair = {
    line,
    ...whole,
    rewardA,
    rewardB,
    weight: weight === null || weight < 0 ? 1 : weight,
    ...(split === null ? {} : { split }),
    metadata: readMetadata(values, mapping, extras),
  }
  return { row: { pair, id: readId(values, mapping), labels }, problems }
}

type Report = (severity: RowProblem['severity'], code: string, reason: string, hint: string) => void

/** Nothing is said: no cell, null, or text of spaces. */
function isBlank(value: unknown): boolean {
  return value === null || value === undefined || (typeof value === 'string' && value.trim() === '')
}

function cellAt(values: RowValues, column: string | null): unknown {
  return column === null ? undefined : cellOf(values, column)
}

/** Prompt and answers of a row; null where one of them cannot be read, with the reason reported. */
function readSides(
  values: RowValues,
  mapping: CompiledMapping,
  take: (column: string | null, noun: 'answer' | 'prompt') => Content | null,
  report: Report,
): Sides | null {
  const a = take(mapping.a, 'answer')
  const b = take(mapping.b, 'answer')
  const prompt = mapping.prompt === null ? null : takePrompt(values, mapping, take, report)
  if (a === null || b === null || (mapping.prompt !== null && prompt === null)) return null
  const sides = arrange(mapping, { prompt, a, b })
  if (!('code' in sides)) return sides
  report('error', sides.code, sides.reason, sides.hint)
  return null
}

function hasBefore(mapping: CompiledMapping): boolean {
  return mapping.system !== null || mapping.history !== null || mapping.tools !== null
}

/** What the system was told and the earlier turns, in columns of their own, belong before the prompt. */
function addBefore(
  sides: Sides,
  values: RowValues,
  mapping: CompiledMapping,
  keep: (column: string, read: ReadContent) => Content | null,
): Sides | null {
  const told = [cellAt(values, mapping.system), cellAt(values, mapping.tools)].flatMap((cell) =>
    isBlank(cell) || (Array.isArray(cell) && cell.length === 0)
      ? []
      : [typeof cell === 'string' ? cell : JSON.stringify(cell)],
  )
  const earlier = cellAt(values, mapping.history)
  const { history: column } = mapping
  const history = column === null || isBlank(earlier) ? [] : keep(column, readEarlier(earlier, column))
  if (history === null) return null
  return putBefore(sides, { system: told.join('\n\n'), history }, mapping.prompt === null)
}

/** Instruction and input are joined by a blank line; either may be empty (PandaLM, Alpaca). */
function takePrompt(
  values: RowValues,
  mapping: CompiledMapping,
  take: (column: string | null, noun: 'prompt') => Content | null,
  report: Report,
): Content | null {
  const second = cellAt(values, mapping.prompt2)
  if (mapping.prompt2 === null || isBlank(second)) return take(mapping.prompt, 'prompt')
  const rest = take(mapping.prompt2, 'prompt')
  if (isBlank(cellAt(values, mapping.prompt)) && rest !== null) {
    report(
      'warning',
      'prompt-part-empty',
      `${mapping.prompt ?? ''} is empty; the prompt is ${mapping.prompt2} alone.`,
      'Check whether the row is complete.',
    )
    return rest
  }
  const first = take(mapping.prompt, 'prompt')
  if (first === null || rest === null) return null
  if (typeof first === 'string' && typeof rest === 'string')
    return rest.trim() === '' ? first : first.trim() === '' ? rest : `${first}\n\n${rest}`
  const turns = (content: Content): Message[] => (typeof content === 'string' ? [{ role: 'user', content }] : content)
  return [...turns(first), ...turns(rest)]
}

interface Trouble {
  readonly code: string
  readonly reason: string
  readonly hint: string
}

/** Where the prompt ends and the two completions begin. */
function arrange(
  { layout, sidesAreRanked }: CompiledMapping,
  given: { readonly prompt: Content | null; readonly a: Content; readonly b: Content },
): Sides | Trouble {
  const { prompt } = given
  const aligned = alignForms(given.a, given.b)
  if (aligned === null)
    return {
      code: 'answers-differ-in-form',
      reason: 'One answer is text, the other a conversation.',
      hint: 'Give both answers in the same form.',
    }
  const { a, b } = aligned
  if (typeof a === 'string' && typeof b === 'string') {
    // Turns before plain answers: the answers become turns, so that a conversation stays one.
    if (prompt !== null)
      return typeof prompt === 'string'
        ? { prompt, a, b }
        : { prompt, a: [{ role: 'assistant', content: a }], b: [{ role: 'assistant', content: b }] }
    if (layout === 'hh-rlhf') return splitDialogue(a, b)
    return layout === 'trl-implicit' || sidesAreRanked ? splitTexts(a, b) : { prompt: '', a, b }
  }
  if (typeof a === 'string' || typeof b === 'string')
    return {
      code: 'answers-differ-in-form',
      reason: 'One answer is text, the other a conversation.',
      hint: 'Give both answers in the same form.',
    }
  return prompt === null ? splitTurns(a, b) : dropPrompt(prompt, a, b)
}

/**
 * TRL's implicit prompt: the common head. A space before the point where the texts part belongs to the completions.
 * TRL's own `extract_prompt` cuts one character early when one text is the head of the other, and looks before the
 * start when they differ at once; here the whole common head is the prompt in the first case, nothing in the second.
 */
function splitTexts(a: string, b: string): Sides {
  const shared = sharedLength(a, b)
  const cut = shared > 0 && a[shared - 1] === ' ' ? shared - 1 : shared
  return { prompt: a.slice(0, cut), a: a.slice(cut), b: b.slice(cut) }
}

function splitTurns(a: Message[], b: Message[]): Sides {
  const shared = sharedTurns(a, b)
  return { prompt: a.slice(0, shared), a: a.slice(shared), b: b.slice(shared) }
}

const ASSISTANT_MARK = '\n\nAssistant:'

/** hh-rlhf: the prompt ends with the last assistant mark that both dialogues share. */
function splitDialogue(a: string, b: string): Sides | Trouble {
  const head = a.slice(0, sharedLength(a, b))
  const mark = head.lastIndexOf(ASSISTANT_MARK)
  if (mark === -1)
    return {
      code: 'dialogues-part-early',
      reason: 'The two dialogues share no "Assistant:" turn, so there is no common prompt.',
      hint: 'Leave the row out, or read the file with the implicit prompt layout.',
    }
  const cut = mark + ASSISTANT_MARK.length
  return { prompt: a.slice(0, cut), a: a.slice(cut), b: b.slice(cut) }
}

const REPEATED_PROMPT_MIN_LENGTH = 24

function warnAboutSides({ prompt, a, b }: Sides, mapping: CompiledMapping, report: Report): void {
  const empty = [isEmptyContent(a) ? mapping.a : null, isEmptyContent(b) ? mapping.b : null].filter(
    (name) => name !== null,
  )
  if (empty.length > 0)
    report(
      'warning',
      'answer-empty',
      `${empty.join(' and ')} ${empty.length === 1 ? 'is' : 'are'} empty.`,
      'The pair is kept; an empty answer can be a real one.',
    )
  if (sameContent(a, b))
    report('warning', 'answers-same', 'Both answers are the same.', 'The pair is kept; nothing can be learned from it.')
  if ([prompt, a, b].some((content) => typeof content === 'string' && looksLikePython(content))) {
    report(
      'warning',
      'turns-as-python',
      'A conversation is written as Python prints it, and is read as one plain text.',
      'Write the file as JSONL, or the cells with json.dumps, so that its turns are read as turns.',
    )
  }
  if (
    typeof prompt === 'string' &&
    typeof a === 'string' &&
    typeof b === 'string' &&
    prompt.length >= REPEATED_PROMPT_MIN_LENGTH &&
    a.startsWith(prompt) &&
    b.startsWith(prompt)
  ) {
    report(
      'warning',
      'prompt-repeated',
      'Both answers begin with the prompt.',
      'If that is not meant, ignore the prompt column, so that the common beginning becomes the prompt.',
    )
  }
}

function readId(values: RowValues, mapping: CompiledMapping): string | null {
  const value = cellAt(values, mapping.id)
  return typeof value === 'string' && value.trim() !== '' ? value : typeof value === 'number' ? String(value) : null
}

/** The side that the source gives the row, where it has a column for it. */
function readSplit(values: RowValues, mapping: CompiledMapping, report: Report): SplitName | null {
  const value = cellAt(values, mapping.split)
  if (isBlank(value)) return null
  const side = readSplitName(value)
  if (side === null)
    report(
      'warning',
      'split-unknown',
      `${mapping.split ?? 'split'} holds ${JSON.stringify(value).slice(0, 40)}, which names no side; the row's side is drawn.`,
      'Sides are train, validation and test, also dev, val, eval, holdout.',
    )
  return side
}

function readMetadata(
  values: RowValues,
  mapping: CompiledMapping,
  extras: readonly (readonly [string, unknown])[],
): ResponsePair['metadata'] {
  const kept = Object.entries(values).filter(([column]) => !mapping.used.has(column))
  return Object.fromEntries([...kept, ...extras]) as ResponsePair['metadata'] // parsed from JSON, so it is JSON
}
