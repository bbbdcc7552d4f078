// Binary Classifier Optimization (Jung et al., ACL 2025), arXiv 2404.04656
import { z } from 'zod'
import { invariant } from '../../../../shared/assert.ts'
import { defineAlgorithm } from '../define.ts'
import { policyMetrics } from '../groups.ts'
import { sequenceLogRatios, softplus, weightedShare } from '../ops.ts'
import { answersShare, desirability, judgedMetrics, JUDGED_INFO } from '../judged-sides.ts'
import { lossInfo, POLICY_INFO } from '../pair-metrics.ts'
import { BY_STRENGTH, BY_WEIGHT, distancePenalty, SMALL_MODEL } from '../pair-page.ts'
import { forPretrained } from '../pretrained-presets.ts'
import { overLabel, useStrength } from '../preference-strength.ts'
import { tf } from '../tf.ts'

/**
 * Eq. 12 with r = β (log π − log π_ref) of each answer, δ without gradient, and d = P(the answer is desirable):
 *   −d log σ(r − δ) − (1 − d) log σ(−(r − δ))
 * @param rewards r [row]   @param desirable d [row]   @param shift δ   @returns [row]
 */
export function bcoLoss(rewards: tf.Tensor1D, desirable: tf.Tensor1D, shift: number): tf.Tensor1D {
  return overLabel(desirable, softplus(tf.sub(shift, rewards)), softplus(tf.sub(rewards, shift)))
}

export const bco = defineAlgorithm({
  id: 'bco',
  name: 'BCO',
  summary: 'A classifier of good and bad answers, one by one',
  paper: { cite: 'Jung et al., ACL 2025', url: 'https://arxiv.org/abs/2404.04656' },
  vectors: ['bco', 'unpaired'],
  equation: 'L = −log σ(r⁺ − δ) − log σ(−(r⁻ − δ)),   r = β log π/π_ref,   δ = mean of all r',
  deviations: [
    'δ is the mean over the optimizer’s batch, weighted as the loss is; the authors and TRL keep a running mean over steps. So a run that goes on needs no memory of it; with small batches it is noisier.',
    'The paper’s density ratio, which weighs bad answers to prompts that the good ones rarely have, is left out: both sides of a pair have the same prompt, and answers that stand alone are taken as they are.',
    'A soft label p gives p·L(r⁺, r⁻) + (1 − p)·L(r⁻, r⁺); with p = 1 this is the paper’s loss.',
    'Both answers of a pair labeled “both bad” are taken as bad, and count in δ like all others.',
    BY_STRENGTH,
    BY_WEIGHT,
  ],
  data: 'response-pairs',
  role: 'policy',
  needsReference: true,
  judgesEach: true,
  answers: 'judged',
  config: z.strictObject({
    beta: distancePenalty(),
    useStrength: useStrength(),
  }),
  metrics: [
    lossInfo(
      'nats',
      'Mean BCO loss. It starts at 1.386 (2 log 2; on answers that stand alone at 0.693), where policy and reference are equal, and falls.',
    ),
    {
      name: 'bco/delta',
      label: 'Reward shift δ',
      unit: 'nats',
      goal: 'none',
      help: 'Mean reward of all completions of a batch: the line between good and bad. If it runs away, the policy moves on both sides at once.',
    },
    ...POLICY_INFO,
    ...JUDGED_INFO,
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
  ],
  before({ network, batch, totals, config }) {
    invariant(batch.kind !== 'groups' && batch.reference !== null, 'BCO gets answers with reference log-probs')
    const ratios = sequenceLogRatios(network.tokenLogProbs(batch.tokens), batch.reference)
    return answersShare(tf.mul(ratios, config.beta) as tf.Tensor1D, batch, totals, 0.5)
  },
  loss({ network, batch, totals, config }) {
    invariant(batch.kind !== 'groups' && batch.reference !== null, 'BCO gets answers with reference log-probs')
    const logProbs = network.tokenLogProbs(batch.tokens)
    const ratios = sequenceLogRatios(logProbs, batch.reference)
    const rewards = tf.mul(ratios, config.beta) as tf.Tensor1D
    const shift = totals.before ?? 0
    const rows = bcoLoss(rewards, desirability(batch, config.useStrength), shift)
    const loss = answersShare(rows, batch, totals, 1)
    return {
      loss,
      metrics: {
        loss,
        'bco/delta': weightedShare(tf.fill(batch.weight.shape, shift) as tf.Tensor1D, batch.weight, totals.weight),
        ...policyMetrics(batch, totals, logProbs, batch.reference, ratios, config.beta),
        ...judgedMetrics(batch, totals, rewards, shift),
      },
    }
  },
})
