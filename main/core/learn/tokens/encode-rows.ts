import { toText, type PreferenceRow } from '../../../../shared/data-kinds.ts'
import type { Tokenizer } from './tokenizer.ts'

/** A prompt and one completion as tokens; the completion ends with the end-of-turn token. */
export interface EncodedCompletion {
  readonly prompt: readonly number[]
  readonly completion: readonly number[]
  /** Completion as text, for rewards computed from it. */
  readonly text: string
}

/** A pair turned so that `chosen` is the side with preference ≥ ½. */
export interface EncodedPair {
  readonly pairId: string
  readonly promptText: string
  readonly chosen: EncodedCompletion
  readonly rejected: EncodedCompletion
  /** P(chosen preferred), ½ to 1. */
  readonly preference: number
  readonly strength: number
  readonly weight: number
  /** True where `chosen` is the record's `b`. */
  readonly swapped: boolean
  /** This prompt with the completions of another one; only where the method asks for it. */
  readonly mismatched?: { readonly chosen: EncodedCompletion; readonly rejected: EncodedCompletion }
}

export interface EncodedRows {
  readonly pairs: readonly EncodedPair[]
  /** Share of completions or prompts that lost tokens to the longest length. */
  readonly cutShare: number
  readonly longest: number
}

interface Cut {
  readonly prompt: number[]
  readonly completion: number[]
  readonly wasCut: boolean
}

/**
 * Cuts prompt and completion to `maxLength` tokens together: completions at their end, and no longer than half the
 * room unless the prompt leaves more; prompts at their start, because what stands next to the completion tells most.
 * The end-of-turn token is dropped with the end it stood for.
 */
export function cutToLength(prompt: readonly number[], completion: readonly number[], maxLength: number): Cut {
  if (prompt.length + completion.length <= maxLength)
    return { prompt: [...prompt], completion: [...completion], wasCut: false }
  const forCompletion = Math.min(completion.length, Math.max(Math.floor(maxLength / 2), maxLength - prompt.length))
  const forPrompt = Math.min(prompt.length, maxLength - forCompletion)
  return {
    prompt: prompt.slice(prompt.length - forPrompt),
    completion: completion.slice(0, forCompletion),
    wasCut: true,
  }
}

/**
 * Tokens of a prompt as a completion follows it. An empty prompt becomes the end-of-turn token, so that the first
 * completion token is predicted from something.
 */
export function encodePrompt(tokenizer: Tokenizer, text: string): number[] {
  const ids = tokenizer.encode(text)
  return ids.length === 0 ? [tokenizer.endId] : [...ids, tokenizer.endId]
}

/** Turns records into tokens. An empty completion keeps its end-of-turn token. */
export function encodeRows(rows: readonly PreferenceRow[], tokenizer: Tokenizer, maxLength: number): EncodedRows {
  let cut = 0
  let longest = 0
  const encode = (prompt: readonly number[], text: string): EncodedCompletion => {
    const whole = cutToLength(prompt, [...tokenizer.encode(text), tokenizer.endId], maxLength)
    if (whole.wasCut) cut += 1
    longest = Math.max(longest, whole.prompt.length + whole.completion.length)
    return { prompt: whole.prompt, completion: whole.completion, text }
  }
  const pairs = rows.map((row): EncodedPair => {
    const promptText = toText(row.prompt)
    const prompt = encodePrompt(tokenizer, promptText)
    const a = encode(prompt, toText(row.a))
    const b = encode(prompt, toText(row.b))
    const swapped = row.preferenceA < 0.5
    return {
      pairId: row.pairId,
      promptText,
      chosen: swapped ? b : a,
      rejected: swapped ? a : b,
      preference: swapped ? 1 - row.preferenceA : row.preferenceA,
      strength: row.strength,
      weight: row.weight,
      swapped,
    }
  })
  return { pairs, cutShare: rows.length === 0 ? 0 : cut / (2 * rows.length), longest }
}

/** Each pair's prompt with the completions of the next pair that has another prompt (of the next one, if all share one). */
export function withMismatched(pairs: readonly EncodedPair[], maxLength: number): readonly EncodedPair[] {
  return pairs.map((pair, at) => {
    let step = 1
    while (step < pairs.length && pairs[(at + step) % pairs.length]?.promptText === pair.promptText) step += 1
    const other = pairs[(at + (step < pairs.length ? step : 1)) % pairs.length] ?? pair
    const join = (completion: EncodedCompletion): EncodedCompletion => {
      const cut = cutToLength(pair.chosen.prompt, completion.completion, maxLength)
      return { prompt: cut.prompt, completion: cut.completion, text: completion.text }
    }
    return { ...pair, mismatched: { chosen: join(other.chosen), rejected: join(other.rejected) } }
  })
}
