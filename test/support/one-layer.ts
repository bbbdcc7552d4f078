import { presetConfig, type DecoderConfig } from '../../main/core/learn/models/decoder.ts'

/** A decoder whose gradients are computed at once. */
export function oneLayer(vocabSize: number): DecoderConfig {
  return {
    ...presetConfig('nano', vocabSize),
    layers: 1,
    hidden: 8,
    heads: 2,
    kvHeads: 2,
    headDim: 4,
    feedForward: 12,
  }
}
