// What a step must compute, whoever computes it: the products of the decoder, forward and backward (after Chowdhery et al. 2022,
// PaLM, appendix B). What an engine computes twice, or leaves out, changes its time and not this.
import { kindOf, LORA, SHAPES, type ShapeName, type StepJob } from './engine-jobs.ts'

/** Floating-point operations of one step: a multiplication and an addition are two. */
export function stepFlops(shape: ShapeName, job: StepJob): number {
  const { config, rows, time } = SHAPES[shape]
  const { hidden, layers, heads, kvHeads, headDim, feedForward, vocabSize } = config
  const tokens = rows * time
  const answered = rows * (kindOf(job) === 'sft' ? time - 1 : time / 2)
  const layer = hidden * headDim * (2 * heads + 2 * kvHeads) + 3 * hidden * feedForward
  // Every query sees the keys up to its own: half of them.
  const attention = 2 * layers * rows * heads * headDim * time * time
  const products = 2 * (layers * layer * tokens + hidden * vocabSize * answered)
  if (!job.startsWith('lora-')) return 3 * (products + attention)
  // Frozen weights have no gradient of their own; the adapters have theirs.
  // What the seven linear layers read and write: q, k, v, o, and the three of the feed-forward network.
  const ends = 4 * hidden + headDim * (2 * heads + 2 * kvHeads) + 3 * (hidden + feedForward)
  const adapters = 2 * LORA.rank * ends * layers * tokens
  return 2 * products + 3 * attention + 3 * adapters
}
