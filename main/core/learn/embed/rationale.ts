import { chunkedByTokens } from '../batch-totals.ts'
import type { Decoder } from '../models/decoder.ts'
import { gatherRows, scatterRows } from '../models/fused.ts'
import { packSequences } from '../models/packing.ts'
import type { AskedText, TextFormat } from '../tokens/text-format.ts'
import type { Tokenizer } from '../tokens/tokenizer.ts'
import { tf } from '../tf.ts'

// A text, asked to be thought about: the prompt P(x) of GRACE (arXiv 2510.04506, §3), and the vector of what is read
// and written.

/** Asks for what the paper's prompt asks for, in words of our own. */
export const RATIONALE_SYSTEM =
  'Read the text that follows and analyze it. Write down your reasoning within <think> and </think>: what it is about, what it says, what it implies. Aim at a comprehensive understanding.'

/** P(x) = system prompt and text in the model's own layout; `systemTokens` is L_sys. */
export type RationalePrompt = AskedText

/** The same text without being asked for anything: what is embedded where no rationale is written. */
export function plainPrompt(
  tokenizer: Tokenizer,
  { opening }: Pick<TextFormat, 'opening'>,
  text: string,
  maxTokens: number,
): RationalePrompt {
  const own = tokenizer.encode(text).slice(0, Math.max(1, maxTokens - opening.length))
  const ids = [...opening, ...own]
  return { ids: ids.length === 0 ? [tokenizer.endId] : ids, systemTokens: 0 }
}

export interface SpanRow {
  readonly ids: readonly number[]
  /** The first token that counts; a row that has no further one counts whole. */
  readonly from: number
}

/** Which tokens of P(x) and its rationale are averaged: everything after the system prompt (Eq. 11), or the rationale alone. */
export function spanOf(
  prompt: RationalePrompt,
  rationale: readonly number[],
  span: 'after-system' | 'rationale',
): SpanRow {
  const ids = [...prompt.ids, ...rationale]
  return { ids, from: span === 'rationale' && rationale.length > 0 ? prompt.ids.length : prompt.systemTokens }
}

/** Mean of the last hidden states, after the final norm, over each row's span; differentiable. → [row, hidden] */
export function embedSpans(decoder: Decoder, rows: readonly SpanRow[]): tf.Tensor2D {
  return tf.tidy(() => {
    const packing = packSequences(rows.map((row) => row.ids))
    const states = decoder.hiddenStates(packing)
    const slots = packing.firsts === null ? states : gatherRows(states, packing.members)
    const rowOf = new Int32Array(packing.members.length)
    const weights = new Float32Array(packing.members.length)
    rows.forEach((row, at) => {
      const start = packing.offsets[at]!
      const length = packing.offsets[at + 1]! - start
      const from = row.from < length ? row.from : 0
      rowOf.fill(at, start, start + length)
      weights.fill(1 / (length - from), start + from, start + length)
    })
    return scatterRows(tf.mul(slots, tf.tensor2d(weights, [weights.length, 1])), rowOf, rows.length)
  })
}

/** Of one pass while nothing is learned: rows, and their tokens. */
export const LOOKED_AT_ONCE = { rows: 32, tokens: 8192 } as const

/** Tokens of the fullest such pass. @param longest tokens of a row */
export function lookedTokens(longest: number): number {
  return Math.min(LOOKED_AT_ONCE.rows * longest, Math.max(longest, LOOKED_AT_ONCE.tokens))
}

/** The same as numbers, in passes of a few rows. [row] of [hidden] @param breathe is told how many rows are done */
export async function embedSpanValues(
  decoder: Decoder,
  rows: readonly SpanRow[],
  breathe: (done: number) => Promise<void>,
): Promise<Float32Array[]> {
  const result: Float32Array[] = []
  for (const part of chunkedByTokens(rows, LOOKED_AT_ONCE.rows, LOOKED_AT_ONCE.tokens, ({ ids }) => ids.length)) {
    const tensor = embedSpans(decoder, part)
    const values = await tensor.data<'float32'>()
    const { hidden } = decoder.config
    for (const at of part.keys()) result.push(values.slice(at * hidden, (at + 1) * hidden))
    tensor.dispose()
    await breathe(result.length)
  }
  return result
}
