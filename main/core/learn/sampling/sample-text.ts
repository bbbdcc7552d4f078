// Completions as text while they grow: whole characters only, and nothing that a stop string may yet take back.
import type { Decoder } from '../models/decoder.ts'
import type { Random } from '../random.ts'
import {
  sampleCompletions,
  type FinishReason,
  type SampledCompletion,
  type SampledToken,
  type SamplingOptions,
} from './sample.ts'
import type { Tokenizer } from '../tokens/tokenizer.ts'

export interface TextOptions extends SamplingOptions {
  /** Texts that end a completion and are cut from it, wherever they fall among the tokens. */
  readonly stopStrings?: readonly string[]
}

export interface TextWatch {
  breathe?(): Promise<void>
  /** Told of each token, with the text that is now certain: '' while a character or a stop string is incomplete. */
  onToken?(row: number, token: SampledToken, text: string): void
  readonly signal?: { readonly aborted: boolean } | undefined
}

export interface SampledText extends SampledCompletion {
  /** Without the stop string and without end tokens. */
  readonly text: string
  /** The string that ended it; null where none did. */
  readonly stopString: string | null
}

/**
 * As sampleCompletions, in text. `ids` hold every token that was drawn, also those whose text a stop string cut off.
 * @throws AppError as sampleCompletions
 */
export async function sampleTexts(
  decoder: Decoder,
  tokenizer: Pick<Tokenizer, 'decode'>,
  prompts: readonly (readonly number[])[],
  random: (prompt: number) => Random,
  options: TextOptions,
  watch: TextWatch = {},
): Promise<readonly SampledText[]> {
  const rows = prompts.map(() => createTextRow(tokenizer, options.stopStrings ?? []))
  const completions = await sampleCompletions(decoder, prompts, random, options, {
    ...(watch.breathe === undefined ? {} : { breathe: watch.breathe }),
    signal: watch.signal,
    onToken(row, token) {
      const { text, stopped } = rows[row]!.push(token.id, token.last)
      watch.onToken?.(row, stopped ? { ...token, last: true } : token, text)
      return stopped
    },
  })
  return completions.map((completion, row): SampledText => {
    const rest = rows[row]!
    rest.flush() // a cancelled row may hold text back
    const reason: FinishReason = rest.stopString === null ? completion.reason : 'stop'
    return { ...completion, reason, ended: reason === 'end', text: rest.text, stopString: rest.stopString }
  })
}

interface TextRow {
  /** Adds a token; returns the text that has become certain. */
  push(id: number, last: boolean): { readonly text: string; readonly stopped: boolean }
  flush(): void
  readonly text: string
  readonly stopString: string | null
}

/** A stream of one row's text. Stop strings are matched on the text, across the borders of tokens. */
export function createTextRow(tokenizer: Pick<Tokenizer, 'decode'>, stopStrings: readonly string[]): TextRow {
  const stops = stopStrings.filter((stop) => stop !== '')
  const stream = createIdStream(tokenizer)
  let certain = ''
  let held = ''
  let stopString: string | null = null

  function take(fresh: string, last: boolean): string {
    held += fresh
    const found = firstOf(held, stops)
    if (found !== null) {
      stopString = found.stop
      held = held.slice(0, found.at)
    }
    const keep = found !== null || last ? 0 : longestBeginning(held, stops)
    const text = held.slice(0, held.length - keep)
    held = held.slice(held.length - keep)
    certain += text
    return text
  }
  return {
    push(id, last) {
      const text = take(stream.push(id) + (last ? stream.end() : ''), last)
      return { text, stopped: stopString !== null }
    },
    flush() {
      if (stopString === null) take(stream.end(), true)
    },
    get text() {
      return certain
    },
    get stopString() {
      return stopString
    },
  }
}

/** The stop string that begins first; of those that begin together, the longest. */
function firstOf(text: string, stops: readonly string[]): { readonly at: number; readonly stop: string } | null {
  let best: { readonly at: number; readonly stop: string } | null = null
  for (const stop of stops) {
    const at = text.indexOf(stop)
    if (at >= 0 && (best === null || at < best.at || (at === best.at && stop.length > best.stop.length)))
      best = { at, stop }
  }
  return best
}

/** Length of the longest end of the text with which a stop string begins. */
function longestBeginning(text: string, stops: readonly string[]): number {
  let longest = 0
  for (const stop of stops) {
    for (let length = Math.min(stop.length - 1, text.length); length > longest; length -= 1) {
      if (text.endsWith(stop.slice(0, length))) longest = length
    }
  }
  return longest
}

/** Tokens that must stand before a token for its text to be right: a decoder may drop the space of a row's first token. */
const CONTEXT_IDS = 6
const BROKEN = '�'

/** Whole characters as they become complete. A byte-level token may hold part of a character: it waits for the rest. */
function createIdStream(tokenizer: Pick<Tokenizer, 'decode'>): { push(id: number): string; end(): string } {
  let ids: number[] = []
  let shown = 0 // how many of `ids` are already told
  const step = (all: boolean): string => {
    const before = tokenizer.decode(ids.slice(0, shown))
    const now = tokenizer.decode(ids)
    if (!all && now.endsWith(BROKEN) && ids.length - shown < 8) return ''
    const text = now.slice(before.length)
    ids = ids.slice(Math.max(0, ids.length - CONTEXT_IDS))
    shown = ids.length
    // A context that begins in the middle of a character decodes as broken: begin where it is whole.
    while (ids.length > 0 && tokenizer.decode(ids).startsWith(BROKEN)) {
      ids = ids.slice(1)
      shown = ids.length
    }
    return text
  }
  return {
    push(id) {
      ids.push(id)
      return step(false)
    },
    end: () => (shown < ids.length ? step(true) : ''),
  }
}
