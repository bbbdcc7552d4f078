// Behaviour cloning of the best segments by return (Chen et al., NeurIPS 2021, §4): it looks at the true rewards.
import { z } from 'zod'
import { segmentReturns } from '../../../../shared/segments.ts'
import { topSegments } from '../control/control-batches.ts'
import { defineControlMethod } from '../control/control.ts'
import { cloneAll, CLONING_INFO, networkFields, PAPER_TRAINING, policyNetwork } from '../control/control-policy.ts'

export const percentBc = defineControlMethod({
  id: 'percent-bc',
  name: '%BC',
  summary: 'Copies the segments with the highest return',
  paper: { cite: 'Chen et al., NeurIPS 2021', url: 'https://arxiv.org/abs/2106.01345' },
  vectors: ['gaussian_policy'],
  equation: 'L = −E[log π(a|s) | return in the top X %]',
  deviations: [
    'Returns are those of segments and not of whole episodes, and a batch has whole segments in place of single transitions.',
    'log π is −‖a − μ(s)‖², as in CPL’s official code.',
  ],
  config: z.strictObject({
    topShare: z.number().gt(0).max(1).default(0.1).meta({
      title: 'Best share',
      symbol: 'X',
      help: 'Share of the segments, by their sum of true rewards, that is copied. An oracle: preferences alone do not give it.',
      group: 'main',
    }),
    ...networkFields,
  }),
  metrics: CLONING_INFO,
  presets: [
    {
      id: 'small',
      title: 'Small',
      note: 'For the worlds that come with Pairlab, on a processor.',
      config: { width: 64 },
      training: {
        steps: 1500,
        batchSize: 32,
        learningRate: 1e-3,
        warmupFraction: 0.02,
        schedule: 'constant',
        clipNorm: 0,
      },
    },
    {
      id: 'paper',
      title: 'CPL’s baseline',
      note: 'As in Hejna et al. (2024): the top 10 %, 500,000 steps at 1e-4 without a warm-up, batches of 1,024 transitions (percent_bc.yaml): 8 pairs of 64 steps, two layers of 512 units, dropout 0.25.',
      config: {},
      training: { ...PAPER_TRAINING, batchSize: 8 },
    },
  ],
  networks: (settings, sizes) => ({ policy: policyNetwork(settings, sizes) }),
  stages: (_settings, steps) => [{ name: 'bc', steps }],
  pairing: () => 'any',
  pool: ({ topShare }, set) => topSegments(segmentReturns(set), topShare),
  update: (step) => step.minimize(['policy'], () => cloneAll(step)),
})
