import { MODEL_PRESETS, type ModelPreset } from '../../../../shared/run-spec.ts'

/** Which checkpoint layout the weights have: their names, their orientation and the order of the operations. */
export type Family = 'llama' | 'mistral' | 'qwen2' | 'qwen3' | 'gpt2'

/** `exact` is x · Φ(x); `tanh` the approximation that GPT-2 was trained with (Hendrycks and Gimpel, 2016). */
export type GeluForm = 'exact' | 'tanh'

/** How rotary positions reach past the length a model was trained on. */
export type RopeScaling =
  | { readonly kind: 'linear'; readonly factor: number }
  /** Changes nothing up to the trained length; longer sequences are refused. */
  | { readonly kind: 'dynamic'; readonly factor: number }
  | {
      readonly kind: 'llama3'
      readonly factor: number
      readonly lowFrequencyFactor: number
      readonly highFrequencyFactor: number
      readonly originalLength: number
    }

export interface DecoderConfig {
  /** Absent: llama. */
  readonly family?: Family
  readonly vocabSize: number
  readonly layers: number
  readonly hidden: number
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
  readonly feedForward: number
  /** Read by every family but gpt2, whose positions are learned. */
  readonly ropeTheta: number
  readonly ropeScaling?: RopeScaling | null
  /** Longest sequence the model knows; needed by gpt2 and by dynamic scaling. */
  readonly maxPositions?: number
  readonly normEpsilon: number
  /** Biases of the query, key and value layers, of the attention's output, and of the feed-forward layers. */
  readonly attentionBias?: boolean
  readonly outputBias?: boolean
  readonly mlpBias?: boolean
  /** RMS norm of each head's queries and keys before they are turned (Qwen3). */
  readonly qkNorm?: boolean
  /** How many tokens one attends to, itself included; null or absent: all before it. */
  readonly window?: number | null
  /** The activation of gpt2's feed-forward layer. */
  readonly gelu?: GeluForm
  /** The head shares the embedding's weights. */
  readonly tiedEmbeddings: boolean
  /** Adds a scalar head (a reward model's). */
  readonly scoreHead: boolean
}

/** The same operations as Llama in the same order, with other biases and norms. */
export function isLlamaLike(config: DecoderConfig): boolean {
  return config.family !== 'gpt2'
}

export function presetConfig(
  preset: ModelPreset,
  vocabSize: number,
  options: { readonly tiedEmbeddings?: boolean; readonly scoreHead?: boolean } = {},
): DecoderConfig {
  const size = MODEL_PRESETS[preset]
  return {
    ...size,
    vocabSize,
    headDim: size.hidden / size.heads,
    ropeTheta: 10_000,
    normEpsilon: 1e-5,
    tiedEmbeddings: options.tiedEmbeddings ?? true,
    scoreHead: options.scoreHead ?? false,
  }
}

/** @throws RangeError for a position the model does not know */
export function checkedPositions(
  { maxPositions = Number.POSITIVE_INFINITY }: Pick<DecoderConfig, 'maxPositions'>,
  positions: Int32Array,
): Int32Array {
  for (const position of positions)
    if (position >= maxPositions)
      throw new RangeError(`the model knows ${maxPositions} positions, and a sequence is longer`)
  return positions
}
