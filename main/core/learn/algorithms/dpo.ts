// Direct Preference Optimization (Rafailov et al., NeurIPS 2023), arXiv 2305.18290
import { z } from 'zod'
import { invariant } from '../../../../shared/assert.ts'
import { defineAlgorithm } from '../define.ts'
import { policyMetrics } from '../groups.ts'
import { sequenceLogRatios, softplus, splitPairs, weightedShare } from '../ops.ts'
import { lossInfo, POLICY_INFO } from '../pair-metrics.ts'
import { BY_WEIGHT, distancePenalty, SMALL_MODEL } from '../pair-page.ts'
import { forPretrained } from '../pretrained-presets.ts'
import { softPreference, useStrength } from '../preference-strength.ts'
import { tf } from '../tf.ts'

export interface DpoOptions {
  readonly beta: number
  /** ε: how often a label is taken to be wrong. */
  readonly labelSmoothing: number
  /** How ε enters: as soft labels (Mitchell 2023) or as an unbiased correction (Chowdhury et al., ICML 2024). */
  readonly smoothing: 'conservative' | 'robust'
}

/**
 * Eq. 7 with Δ = r(y⁺) − r(y⁻), r = log π − log π_ref, and p = P(y⁺ preferred):
 *   L(Δ) = −log σ(βΔ),   loss = p L_ε(Δ) + (1 − p) L_ε(−Δ)
 *   conservative: L_ε(Δ) = (1 − ε) L(Δ) + ε L(−Δ)
 *   robust:       L_ε(Δ) = [(1 − ε) L(Δ) − ε L(−Δ)] / (1 − 2ε)
 * @param difference Δ [pair]   @param preference p [pair]   @returns loss of each pair [pair]
 */
export function dpoLoss(
  difference: tf.Tensor1D,
  preference: tf.Tensor1D,
  { beta, labelSmoothing: epsilon, smoothing }: DpoOptions,
): tf.Tensor1D {
  const other = tf.sub(1, preference)
  const sign = smoothing === 'robust' ? -1 : 1
  const scale = smoothing === 'robust' ? 1 / (1 - 2 * epsilon) : 1
  const forWin = tf.mul(tf.add(tf.mul(preference, 1 - epsilon), tf.mul(other, sign * epsilon)), scale)
  const forLoss = tf.mul(tf.add(tf.mul(other, 1 - epsilon), tf.mul(preference, sign * epsilon)), scale)
  const logit = tf.mul(difference, beta)
  return tf.add(tf.mul(forWin, softplus(tf.neg(logit))), tf.mul(forLoss, softplus(logit))) as tf.Tensor1D
}

export const dpo = defineAlgorithm({
  id: 'dpo',
  name: 'DPO',
  summary: 'Preferred against other, by logistic regression',
  paper: { cite: 'Rafailov et al., NeurIPS 2023', url: 'https://arxiv.org/abs/2305.18290' },
  vectors: ['dpo'],
  equation: 'L = −log σ(β [log π(y⁺)/π_ref(y⁺) − log π(y⁻)/π_ref(y⁻)])',
  deviations: [
    'A soft label p, from a tie or from annotators who differ, gives p·L(Δ) + (1 − p)·L(−Δ); with p = 1 this is the paper’s loss.',
    'A weak preference is softened toward ½ by its strength (can be turned off); the paper’s labels have no strength.',
    BY_WEIGHT,
    'A tie in the rewards counts one half in the accuracy; TRL counts it as wrong.',
  ],
  data: 'response-pairs',
  role: 'policy',
  needsReference: true,
  config: z.strictObject({
    beta: distancePenalty(),
    labelSmoothing: z.number().min(0).lt(0.5).default(0).meta({
      title: 'Label smoothing',
      symbol: 'ε',
      help: 'The share of labels taken to be wrong; 0 trusts every label.',
      group: 'main',
    }),
    smoothing: z.enum(['conservative', 'robust']).default('conservative').meta({
      title: 'Kind of smoothing',
      help: 'Conservative uses softer labels; robust corrects the loss so that noise cancels on average.',
      group: 'expert',
    }),
    useStrength: useStrength(),
  }),
  metrics: [
    lossInfo('nats', 'Mean DPO loss. It starts at 0.693 (log 2), where policy and reference are equal, and falls.'),
    ...POLICY_INFO,
  ],
  mainMetric: 'eval/rewards/accuracies',
  presets: [
    {
      id: 'small',
      title: 'Small model',
      suits: ['new'],
      note: 'For Pairlab’s own models of up to a few million parameters.',
      config: { beta: 0.1 },
      training: SMALL_MODEL,
    },
    ...forPretrained('preference', { beta: 0.1 }),
    {
      id: 'paper',
      title: 'CoPG’s baseline',
      note: 'DPO as tuned in Flet-Berliac et al. (2024) on TL;DR with a 7 B model: β 0.1, Adam at 1e-6, batch 128, two epochs, 10 % warm-up.',
      config: { beta: 0.1 },
      training: { steps: 1800, batchSize: 128, learningRate: 1e-6, warmupFraction: 0.1, schedule: 'constant' },
    },
  ],
  loss({ network, batch, totals, config }) {
    invariant(batch.kind === 'pairs' && batch.reference !== null, 'DPO gets pairs with reference log-probs')
    const logProbs = network.tokenLogProbs(batch.tokens)
    const ratios = sequenceLogRatios(logProbs, batch.reference)
    const [chosen, rejected] = splitPairs(ratios, batch.pairs)
    const perPair = dpoLoss(tf.sub(chosen, rejected), softPreference(batch, config.useStrength), config)
    const loss = weightedShare(perPair, batch.weight, totals.weight)
    return { loss, metrics: { loss, ...policyMetrics(batch, totals, logProbs, batch.reference, ratios, config.beta) } }
  },
})
