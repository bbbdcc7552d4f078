import type { LoraOptions } from './adapters.ts'
import type { FrozenStorage } from './frozen.ts'
import type { TensorSource } from './parameters.ts'

/** How a decoder is opened: what of it trains, and how the rest is kept. */
export interface DecoderOptions {
  /** Which parameters train; absent: all. The others are plain tensors, for which no gradient is computed. */
  readonly trainable?: (name: string) => boolean
  /** Low-rank adapters train, and nothing else. */
  readonly lora?: LoraOptions | null
  /** The adapters' first numbers; needed with `lora`. */
  readonly adapters?: TensorSource
  /** How matrices that do not train are kept; absent: float32. */
  readonly frozenStorage?: FrozenStorage
  /** Keep only what goes into each layer, and compute the rest again in the backward pass. */
  readonly recompute?: boolean
}
