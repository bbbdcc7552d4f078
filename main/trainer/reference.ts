import type { Decoder } from '../learn/models/decoder.ts'
import { buildDecoder, type ModelStart } from './model.ts'

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
export function openReference(start: ModelStart, decoder: Decoder, hasAdapters: boolean): Reference {
  let kept: Decoder | null = null
  return {
    hash: start.hash,
    async use(work) {
      if (hasAdapters) return decoder.withoutAdapters(() => work(decoder))
      if (kept !== null) return work(kept)
      const reference = buildDecoder(start)
      try {
        return await work(reference)
      } finally {
        reference.dispose()
      }
    },
    keep() {
      if (!hasAdapters) kept ??= buildDecoder(start)
    },
  }
}
