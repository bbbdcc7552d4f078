import type { Preset } from '../define.ts'

/** Of every ranker on texts: an embedding model that was trained elsewhere goes on from what it can do. */
export const PRETRAINED_ENCODER: Preset = {
  id: 'pretrained',
  title: 'Pre-trained',
  suits: ['pretrained', 'adapters'],
  note: 'For an encoder that was trained elsewhere: cosine at 0.05 (SimCSE, Gao et al., 2021) and 2e-5, the rate of BERT (Devlin et al., 2019) and of sentence-transformers’ recipes.',
  config: { similarity: 'cosine', temperature: 0.05 },
  training: { steps: 200, batchSize: 16, learningRate: 2e-5, warmupFraction: 0.1, schedule: 'linear' },
}
