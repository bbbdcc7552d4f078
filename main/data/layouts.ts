import type { ImportMapping, RowProblem } from '../../shared/contract/datasets.ts'
import type { Content, Message, ResponsePair } from '../../shared/data-kinds.ts'
import { isEmptyContent, readContent, sameContent, sharedLength, sharedTurns } from './layouts-content.ts'
import { readLabels, readNumber, type FileLabel } from './layouts-labels.ts'
import type { CompiledMapping } from './mapping-compile.ts'
import type { RowValues } from './readers.ts'

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

interface Sides {
  readonly prompt: Content
  readonly a: Content
  readonly b: Content
}


/** Reads one row of the file as the mapping says. Never throws on what a row holds. */
export function readRow(values: RowValues, line: number, mapping: CompiledMapping): RowResult {
  const problems: RowProblem[] = []
  function report(severity: RowProblem['severity'], code: string, reason: string, hint: string): void {
    problems.push({ line, severity, code, reason, hint })
  }
  const extras: [string, unknown][] = []
  function take(column: string | null, noun: 'answer' | 'prompt'): Content | null {
    if (column === null) return null
    const read = readContent(values[column], column, noun)
    if (read.problem !== null) report('error', read.problem.code, read.problem.reason, read.problem.hint)
    if (read.extra) extras.push([column, values[column]])
    return read.content
  }
  const a = take(mapping.a, 'answer')
  const b = take(mapping.b, 'answer')
  const prompt = mapping.prompt === null ? null : takePrompt(values, mapping, take, report)
  if (a === null || b === null || (mapping.prompt !== null && prompt === null)) return { row: null, problems }
  const sides = arrange(mapping.layout, { prompt, a, b })
  if ('code' in sides) {
    report('error', sides.code, sides.reason, sides.hint)
    return { row: null, problems }
  }
  const rewardA = readNumber(values, mapping.rewardA, report)
  const rewardB = readNumber(values, mapping.rewardB, report)
  const labels = readLabels(values, mapping, { a: rewardA, b: rewardB }, report)
  if (labels === null) return { row: null, problems }
  warnAboutSides(sides, mapping, report)
  const weight = readNumber(values, mapping.weight, report)
  if (weight !== null && weight < 0) report('warning', 'weight-negative', `${mapping.weight ?? 'weight'} is below 0; 1 is used.`, 'Weights multiply a row’s loss and must be 0 or more.')
  const pair = { line, ...sides, rewardA, rewardB, weight: weight === null || weight < 0 ? 1 : weight, metadata: readMetadata(values, mapping, extras) }
  return { row: { pair, id: readId(values, mapping), labels }, problems }
}

type Report = (severity: RowProblem['severity'], code: string, reason: string, hint: string) => void

/** Instruction and input are joined by a blank line; either may be empty (PandaLM, Alpaca). */
function takePrompt(values: RowValues, mapping: CompiledMapping, take: (column: string | null, noun: 'prompt') => Content | null, report: Report): Content | null {
  const second = mapping.prompt2 === null ? null : values[mapping.prompt2]
  if (mapping.prompt2 === null || second === null || second === undefined || second === '') return take(mapping.prompt, 'prompt')
  const first = take(mapping.prompt, 'prompt')
  const rest = take(mapping.prompt2, 'prompt')
  if (first === null || rest === null) return null
  if (typeof first !== 'string' || typeof rest !== 'string') {
    report('error', 'prompt-mixed', `${mapping.prompt ?? ''} and ${mapping.prompt2} cannot be joined: one of them is a conversation.`, 'Use one column for the prompt.')
    return null
  }
  if (first.trim() === '') {
    report('warning', 'prompt-part-empty', `${mapping.prompt ?? ''} is empty; the prompt is ${mapping.prompt2} alone.`, 'Check whether the row is complete.')
    return rest
  }
  return rest.trim() === '' ? first : `${first}\n\n${rest}`
}

/** Where the prompt ends and the two completions begin. */
function arrange(layout: Layout, given: { readonly prompt: Content | null; readonly a: Content; readonly b: Content }): Sides | { readonly code: string; readonly reason: string; readonly hint: string } {
  const { prompt, a, b } = given
  if (typeof a === 'string' && typeof b === 'string') {
    if (prompt === null) {
      if (layout === 'mapped') return { prompt: '', a, b }
      return layout === 'hh-rlhf' ? splitDialogue(a, b) : splitTexts(a, b)
    }
    // Turns before plain answers: the answers become turns, so that a conversation stays one.
    return typeof prompt === 'string' ? { prompt, a, b } : { prompt, a: [{ role: 'assistant', content: a }], b: [{ role: 'assistant', content: b }] }
  }
  if (typeof a === 'string' || typeof b === 'string') {
    return { code: 'answers-differ-in-form', reason: 'One answer is text, the other a conversation.', hint: 'Give both answers in the same form.' }
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
function splitDialogue(a: string, b: string): Sides | { readonly code: string; readonly reason: string; readonly hint: string } {
  const head = a.slice(0, sharedLength(a, b))
  const mark = head.lastIndexOf(ASSISTANT_MARK)
  if (mark === -1) return { code: 'dialogues-part-early', reason: 'The two dialogues share no "Assistant:" turn, so there is no common prompt.', hint: 'Leave the row out, or read the file with the implicit prompt layout.' }
  const cut = mark + ASSISTANT_MARK.length
  return { prompt: a.slice(0, cut), a: a.slice(cut), b: b.slice(cut) }
}

/** UltraFeedback repeats the prompt's turns inside both answers; left there, the prompt would be trained twice. */
function dropPrompt(prompt: Content, a: Message[], b: Message[]): Sides {
  if (typeof prompt !== 'string') {
    const repeated = prompt.length > 0 && sharedTurns(prompt, a) === prompt.length && sharedTurns(prompt, b) === prompt.length
    return repeated ? { prompt, a: a.slice(prompt.length), b: b.slice(prompt.length) } : { prompt, a, b }
  }
  const shared = a.slice(0, sharedTurns(a, b))
  const last = shared.findLastIndex((turn) => turn.role === 'user' && turn.content === prompt)
  if (last === -1) return { prompt: [{ role: 'user', content: prompt }], a, b }
  return { prompt: shared.slice(0, last + 1), a: a.slice(last + 1), b: b.slice(last + 1) }
}

const REPEATED_PROMPT_MIN_LENGTH = 24

function warnAboutSides({ prompt, a, b }: Sides, mapping: CompiledMapping, report: Report): void {
  const empty = [isEmptyContent(a) ? mapping.a : null, isEmptyContent(b) ? mapping.b : null].filter((name) => name !== null)
  if (empty.length > 0) report('warning', 'answer-empty', `${empty.join(' and ')} ${empty.length === 1 ? 'is' : 'are'} empty.`, 'The pair is kept; an empty answer can be a real one.')
  if (sameContent(a, b)) report('warning', 'answers-same', 'Both answers are the same.', 'The pair is kept; nothing can be learned from it.')
  if (typeof prompt === 'string' && typeof a === 'string' && typeof b === 'string' && prompt.length >= REPEATED_PROMPT_MIN_LENGTH && a.startsWith(prompt) && b.startsWith(prompt)) {
    report('warning', 'prompt-repeated', 'Both answers begin with the prompt.', 'If that is not meant, ignore the prompt column, so that the common beginning becomes the prompt.')
  }
}

function readId(values: RowValues, mapping: CompiledMapping): string | null {
  if (mapping.id === null) return null
  const value = values[mapping.id]
  return typeof value === 'string' && value.trim() !== '' ? value : typeof value === 'number' ? String(value) : null
}

function readMetadata(values: RowValues, mapping: CompiledMapping, extras: readonly (readonly [string, unknown])[]): ResponsePair['metadata'] {
  const kept = Object.entries(values).filter(([column]) => !mapping.used.has(column))
  return Object.fromEntries([...kept, ...extras]) as ResponsePair['metadata'] // parsed from JSON, so it is JSON
}

