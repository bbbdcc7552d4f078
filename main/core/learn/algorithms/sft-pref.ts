// Supervised fine-tuning on preferred segments, the baseline called SFT in Hejna et al., ICLR 2024, arXiv 2310.13639, §4
import { z } from 'zod'
import { defineControlMethod, type SegmentBatch } from '../control/control.ts'
import {
  cloneAll,
  cloneWeighted,
  CLONING_INFO,
  networkFields,
  PAPER_TRAINING,
  policyNetwork,
  splitStages,
} from '../control/control-policy.ts'
import { tf } from '../tf.ts'

/** 1 on the steps of preferred segments, and of both in a tie [2·pair, time] */
export function preferredWeights({ labels, mask }: Pick<SegmentBatch, 'labels' | 'mask'>): tf.Tensor2D {
  return tf.tidy(() => {
    const chosen = [...labels.map((label) => (label <= 0.5 ? 1 : 0)), ...labels.map((label) => (label >= 0.5 ? 1 : 0))]
    return tf.mul(mask, tf.tensor2d(chosen, [chosen.length, 1]))
  })
}

export const sftPref = defineControlMethod({
  id: 'sft-pref',
  name: 'SFT on preferred',
  summary: 'Copies all segments, then only the preferred ones',
  paper: { cite: 'Hejna et al., ICLR 2024', url: 'https://arxiv.org/abs/2310.13639' },
  vectors: ['gaussian_policy'],
  equation: 'L = −E log π(a⁺|s⁺)',
  deviations: ['log π is −‖a − μ(s)‖², as in the official code.'],
  config: z.strictObject({
    pairing: z.enum(['comparison', 'rank']).default('comparison').meta({
      title: 'Pairs',
      help: 'Comparison takes the judged pairs; rank compares any two scored segments.',
      group: 'main',
    }),
    bcShare: z.number().min(0).lt(1).default(0.4).meta({
      title: 'Cloning first',
      unit: 'of steps',
      help: 'Share of the steps in which all segments are copied. The optimizer and its schedule go on behind it.',
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
        steps: 3000,
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
      note: 'As in Hejna et al. (2024): 200,000 steps on all segments and 300,000 on preferred ones at 1e-4 without a warm-up (sft.yaml), batches of 96 pairs of 64 steps, two layers of 512 units, dropout 0.25.',
      config: {},
      training: PAPER_TRAINING,
    },
  ],
  networks: (settings, sizes) => ({ policy: policyNetwork(settings, sizes) }),
  stages: ({ bcShare }, steps) => splitStages(steps, bcShare, [{ name: 'bc' }, { name: 'preferred', continues: true }]),
  pairing: (settings) => settings.pairing,
  update: (step) =>
    step.minimize(['policy'], () =>
      step.stage === 'bc' ? cloneAll(step) : cloneWeighted(step, preferredWeights(step.batch)),
    ),
})
