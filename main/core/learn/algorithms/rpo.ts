// DPO with a likelihood term (Pang et al., NeurIPS 2024, "Iterative Reasoning Preference Optimization"), arXiv 2404.19733
import { z } from 'zod'
import { invariant } from '../../../../shared/assert.ts'
import { defineAlgorithm } from '../define.ts'
import { policyMetrics } from '../groups.ts'
import {
  completionLengths,
  meanOverTokens,
  sequenceLogProbs,
  sequenceLogRatios,
  splitPairs,
  weightedShare,
} from '../ops.ts'
import { lossInfo, POLICY_INFO } from '../pair-metrics.ts'
import { BY_STRENGTH, BY_WEIGHT, distancePenalty, SMALL_MODEL } from '../pair-page.ts'
import { forPretrained } from '../pretrained-presets.ts'
import { overLabel, softPreference, useStrength } from '../preference-strength.ts'
import { tf } from '../tf.ts'
import { dpoLoss } from './dpo.ts'

export interface RpoOptions {
  readonly beta: number
  /** α */
  readonly likelihoodWeight: number
}

/**
 * Eq. 1 with Δ = r(y⁺) − r(y⁻), r = log π − log π_ref, and p = P(y⁺ preferred):
 *   loss = DPO(Δ, p) − α [p log π(y⁺)/|y⁺| + (1 − p) log π(y⁻)/|y⁻|]
 * @param difference Δ [pair]   @param chosen log π(y⁺)/|y⁺| [pair]   @param rejected log π(y⁻)/|y⁻| [pair]
 * @param preference p [pair]   @returns [pair]
 */
export function rpoLoss(
  difference: tf.Tensor1D,
  chosen: tf.Tensor1D,
  rejected: tf.Tensor1D,
  preference: tf.Tensor1D,
  { beta, likelihoodWeight }: RpoOptions,
): tf.Tensor1D {
  const plain = dpoLoss(difference, preference, { beta, labelSmoothing: 0, smoothing: 'conservative' })
  return tf.sub(plain, tf.mul(overLabel(preference, chosen, rejected), likelihoodWeight)) as tf.Tensor1D
}

export const rpo = defineAlgorithm({
  id: 'rpo',
  name: 'DPO + NLL (RPO)',
  summary: 'DPO that keeps the preferred likely',
  paper: { cite: 'Pang et al., NeurIPS 2024', url: 'https://arxiv.org/abs/2404.19733' },
  vectors: ['rpo'],
  equation: 'L = −log σ(β [log π(y⁺)/π_ref(y⁺) − log π(y⁻)/π_ref(y⁻)]) − α log π(y⁺)/|y⁺|',
  deviations: [
    'The likelihood is that of the completion by its own length. The paper divides by the length of prompt and completion together where it also trains on the prompt.',
    'A soft label p gives the DPO loss p·L(Δ) + (1 − p)·L(−Δ), and the likelihood of both sides by their share; with p = 1 this is the paper’s loss.',
    BY_STRENGTH,
    BY_WEIGHT,
    'One round on logged pairs: the paper’s rounds, in which the policy writes new pairs, are runs one after another.',
  ],
  data: 'response-pairs',
  role: 'policy',
  needsReference: true,
  config: z.strictObject({
    beta: distancePenalty(),
    likelihoodWeight: z.number().min(0).max(100).default(1).meta({
      title: 'Weight of the likelihood',
      symbol: 'α',
      help: 'What the mean log-prob of the preferred completion’s tokens counts; 0 is DPO. TRL calls it rpo_alpha.',
      group: 'main',
    }),
    useStrength: useStrength(),
  }),
  metrics: [
    lossInfo(
      'nats',
      'Mean loss: that of DPO, which starts at 0.693, plus α times the nats per token of the preferred completions.',
    ),
    {
      name: 'nll_loss',
      label: 'Likelihood part',
      unit: 'nats per token',
      goal: 'min',
      help: 'Mean of −log π(y⁺)/|y⁺|. Under DPO alone it often rises: the preferred completion grows less likely, the other still less.',
    },
    ...POLICY_INFO,
  ],
  mainMetric: 'eval/rewards/accuracies',
  presets: [
    {
      id: 'small',
      title: 'Small model',
      suits: ['new'],
      note: 'For Pairlab’s own models of up to a few million parameters, with the paper’s α of 1.',
      config: { beta: 0.1, likelihoodWeight: 1 },
      training: SMALL_MODEL,
    },
    ...forPretrained('preference', { beta: 0.1, likelihoodWeight: 1 }),
  ],
  loss({ network, batch, totals, config }) {
    invariant(batch.kind === 'pairs' && batch.reference !== null, 'RPO gets pairs with reference log-probs')
    const logProbs = network.tokenLogProbs(batch.tokens)
    const ratios = sequenceLogRatios(logProbs, batch.reference)
    const [chosen, rejected] = splitPairs(ratios, batch.pairs)
    const perToken = meanOverTokens(sequenceLogProbs(logProbs), completionLengths(batch.tokens))
    const [likelyChosen, likelyRejected] = splitPairs(perToken, batch.pairs)
    const preference = softPreference(batch, config.useStrength)
    const perPair = rpoLoss(tf.sub(chosen, rejected), likelyChosen, likelyRejected, preference, config)
    const loss = weightedShare(perPair, batch.weight, totals.weight)
    return {
      loss,
      metrics: {
        loss,
        nll_loss: weightedShare(tf.neg(likelyChosen), batch.weight, totals.weight),
        ...policyMetrics(batch, totals, logProbs, batch.reference, ratios, config.beta),
      },
    }
  },
})
