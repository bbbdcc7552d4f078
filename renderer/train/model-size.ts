import { MODEL_PRESETS, type ModelPreset } from '../../shared/run-spec.ts'

/**
 * Weights of a decoder of this size: embeddings [vocab, hidden], once more for the head unless tied; a layer has
 * attention q and o [hidden, hidden], k and v [hidden, kvHeads · head], a SwiGLU of three [hidden, feedForward]
 * matrices and two norms; one norm at the end.
 */
export function countWeights(preset: ModelPreset, vocabulary: number, tied: boolean): number {
  const { layers, hidden, heads, kvHeads, feedForward } = MODEL_PRESETS[preset]
  const keyValue = (hidden / heads) * kvHeads
  const layer = 2 * hidden * hidden + 2 * hidden * keyValue + 3 * hidden * feedForward + 2 * hidden
  return vocabulary * hidden * (tied ? 1 : 2) + layers * layer + hidden
}

/** 612,000 → "0.6 M". */
export function formatWeights(count: number): string {
  return count < 1e6 ? `${Math.round(count / 1000)} k` : `${(count / 1e6).toFixed(count < 1e7 ? 1 : 0)} M`
}
