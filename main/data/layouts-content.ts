import type { Content, Message } from '../../shared/data-kinds.ts'
import { nameOf } from './readers.ts'

/** What a cell turned out to hold; `extra` is what `Message` has no place for (tool calls, names), to be kept as metadata. */
export type ReadContent =
  | { readonly content: Content; readonly extra: boolean; readonly problem: null }
  | { readonly content: null; readonly extra: false; readonly problem: { readonly code: string; readonly reason: string; readonly hint: string } }

function refuse(code: string, reason: string, hint: string): ReadContent {
  return { content: null, extra: false, problem: { code, reason, hint } }
}

/** ShareGPT's speaker names in the words of chat templates. */
const SPEAKERS: Readonly<Record<string, string>> = { human: 'user', gpt: 'assistant', chatgpt: 'assistant', bing: 'assistant', bard: 'assistant' }

/**
 * Text, or turns: `{role, content}` or ShareGPT's `{from, value}`, in a list or alone.
 * Text is kept as it stands: the space before a completion belongs to it.
 * @param what name of the column, for messages
 * @param noun `answer` or `prompt`: the stem of the problem's code
 */
export function readContent(value: unknown, what: string, noun: 'answer' | 'prompt'): ReadContent {
  if (typeof value === 'string') return { content: value, extra: false, problem: null }
  if (value === null || value === undefined) return refuse(`${noun}-missing`, `${what} is ${value === null ? 'null' : 'missing'}.`, 'Fill the column or choose another one for this role.')
  if (typeof value !== 'object') return refuse(`${noun}-not-text`, `${what} holds ${nameOf(value)} instead of text.`, 'Put the text in quotes in the file, or leave the row out.')
  const turns: Message[] = []
  let extra = false
  for (const item of Array.isArray(value) ? value : [value]) {
    const turn = readTurn(item)
    if (typeof turn === 'string') return refuse(`${noun}-not-text`, `${what} ${turn}.`, 'A conversation is a list of {"role": …, "content": …} with text.')
    turns.push(turn.message)
    extra ||= turn.extra
  }
  return { content: turns, extra, problem: null }
}

/** One turn, or what it is instead, to be put after the column's name. */
function readTurn(item: unknown): { readonly message: Message; readonly extra: boolean } | string {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return `holds ${nameOf(item)} where a turn should stand`
  const turn = item as Readonly<Record<string, unknown>> // an object was just proved
  const speaker = turn['role'] ?? turn['from']
  if (typeof speaker !== 'string') return 'holds a turn without a role'
  const text = readParts(turn['content'] ?? turn['value'])
  if (text === null) return 'holds a turn with something that is not text'
  const extra = Object.keys(turn).some((key) => !['role', 'content', 'from', 'value'].includes(key) && turn[key] !== null)
  return { message: { role: SPEAKERS[speaker] ?? speaker, content: text }, extra }
}

/** Text, a list of text parts, or nothing (a turn that only calls a tool); null for pictures and the like. */
function readParts(value: unknown): string | null {
  if (typeof value === 'string') return value
  if (value === null || value === undefined) return ''
  if (!Array.isArray(value)) return null
  const parts = value.map((part: unknown) => (typeof part === 'object' && part !== null && 'text' in part && typeof part.text === 'string' ? part.text : null))
  return parts.some((part) => part === null) ? null : parts.join('')
}

/** True for no text at all, and for turns whose last one says nothing. */
export function isEmptyContent(value: Content): boolean {
  if (typeof value === 'string') return value.trim() === ''
  return (value.at(-1)?.content ?? '').trim() === ''
}

export function sameContent(x: Content, y: Content): boolean {
  if (typeof x === 'string' || typeof y === 'string') return x === y
  return x.length === y.length && sharedTurns(x, y) === x.length
}

/** How many turns two conversations have in common at their head. */
export function sharedTurns(x: readonly Message[], y: readonly Message[]): number {
  let count = 0
  for (; count < x.length && count < y.length; count += 1) {
    if (x[count]?.role !== y[count]?.role || x[count]?.content !== y[count]?.content) break
  }
  return count
}

/** Length of the common head of two texts, never between the halves of a surrogate pair. */
export function sharedLength(x: string, y: string): number {
  const limit = Math.min(x.length, y.length)
  let length = 0
  while (length < limit && x.charCodeAt(length) === y.charCodeAt(length)) length += 1
  const last = x.charCodeAt(length - 1)
  return length > 0 && last >= 0xd800 && last <= 0xdbff ? length - 1 : length
}
