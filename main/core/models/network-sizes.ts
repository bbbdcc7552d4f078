// What is known of a network from its configuration alone, as far as the memory of training it goes.
import { adapterShapes, type LoraOptions } from '../learn/models/adapters.ts'
import type { EncoderConfig } from '../learn/models/encoder-config.ts'
import { EMBEDDINGS, encoderAdapterShapes, encoderShapes } from '../learn/models/encoder-parameters.ts'
import { isLlamaLike, type DecoderConfig } from '../learn/models/model-config.ts'
import { outerNames, parameterShapes } from '../learn/models/parameters.ts'

type Shapes = Readonly<Record<string, readonly number[]>>

/** With its merges, which are as many: 150 MB beside SmolLM2. */
const MERGED_TOKEN_BYTES = 3000
/** A word piece alone: 32 MB beside all-MiniLM-L6-v2. */
const WORD_PIECE_BYTES = 1000

export interface NetworkSizes {
  /** Of every weight that is held. */
  readonly shapes: Shapes
  adapters(options: LoraOptions): Shapes
  /** Embeddings and the head that predicts tokens: what stays as it is when the embeddings do. */
  readonly outer: ReadonlySet<string>
  /** Trains beside adapters too. */
  readonly heads: ReadonlySet<string>
  /** Held and never read, and so without a gradient. */
  readonly unread: ReadonlySet<string>
  readonly hidden: number
  readonly layers: number
  readonly vocabSize: number
  /** What the tokenizer and the reading of its file leave behind in memory for each of its tokens. */
  readonly tokenBytes: number
  /** Numbers that one layer keeps of one token for the backward pass, in rows of so many tokens. */
  kept(longest: number): number
  /** Numbers that all layers keep of one token while a row is written: keys and values. */
  readonly cached: number
  /** Tokens of the longest row the network can take; null: any. */
  readonly maxTokens: number | null
}

/** @param use `vectors`: its last states are wanted, and its head is never read */
export function decoderSizes(config: DecoderConfig, use: 'tokens' | 'vectors' = 'tokens'): NetworkSizes {
  const { hidden, feedForward, heads, kvHeads, headDim, layers, vocabSize } = config
  const { embedding, positions, head } = outerNames(config)
  const [query, key] = [heads * headDim, kvHeads * headDim]
  return {
    shapes: parameterShapes(config),
    adapters: (options) => adapterShapes(config, options),
    outer: new Set([embedding, positions, head].map((name) => `${name}.weight`)),
    heads: new Set(['score.weight']),
    unread: new Set(use === 'vectors' ? [`${head}.weight`] : []),
    hidden,
    layers,
    vocabSize,
    tokenBytes: MERGED_TOKEN_BYTES,
    // The inputs of its norms and products, what goes into the activation, and attention's weights.
    kept: (longest) => 4 * hidden + 2 * query + 2 * key + heads * longest + (isLlamaLike(config) ? 3 : 2) * feedForward,
    cached: 2 * key * layers,
    maxTokens: config.maxPositions ?? null,
  }
}

/** @param head dense layers behind the pooling */
export function encoderSizes(config: EncoderConfig, head: Shapes = {}): NetworkSizes {
  const { hidden, feedForward, heads, layers, vocabSize } = config
  return {
    shapes: { ...encoderShapes(config), ...head },
    adapters: (options) => encoderAdapterShapes(config, options),
    outer: new Set(EMBEDDINGS.map((name) => `${name}.weight`)),
    heads: new Set(),
    unread: new Set(),
    hidden,
    layers,
    vocabSize,
    tokenBytes: WORD_PIECE_BYTES,
    // As above; norms stand behind the sums, which are kept too.
    kept: (longest) => 8 * hidden + heads * longest + 2 * feedForward,
    cached: 0,
    maxTokens: config.maxPositions,
  }
}
