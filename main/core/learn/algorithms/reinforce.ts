// REINFORCE (Williams, 1992) on logged samples, with every baseline that the CoPG paper compares (arXiv 2406.19185, §4).
import { z } from 'zod'
import { invariant } from '../../../../shared/assert.ts'
import { rewardSource } from '../../../../shared/run-spec.ts'
import { defineAlgorithm } from '../define.ts'
import { policyMetrics } from '../groups.ts'
import { sequenceLogRatios } from '../ops.ts'
import { lossInfo, POLICY_INFO } from '../pair-metrics.ts'
import { SMALL_MODEL } from '../pair-page.ts'
import { forPretrained } from '../pretrained-presets.ts'
import { ADVANTAGE_INFO, policyGradientShare, type Baseline } from './rloo.ts'

const BASELINES = {
  none: 'none',
  constant: 'constant',
  value: 'constant',
  'group-mean': 'group-mean',
  'leave-one-out': 'rloo',
} as const satisfies Record<string, Baseline>

export const reinforce = defineAlgorithm({
  id: 'reinforce',
  name: 'REINFORCE, off-policy',
  summary: 'Policy gradient on logged answers; biased but for one baseline',
  paper: { cite: 'Williams, Machine Learning 1992', url: 'https://doi.org/10.1007/BF00992696' },
  vectors: ['policy_gradient'],
  equation: 'L = −sg(R_β(y) − b) · log π(y),   R_β = R − β·log π/π_ref',
  deviations: [
    'The samples are logged and not the policy’s own, so the gradient is biased: where it settles depends on who wrote the data. It is here to be compared with. Only the leave-one-out baseline is free of this; with it the gradient is CoPG’s.',
    'The value baseline is the mean reward of the batch and not a learned function.',
    'No importance weights: they need the probability under whoever wrote the data, which is not known.',
    'Each prompt’s loss is the mean over its completions, multiplied by its weight and divided by the batch’s total weight.',
  ],
  data: 'response-pairs',
  role: 'policy',
  needsReference: true,
  rewards: (value) => value.rewards,
  groupSize: (value) => (value.groupSize === 2 ? null : value.groupSize),
  config: z.strictObject({
    beta: z.number().min(0).max(100).default(0.2).meta({
      title: 'Distance penalty',
      symbol: 'β',
      help: 'Weight of the KL to the reference inside the reward.',
      group: 'main',
    }),
    baseline: z.enum(['none', 'constant', 'value', 'group-mean', 'leave-one-out']).default('value').meta({
      title: 'Baseline',
      symbol: 'b',
      help: 'What is subtracted from the reward: nothing, a number, the batch’s mean, the mean of the prompt’s completions, or the mean of the others of them.',
      group: 'main',
    }),
    constant: z
      .number()
      .default(0)
      .meta({ title: 'Constant baseline', help: 'Read only where the baseline is a number.', group: 'expert' }),
    rewards: rewardSource
      .default({ kind: 'label' })
      .meta({ title: 'Reward', help: 'Where the number of each completion comes from.', group: 'main' }),
    standardise: z.boolean().default(true).meta({
      title: 'Standardize rewards',
      help: 'Subtract the mean and divide by the standard deviation over the training set, once. Rewards from the labels are left alone.',
      group: 'expert',
    }),
    groupSize: z
      .int()
      .min(2)
      .max(16)
      .default(2)
      .meta({ title: 'Completions per prompt', symbol: 'k', help: '2 takes the pairs as they are.', group: 'expert' }),
  }),
  metrics: [
    {
      ...lossInfo(
        '',
        'The policy-gradient surrogate. Its value says nothing, only its gradient does. Without a baseline it can fall without end while all log-probs rise or fall together.',
      ),
      goal: 'none',
    },
    ADVANTAGE_INFO,
    ...POLICY_INFO,
  ],
  mainMetric: 'eval/rewards/accuracies',
  presets: [
    {
      id: 'small',
      title: 'Small model',
      suits: ['new'],
      note: 'For Pairlab’s own models. A healthy run: the margin rises while the preferred log-prob does not fall. Log-probs of both sides that run off together are the bias of the baseline.',
      config: {},
      training: SMALL_MODEL,
    },
    ...forPretrained('policy-gradient'),
    {
      id: 'paper',
      title: 'CoPG’s bandit',
      note: 'The policy gradients of Flet-Berliac et al. (2024) are shown on the bandit of §5.1 with β 0.5, without a baseline and with a value baseline; the reproduction copg-bandit has it in full.',
      config: { beta: 0.5, baseline: 'none', standardise: false },
      training: { steps: 2000, batchSize: 512, learningRate: 1e-3, warmupFraction: 0, schedule: 'constant' },
    },
  ],
  loss({ network, batch, totals, config }) {
    invariant(batch.reference !== null, 'REINFORCE gets reference log-probs')
    const logProbs = network.tokenLogProbs(batch.tokens)
    const ratios = sequenceLogRatios(logProbs, batch.reference)
    const constant = config.baseline === 'value' ? (totals.rewardMean ?? 0) : config.constant
    const { loss, spread } = policyGradientShare(batch, totals, logProbs, ratios, {
      beta: config.beta,
      baseline: BASELINES[config.baseline],
      constant,
    })
    return {
      loss,
      metrics: {
        loss,
        [ADVANTAGE_INFO.name]: spread,
        ...policyMetrics(batch, totals, logProbs, batch.reference, ratios, config.beta),
      },
    }
  },
})
