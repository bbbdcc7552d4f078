// Turns written by a model's own chat template (Jinja, as the transformers library keeps it), as tokens.
import { Template } from '@huggingface/jinja'
import type { Message } from '../../../../shared/data-kinds.ts'
import { AppError } from '../../../../shared/errors.ts'
import { formatDate } from './format-date.ts'
import type { Tokenizer } from './tokenizer.ts'

export interface ChatTemplate {
  /** Jinja, as in chat_template.jinja or tokenizer_config.json. */
  readonly source: string
  /** What the template may name: bos_token, eos_token … */
  readonly variables: Readonly<Record<string, string>>
  /** The day that it writes where it asks for one, in UTC; absent: today. A run always names the day it was made. */
  readonly date?: Date
}

export interface EncodedChat {
  readonly ids: readonly number[]
  /** 1 where the template says that the model writes the token (`{% generation %}`); null where it does not say. */
  readonly generated: Uint8Array | null
}

/**
 * Tokens of a conversation after which the assistant's turn follows. Only the template writes special tokens: where a
 * turn's own text holds the name of one (`<|im_end|>`), or a part that the template's text would complete, that text
 * stays text. Without such text the tokens are exactly those of the library's `apply_chat_template`.
 * @throws AppError `model-unsupported` when the template refuses the turns
 */
export function encodeChat(tokenizer: Tokenizer, template: ChatTemplate, messages: readonly Message[]): number[] {
  return [...encode(tokenizer, template, messages, true).ids]
}

/**
 * Tokens of a whole conversation, the assistant's turns included.
 * @throws AppError `model-unsupported` when the template refuses the turns
 */
export function encodeConversation(
  tokenizer: Tokenizer,
  template: ChatTemplate,
  messages: readonly Message[],
): EncodedChat {
  return encode(tokenizer, template, messages, false)
}

function encode(
  tokenizer: Tokenizer,
  template: ChatTemplate,
  messages: readonly Message[],
  answerFollows: boolean,
): EncodedChat {
  const names = tokenNames(tokenizer.json)
  const [guardMark, begin, end] = freeMarks([template.source, ...messages.map((turn) => turn.content)])
  const guarded = messages.map((turn) => ({ role: turn.role, content: guard(turn.content, names, guardMark) }))
  const written = render(template, guarded, answerFollows, { begin, end })
  const idsOf = (text: string): number[] => tokensOf(tokenizer, names, guardMark, text)
  if (!written.includes(begin)) return { ids: idsOf(written), generated: null }
  const ids = idsOf(written.replaceAll(begin, '').replaceAll(end, ''))
  const generated = new Uint8Array(ids.length)
  // A token belongs to the model where it begins inside: what stands before a border has tokens of its own.
  const tokensBefore = (place: number): number => {
    const before = idsOf(written.slice(0, place).replaceAll(begin, '').replaceAll(end, ''))
    let same = 0
    while (same < before.length && before[same] === ids[same]) same += 1
    return same
  }
  for (let from = written.indexOf(begin); from >= 0; from = written.indexOf(begin, from + 1)) {
    const to = written.indexOf(end, from)
    generated.fill(1, tokensBefore(from), to < 0 ? ids.length : tokensBefore(to))
  }
  return { ids, generated }
}

function tokensOf(tokenizer: Tokenizer, names: readonly string[], mark: string, text: string): number[] {
  if (!text.includes(mark)) return tokenizer.encodeWithSpecial(text)
  return splitAtNames(
    text,
    names.filter((name) => name.length > 1),
  ).flatMap(({ part, special }) =>
    special ? tokenizer.encodeWithSpecial(part) : tokenizer.encode(part.replaceAll(mark, '')),
  )
}

/** Templates are compiled once. */
const compiled = new WeakMap<ChatTemplate, Template>()

function render(
  template: ChatTemplate,
  messages: readonly Message[],
  answerFollows: boolean,
  marks: { readonly begin: string; readonly end: string },
): string {
  try {
    const known = compiled.get(template)
    const ready = known ?? new Template(ownNames(template.source))
    if (known === undefined) compiled.set(template, ready)
    return ready.render({
      ...template.variables,
      messages: messages.map((turn) => ({ ...turn })),
      add_generation_prompt: answerFollows,
      generation_begins: answerFollows ? '' : marks.begin,
      generation_ends: answerFollows ? '' : marks.end,
      day_written: (format: string) => formatDate(template.date ?? new Date(), format),
    })
  } catch (error) {
    throw new AppError({
      code: 'model-unsupported',
      message: `The model’s chat template refuses these turns: ${error instanceof Error ? error.message : String(error)}`,
      hint: 'Leave out the system prompt, or let user and assistant take turns; or turn the template off.',
      cause: error,
    })
  }
}

/**
 * `{% generation %}` is transformers' own tag: here a block that writes a mark, with the same control of blanks. The
 * library's clock always says today; ours says the day that it is given.
 */
function ownNames(source: string): string {
  return source
    .replace(
      /\{%(-?)\s*(end)?generation\s*(-?)%\}/g,
      (_tag, left: string, end: string | undefined, right: string) =>
        `{%${left} if true %}{{ ${end === undefined ? 'generation_begins' : 'generation_ends'} }}{% endif ${right}%}`,
    )
    .replace(/\bstrftime_now\b/g, 'day_written')
}

/** Texts that the tokenizer takes as one token wherever they stand, longest first; runs of blanks are harmless. */
function tokenNames(json: unknown): string[] {
  const { added_tokens: added = [] } = json as { readonly added_tokens?: readonly { readonly content: string }[] } // loadTokenizer read it
  return added
    .map((token) => token.content)
    .filter((name) => name.trim() !== '')
    .toSorted((a, b) => b.length - a.length)
}

/** Three private characters that none of the texts has. */
function freeMarks(texts: readonly string[]): [string, string, string] {
  const free: string[] = []
  for (let code = 0xe000; code < 0xf900; code += 1) {
    const mark = String.fromCharCode(code)
    if (texts.some((text) => text.includes(mark))) continue
    free.push(mark)
    if (free.length === 3) return [free[0]!, free[1]!, free[2]!] // counted
  }
  throw new AppError({
    code: 'input-invalid',
    message: 'The turns hold every private character of Unicode.',
    hint: 'Take some of them out.',
  })
}
/** The text with a mark wherever it could become, or complete, the name of a token. */
function guard(text: string, names: readonly string[], mark: string): string {
  let safe = text
  for (const name of names) {
    if (name.length === 1) safe = safe.replaceAll(name, `${mark}${name}`)
    else while (safe.includes(name)) safe = safe.replaceAll(name, `${name.slice(0, 1)}${mark}${name.slice(1)}`) // again, for names that overlap themselves
  }
  const core = safe.trim() // templates trim turns
  if (core === '') return safe
  const at = safe.indexOf(core)
  const begins = names.some((name) => completes(name, core))
  const ends = names.some((name) => begun(core, name))
  return `${safe.slice(0, at)}${begins ? mark : ''}${core}${ends ? mark : ''}${safe.slice(at + core.length)}`
}

/** The text begins with an end of the name, or is a part of it. */
function completes(name: string, text: string): boolean {
  if (name.includes(text)) return true
  for (let from = 1; from < name.length; from += 1) if (text.startsWith(name.slice(from))) return true
  return false
}

/** The text ends with a beginning of the name. */
function begun(text: string, name: string): boolean {
  for (let to = 1; to < name.length; to += 1) if (text.endsWith(name.slice(0, to))) return true
  return false
}

function splitAtNames(text: string, names: readonly string[]): { readonly part: string; readonly special: boolean }[] {
  const parts: { part: string; special: boolean }[] = []
  let from = 0
  for (let at = 0; at < text.length;) {
    const name = names.find((one) => text.startsWith(one, at))
    if (name === undefined) {
      at += 1
      continue
    }
    if (at > from) parts.push({ part: text.slice(from, at), special: false })
    parts.push({ part: name, special: true })
    at += name.length
    from = at
  }
  if (from < text.length) parts.push({ part: text.slice(from), special: false })
  return parts
}
