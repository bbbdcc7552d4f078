import type { DecoderConfig } from '../../main/core/learn/models/decoder.ts'

/** SmolLM2-135M's sizes: 134.5 million weights. */
export const SMOLLM2: DecoderConfig = {
  vocabSize: 49_152,
  layers: 30,
  hidden: 576,
  heads: 9,
  kvHeads: 3,
  headDim: 64,
  feedForward: 1536,
  ropeTheta: 100_000,
  normEpsilon: 1e-5,
  tiedEmbeddings: true,
  scoreHead: false,
}
