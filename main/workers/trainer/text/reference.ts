import type { Decoder, DecoderOptions } from '../../../core/learn/models/decoder.ts'
import { buildDecoder, type ModelStart } from '../model.ts'

/** The policy that training began with, and stays near. */
export interface Reference {
  /** Tells its weights from all others. */
  readonly hash: string
  /** Lends it for as long as the work takes; the policy in training is not used meanwhile. */
  use<T>(work: (reference: Decoder) => Promise<T>): Promise<T>
  /** From now on it stays in memory: for work at every step, for which reading it anew would take too long. */
  keep(): void
}

/** Beside adapters the frozen model is the reference, and takes no memory of its own; else it is read when it is wanted. */
export function openReference(start: ModelStart, decoder: Decoder, options: DecoderOptions): Reference {
  const hasAdapters = (options.lora ?? null) !== null
  const { frozenStorage = 'float32' } = options
  // Kept, and rounded, as the policy's frozen matrices are: at the first step the two are the same model.
  const kind = frozenStorage === 'float32' ? {} : options
  const rounded = frozenStorage !== 'float32' && frozenStorage !== 'stored'
  let kept: Decoder | null = null
  return {
    hash: rounded ? `${start.hash}-${frozenStorage}` : start.hash,
    async use(work) {
      if (hasAdapters) return decoder.withoutAdapters(() => work(decoder))
      if (kept !== null) return work(kept)
      const reference = buildDecoder(start, kind)
      try {
        return await work(reference)
      } finally {
        reference.dispose()
      }
    },
    keep() {
      if (!hasAdapters) kept ??= buildDecoder(start, kind)
    },
  }
}
