import { tensorOf } from '../host-numbers.ts'
import { tf } from '../tf.ts'
import type { TextEmbedder } from '../models/embedder.ts'
import type { TextTokens } from '../models/encoder.ts'
import type { TextTokenizer } from '../tokens/text-tokenizer.ts'

export interface EmbedOptions {
  /** Longest text in tokens, its frame included; null: any. */
  readonly maxTokens: number | null
  /** Put before every text. */
  readonly prompt?: string
  /** Tokens of a batch, padding included. */
  readonly batchTokens?: number
  readonly onProgress?: (done: number, total: number) => void
  readonly signal?: { throwIfAborted(): void }
}

export interface Embeddings {
  readonly dim: number
  /** In the order of the texts, end to end [text · dim] */
  readonly vectors: Float32Array
  /** Texts that were longer than the limit and were cut at their end. */
  readonly cutCount: number
}

/** A batch of rows as tensors, padded on the right to the longest. The caller disposes of them. */
export function textTokens(rows: readonly (readonly number[])[], padId: number): TextTokens {
  const time = Math.max(1, ...rows.map((row) => row.length))
  const ids = new Int32Array(rows.length * time).fill(padId)
  const attention = new Float32Array(rows.length * time)
  rows.forEach((row, at) => {
    ids.set(row, at * time)
    attention.fill(1, at * time, at * time + row.length)
  })
  return {
    ids: tensorOf<tf.Rank.R2>(ids, [rows.length, time]),
    attention: tensorOf<tf.Rank.R2>(attention, [rows.length, time]),
  }
}

/**
 * Embeds texts of any number, the longest first, so that the rows of a batch are of nearly one length.
 * @throws RangeError for a text without a token, which no frame surrounds; the signal's reason
 */
export async function embedTexts(
  embedder: TextEmbedder,
  tokenizer: TextTokenizer,
  texts: readonly string[],
  options: EmbedOptions,
): Promise<Embeddings> {
  const { maxTokens, prompt = '', batchTokens = 4096, onProgress = () => undefined, signal } = options
  const encoded = texts.map((text) => tokenizer.encode(prompt + text, maxTokens ?? undefined))
  encoded.forEach((row, at) => {
    if (row.ids.length === 0) throw new RangeError(`text ${at + 1} has no token`)
  })
  const order = encoded
    .map((_row, at) => at)
    .toSorted((a, b) => encoded[b]!.ids.length - encoded[a]!.ids.length || a - b)
  const vectors = new Float32Array(texts.length * embedder.dim)
  for (let start = 0; start < order.length;) {
    signal?.throwIfAborted()
    const longest = encoded[order[start]!]!.ids.length
    const batch = order.slice(start, start + Math.max(1, Math.floor(batchTokens / longest)))
    const tokens = textTokens(
      batch.map((at) => encoded[at]!.ids),
      tokenizer.padId,
    )
    const rows = embedder.embed(tokens)
    const values = await rows.data<'float32'>()
    batch.forEach((at, row) =>
      vectors.set(values.subarray(row * embedder.dim, (row + 1) * embedder.dim), at * embedder.dim),
    )
    tf.dispose([rows, tokens.ids, tokens.attention])
    start += batch.length
    onProgress(start, order.length)
  }
  return { dim: embedder.dim, vectors, cutCount: encoded.filter((row) => row.cut).length }
}
