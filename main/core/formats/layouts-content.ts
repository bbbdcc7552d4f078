import type { Content, Message } from '../../../shared/data-kinds.ts'
import { nameOf } from './readers.ts'

/** What a cell turned out to hold; `extra` is what `Message` has no place for (tool calls, names), to be kept as metadata. */
export type ReadContent =
  | { readonly content: Content; readonly extra: boolean; readonly problem: null }
  | {
      readonly content: null
      readonly extra: false
      readonly problem: { readonly code: string; readonly reason: string; readonly hint: string }
    }

function refuse(code: string, reason: string, hint: string): ReadContent {
  return { content: null, extra: false, problem: { code, reason, hint } }
}

/** Speakers of ShareGPT, OASST and others in the words of chat templates. */
const SPEAKERS: Readonly<Record<string, string>> = {
  human: 'user',
  prompter: 'user',
  gpt: 'assistant',
  chatgpt: 'assistant',
  bing: 'assistant',
  bard: 'assistant',
  bot: 'assistant',
  model: 'assistant',
  chatbot: 'assistant',
  ai: 'assistant',
}
const SPEAKER_KEYS = ['role', 'from', 'speaker'] as const
const TEXT_KEYS = ['content', 'value', 'text'] as const
/** Objects that hold what was asked and what was answered: two turns. */
const EXCHANGES: readonly (readonly [string, string])[] = [
  ['input', 'output'],
  ['user', 'assistant'],
  ['human', 'assistant'],
  ['human', 'gpt'],
  ['question', 'answer'],
  ['prompt', 'response'],
  ['query', 'response'],
  ['instruction', 'output'],
  ['instruction', 'response'],
]
/** What a turn may carry besides its text without anything being lost when only the text is read. */
const TURN_KEYS: readonly string[] = [...SPEAKER_KEYS, ...TEXT_KEYS]
const CALL_KEYS = ['tool_calls', 'function_call'] as const

/**
 * Text, or turns: `{role, content}`, ShareGPT's `{from, value}`, `{input, output}`, or `[asked, answered]`; in a list, alone,
 * or as the JSON text of such a list. Text is kept as it stands: the space before a completion belongs to it.
 * @param what name of the column, for messages
 * @param noun `answer` or `prompt`: the stem of the problem's code
 */
export function readContent(value: unknown, what: string, noun: 'answer' | 'prompt'): ReadContent {
  if (typeof value === 'string') {
    const decoded = decodeTurns(value)
    return decoded === null ? { content: value, extra: false, problem: null } : readTurns(decoded, what, noun)
  }
  if (value === null || value === undefined)
    return refuse(
      `${noun}-missing`,
      `${what} is ${value === null ? 'null' : 'missing'}.`,
      'Fill the column or choose another one for this role.',
    )
  if (typeof value !== 'object')
    return refuse(
      `${noun}-not-text`,
      `${what} holds ${nameOf(value)} instead of text.`,
      'Put the text in quotes in the file, or leave the row out.',
    )
  const items: readonly unknown[] = Array.isArray(value) ? value : [value]
  const [only] = items
  if (items.length === 1 && typeof only === 'string') return { content: only, extra: false, problem: null }
  return readTurns(items, what, noun)
}

function readTurns(items: readonly unknown[], what: string, noun: 'answer' | 'prompt'): ReadContent {
  const turns: Message[] = []
  let extra = false
  for (const item of items) {
    const read = readExchange(item) ?? readTurn(item)
    if (typeof read === 'string')
      return refuse(
        `${noun}-not-text`,
        `${what} ${read}.`,
        'A conversation is a list of {"role": …, "content": …} with text.',
      )
    turns.push(...read.messages)
    extra ||= read.extra
  }
  return { content: turns, extra, problem: null }
}

/** Turns as Python prints them: not JSON, and so read as plain text. */
export function looksLikePython(text: string): boolean {
  return /^\s*\[\s*\{\s*'/.test(text) && /'(role|from)'\s*:/.test(text)
}

/** Turns written as JSON text, as tables have them; null for any other text. */
function decodeTurns(text: string): readonly unknown[] | null {
  if (!/^\s*\[\s*\{/.test(text) || !/"(role|from)"/.test(text)) return null
  const list = parseList(text)
  return list !== null &&
    list.length > 0 &&
    list.every((item) => typeof item === 'object' && item !== null && ('role' in item || 'from' in item))
    ? list
    : null
}

function parseList(text: string): readonly unknown[] | null {
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) ? (value as unknown[]) : null
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

interface ReadTurns {
  readonly messages: readonly Message[]
  readonly extra: boolean
}

/** `[asked, answered]` and `{input, output}`; an answer that is null or missing has not been given yet. */
function readExchange(item: unknown): ReadTurns | null {
  if (typeof item !== 'object' || item === null) return null
  const turn = item as Readonly<Record<string, unknown>> // an object was just proved
  if (SPEAKER_KEYS.some((key) => typeof turn[key] === 'string')) return null
  const keys = EXCHANGES.find(([asked]) => typeof turn[asked] === 'string')
  const [asked, answered] = Array.isArray(item)
    ? (item as readonly unknown[])
    : keys === undefined
      ? []
      : [turn[keys[0]], turn[keys[1]]]
  if (
    typeof asked !== 'string' ||
    (Array.isArray(item) && item.length > 2) ||
    !(typeof answered === 'string' || answered === null || answered === undefined)
  )
    return null
  const extra =
    !Array.isArray(item) &&
    keys !== undefined &&
    Object.keys(turn).some((key) => !keys.includes(key) && turn[key] !== null)
  return {
    messages: [
      { role: 'user', content: asked },
      ...(typeof answered === 'string' ? [{ role: 'assistant', content: answered }] : []),
    ],
    extra,
  }
}

/** One turn, or what it is instead, to be put after the column's name. */
function readTurn(item: unknown): ReadTurns | string {
  if (typeof item !== 'object' || item === null || Array.isArray(item))
    return `holds ${nameOf(item)} where a turn should stand`
  const turn = item as Readonly<Record<string, unknown>> // an object was just proved
  const speaker = SPEAKER_KEYS.map((key) => turn[key]).find((value) => value !== undefined && value !== null)
  if (typeof speaker !== 'string') return 'holds a turn without a role'
  const text = readParts(TEXT_KEYS.map((key) => turn[key]).find((value) => value !== undefined && value !== null))
  if (text === null) return 'holds a turn with something that is not text'
  // What a turn asks a tool for is all that some turns say.
  const calls = CALL_KEYS.flatMap((key) => (isNothing(turn[key]) ? [] : [JSON.stringify(turn[key])]))
  const extra = Object.keys(turn).some((key) => !TURN_KEYS.includes(key) && !isNothing(turn[key]))
  return {
    messages: [
      {
        role:
          SPEAKERS[speaker.toLowerCase()] ??
          (/^(user|assistant|system|tool)$/i.test(speaker) ? speaker.toLowerCase() : speaker),
        content: [...(text === '' ? [] : [text]), ...calls].join('\n'),
      },
    ],
    extra,
  }
}

function isNothing(value: unknown): boolean {
  return value === null || value === undefined || (Array.isArray(value) && value.length === 0)
}

/** Text, a list of text parts, or nothing (a turn that only calls a tool); null for pictures and the like. */
function readParts(value: unknown): string | null {
  if (typeof value === 'string') return value
  if (value === null || value === undefined) return ''
  if (!Array.isArray(value)) return null
  const parts = value.map((part: unknown) =>
    typeof part === 'string'
      ? part
      : typeof part === 'object' && part !== null && 'text' in part && typeof part.text === 'string'
        ? part.text
        : null,
  )
  return parts.some((part) => part === null) ? null : parts.join('')
}

/**
 * Earlier turns: a conversation, pairs of what was asked and answered, or bare texts of user and assistant in turn.
 * Text that is no list stays text. Null where it holds something else.
 */
export function readEarlier(value: unknown, what: string): ReadContent {
  const list = typeof value === 'string' && /^\s*\[/.test(value) ? parseList(value) : null
  const items = list ?? value
  if (Array.isArray(items) && items.length > 0 && items.every((item) => typeof item === 'string')) {
    return {
      content: items.map((text: string, at) => ({ role: at % 2 === 0 ? 'user' : 'assistant', content: text })),
      extra: false,
      problem: null,
    }
  }
  return readContent(items, what, 'prompt')
}

/** The LMSYS arena's tables: three JSON lists of as many texts, what was asked and what each side answered. Null for anything else. */
export function weaveTexts(
  prompt: unknown,
  a: unknown,
  b: unknown,
): { readonly prompt: Message[]; readonly a: Message[]; readonly b: Message[] } | null {
  const [asked, first, second] = [prompt, a, b].map((cell) =>
    Array.isArray(cell)
      ? (cell as unknown[])
      : typeof cell === 'string' && /^\s*\["?/.test(cell)
        ? parseList(cell)
        : null,
  )
  if (
    !asked ||
    !first ||
    !second ||
    asked.length === 0 ||
    asked.length !== first.length ||
    asked.length !== second.length
  )
    return null
  const isText = (list: readonly unknown[]): boolean => list.every((text) => typeof text === 'string' || text === null)
  if (![asked, first, second].every(isText)) return null
  const text = (value: unknown): string => (typeof value === 'string' ? value : '')
  const weave = (answers: readonly unknown[]): Message[] =>
    asked.flatMap((question, at) => [
      { role: 'user', content: text(question) },
      { role: 'assistant', content: text(answers[at]) },
    ])
  const [whole, other] = [weave(first), weave(second)]
  const shared = sharedTurns(whole, other)
  const cut = shared === whole.length ? shared - 1 : shared
  return { prompt: whole.slice(0, cut), a: whole.slice(cut), b: other.slice(cut) }
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
