// Language modeling: the likelihood of text itself (Radford et al., 2018), to make a base model where none is at hand.
import { z } from 'zod'
import { defineContrastMethod } from '../embed/contrast.ts'
import { EMBED_INFO } from '../embed/embed-metrics.ts'

export const languageModel = defineContrastMethod({
  id: 'language-model',
  name: 'Language modeling',
  summary: 'Learns to write as the texts of a data set are written',
  paper: { cite: 'Radford et al., 2018', url: 'https://cdn.openai.com/research-covers/language-unsupervised/language_understanding_paper.pdf' },
  vectors: ['seq_logprob_sft'],
  equation: 'L = −Σₜ log π(xₜ | x before t) / number of tokens',
  deviations: [
    'Every text of an item, query, positive, negatives or the text alone, is one row that begins and ends with the end-of-turn token; rows are not packed together.',
  ],
  data: 'contrast-groups',
  role: 'policy',
  models: ['decoder'],
  needsReference: false,
  learns: 'text',
  config: z.strictObject({}),
  metrics: [
    { name: 'loss', label: 'Loss', unit: 'nats/token', goal: 'min', help: 'Mean negative log-likelihood of a token. It falls; a held-out curve that turns up is over-fitting.' },
    ...EMBED_INFO,
  ],
  mainMetric: 'eval/loss',
  presets: [
    {
      id: 'small',
      title: 'Small model',
      note: 'Pre-trains a model of Pairlab’s own sizes from scratch on texts that were imported. A healthy run: held-out loss falls, flattens, and does not turn.',
      config: {},
      training: { steps: 500, batchSize: 32, learningRate: 3e-3, warmupFraction: 0.1, schedule: 'cosine' },
    },
    {
      id: 'paper',
      title: 'GPT',
      note: 'Radford et al. (2018): Adam to 2.5e-4 over a warm-up, then a cosine to 0, batch 64 of 512 tokens, 100 epochs, dropout 0.1.',
      config: {},
      training: { steps: 100_000, batchSize: 64, learningRate: 2.5e-4, warmupFraction: 0.02, schedule: 'cosine', dropout: 0.1, maxLength: 512 },
    },
  ],
})
