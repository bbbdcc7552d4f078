// Identity Preference Optimization (Azar et al., AISTATS 2024), arXiv 2310.12036
import { z } from 'zod'
import { invariant } from '../../../../shared/assert.ts'
import { defineAlgorithm } from '../define.ts'
import { policyMetrics } from '../groups.ts'
import { completionLengths, meanOverTokens, sequenceLogRatios, splitPairs, weightedShare } from '../ops.ts'
import { lossInfo, POLICY_INFO } from '../pair-metrics.ts'
import { BY_STRENGTH, BY_WEIGHT, distancePenalty, SMALL_MODEL } from '../pair-page.ts'
import { forPretrained } from '../pretrained-presets.ts'
import { overLabel, softPreference, useStrength } from '../preference-strength.ts'
import { tf } from '../tf.ts'

/**
 * Eq. 17 with Δ = r(y⁺) − r(y⁻), r = log π − log π_ref, and p = P(y⁺ preferred):
 *   loss = p (Δ − 1/(2β))² + (1 − p) (−Δ − 1/(2β))²
 * whose minimum over Δ is at (2p − 1)/(2β), the regularized regression on the preference itself.
 * @param difference Δ [pair]   @param preference p [pair]   @returns loss of each pair [pair]
 */
export function ipoLoss(difference: tf.Tensor1D, preference: tf.Tensor1D, beta: number): tf.Tensor1D {
  const target = 1 / (2 * beta)
  return overLabel(preference, tf.square(tf.sub(difference, target)), tf.square(tf.add(difference, target)))
}

export const ipo = defineAlgorithm({
  id: 'ipo',
  name: 'IPO',
  summary: 'Preferred against other, to a fixed margin',
  paper: { cite: 'Azar et al., AISTATS 2024', url: 'https://arxiv.org/abs/2310.12036' },
  vectors: ['ipo'],
  equation: 'L = (log π(y⁺)/π_ref(y⁺) − log π(y⁻)/π_ref(y⁻) − 1/(2β))²',
  deviations: [
    'β is the paper’s τ.',
    'A soft label p gives p·L(Δ) + (1 − p)·L(−Δ), which pulls the margin to (2p − 1)/(2β); with p = 1 this is the paper’s loss.',
    BY_STRENGTH,
    BY_WEIGHT,
    'Lengths “per token” divide each log-ratio by its completion’s tokens, as TRL does; the paper sums.',
  ],
  data: 'response-pairs',
  role: 'policy',
  needsReference: true,
  config: z.strictObject({
    beta: distancePenalty(0.1, 'The margin is pulled to 1/(2β): 5 nats at 0.1, 50 nats at 0.01.'),
    lengths: z.enum(['sum', 'per-token']).default('sum').meta({
      title: 'Lengths',
      help: 'Sum the log-ratio over a completion’s tokens (the paper), or average it (TRL). The two need different β.',
      group: 'expert',
    }),
    useStrength: useStrength(),
  }),
  metrics: [
    lossInfo(
      'nats²',
      'Mean squared distance of the margin from 1/(2β). It starts near 1/(2β)² and falls to the spread that the labels leave.',
    ),
    ...POLICY_INFO,
  ],
  mainMetric: 'eval/rewards/accuracies',
  presets: [
    {
      id: 'small',
      title: 'Small model',
      suits: ['new'],
      note: 'For Pairlab’s own models of up to a few million parameters.',
      config: { beta: 0.1, lengths: 'sum' },
      training: SMALL_MODEL,
    },
    ...forPretrained('preference', { beta: 0.1, lengths: 'sum' }),
    {
      id: 'paper',
      title: 'CoPG’s baseline',
      note: 'IPO as tuned in Flet-Berliac et al. (2024) on TL;DR with a 7 B model: β 0.01, Adam at 1e-6, batch 128, two epochs, 10 % warm-up.',
      config: { beta: 0.01, lengths: 'sum' },
      training: { steps: 1800, batchSize: 128, learningRate: 1e-6, warmupFraction: 0.1, schedule: 'constant' },
    },
  ],
  loss({ network, batch, totals, config }) {
    invariant(batch.kind === 'pairs' && batch.reference !== null, 'IPO gets pairs with reference log-probs')
    const logProbs = network.tokenLogProbs(batch.tokens)
    const sums = sequenceLogRatios(logProbs, batch.reference)
    const ratios = config.lengths === 'sum' ? sums : meanOverTokens(sums, completionLengths(batch.tokens))
    const [chosen, rejected] = splitPairs(ratios, batch.pairs)
    const perPair = ipoLoss(tf.sub(chosen, rejected), softPreference(batch, config.useStrength), config.beta)
    const loss = weightedShare(perPair, batch.weight, totals.weight)
    return { loss, metrics: { loss, ...policyMetrics(batch, totals, logProbs, batch.reference, ratios, config.beta) } }
  },
})
