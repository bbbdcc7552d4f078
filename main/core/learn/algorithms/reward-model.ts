// Bradley–Terry reward model (Christiano et al., NeurIPS 2017; Ouyang et al., NeurIPS 2022), arXiv 2203.02155
import { z } from 'zod'
import { invariant } from '../../../../shared/assert.ts'
import { defineAlgorithm } from '../define.ts'
import { softplus, splitPairs, weightedShare } from '../ops.ts'
import { lossInfo, rewardMetrics } from '../pair-metrics.ts'
import { BY_STRENGTH, BY_WEIGHT } from '../pair-page.ts'
import { forPretrained } from '../pretrained-presets.ts'
import { overLabel, softPreference, useStrength } from '../preference-strength.ts'
import { tf } from '../tf.ts'

export interface RewardModelOptions {
  /** m: how far apart the scores of a pair should at least be. */
  readonly margin: number
  /** c: pulls the two scores of a pair toward opposite values (Eisenstein et al. 2023), which fixes the free constant. */
  readonly centering: number
}

/**
 * Eq. 1 with a margin (Touvron et al. 2023, eq. 2), centering, and p = P(y⁺ preferred):
 *   loss = −p log σ(R⁺ − R⁻ − m) − (1 − p) log σ(R⁻ − R⁺ − m) + c (R⁺ + R⁻)²
 * @param chosen R⁺ [pair]   @param rejected R⁻ [pair]   @param preference p [pair]   @returns loss of each pair [pair]
 */
export function rewardModelLoss(
  chosen: tf.Tensor1D,
  rejected: tf.Tensor1D,
  preference: tf.Tensor1D,
  { margin, centering }: RewardModelOptions,
): tf.Tensor1D {
  const difference = tf.sub(chosen, rejected)
  const win = softplus(tf.sub(margin, difference))
  const lose = softplus(tf.add(difference, margin))
  const ranking = overLabel(preference, win as tf.Tensor1D, lose as tf.Tensor1D)
  if (centering === 0) return ranking
  return tf.add(ranking, tf.mul(tf.square(tf.add(chosen, rejected)), centering))
}

export const rewardModel = defineAlgorithm({
  id: 'reward-model',
  name: 'Reward model',
  summary: 'Scores a completion with a number',
  paper: { cite: 'Ouyang et al., NeurIPS 2022', url: 'https://arxiv.org/abs/2203.02155' },
  vectors: ['reward_model_bt'],
  equation: 'L = −log σ(R(y⁺) − R(y⁻) − m) + c (R(y⁺) + R(y⁻))²',
  deviations: [
    'A soft label p gives the cross-entropy with p in place of 1; with p = 1 this is the paper’s loss.',
    BY_STRENGTH,
    BY_WEIGHT,
    'A margin and a centering term are offered, both 0 in the paper.',
  ],
  data: 'response-pairs',
  role: 'reward-model',
  needsReference: false,
  config: z.strictObject({
    margin: z.number().min(0).max(100).default(0).meta({
      title: 'Margin',
      symbol: 'm',
      help: 'How far apart the two scores should at least be; 0 is the plain model.',
      group: 'expert',
    }),
    centering: z.number().min(0).max(10).default(0.01).meta({
      title: 'Centering',
      symbol: 'c',
      help: 'Keeps scores around 0, which the ranking alone leaves free. 0 turns it off.',
      group: 'expert',
    }),
    useStrength: useStrength(),
  }),
  metrics: [
    lossInfo(
      'nats',
      'Cross-entropy of the predicted preference. 0.693 (log 2) is guessing; a held-out curve that turns up is over-fitting.',
    ),
    {
      name: 'rewards/chosen',
      label: 'Score, preferred',
      unit: '',
      goal: 'none',
      help: 'Mean score of the preferred completions.',
    },
    {
      name: 'rewards/rejected',
      label: 'Score, other',
      unit: '',
      goal: 'none',
      help: 'Mean score of the completions that were not preferred. It should fall below the preferred side.',
    },
    {
      name: 'rewards/margins',
      label: 'Score margin',
      unit: '',
      goal: 'max',
      help: 'Score of the preferred completion minus that of the other. It rises; if it grows far while held-out accuracy stands, the model is over-confident.',
    },
    {
      name: 'rewards/accuracies',
      label: 'Preference accuracy',
      unit: 'fraction',
      goal: 'max',
      help: 'How often the preferred completion has the higher score. A tie counts one half; 0.5 is guessing.',
    },
  ],
  mainMetric: 'eval/rewards/accuracies',
  presets: [
    {
      id: 'small',
      title: 'Small model',
      suits: ['new'],
      note: 'For Pairlab’s own models of up to a few million parameters.',
      config: { centering: 0.01 },
      training: {
        steps: 200,
        batchSize: 16,
        learningRate: 5e-4,
        warmupFraction: 0.1,
        schedule: 'cosine',
        weightDecay: 0.01,
      },
    },
    ...forPretrained('reward-model', { centering: 0.01 }),
    {
      id: 'paper',
      title: 'CoPG’s rewards',
      note: 'The reward model of Flet-Berliac et al. (2024) on TL;DR with a 7 B model: 1e-6, batch 128, two epochs, 10 % warm-up.',
      config: { margin: 0, centering: 0 },
      training: { steps: 1800, batchSize: 128, learningRate: 1e-6, warmupFraction: 0.1, schedule: 'constant' },
    },
  ],
  loss({ network, batch, totals, config }) {
    invariant(batch.kind === 'pairs', 'the reward model gets pairs')
    const rewards = network.score(batch.tokens)
    const [chosen, rejected] = splitPairs(rewards, batch.pairs)
    const perPair = rewardModelLoss(chosen, rejected, softPreference(batch, config.useStrength), config)
    const loss = weightedShare(perPair, batch.weight, totals.weight)
    return { loss, metrics: { loss, ...rewardMetrics({ batch, totals, rewards }) } }
  },
})
