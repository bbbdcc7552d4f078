// Anchored Preference Optimization (D'Oosterlinck et al., TACL 2025), arXiv 2408.06266
import { z } from 'zod'
import { invariant } from '../../../../shared/assert.ts'
import { defineAlgorithm, type Algorithm } from '../define.ts'
import { policyMetrics } from '../groups.ts'
import { sequenceLogRatios, splitPairs, weightedShare } from '../ops.ts'
import { lossInfo, POLICY_INFO } from '../pair-metrics.ts'
import { BY_STRENGTH, BY_WEIGHT, distancePenalty, SMALL_MODEL } from '../pair-page.ts'
import { forPretrained } from '../pretrained-presets.ts'
import { overLabel, softPreference, useStrength } from '../preference-strength.ts'
import { tf } from '../tf.ts'

export type ApoAnchor = 'zero' | 'down'

/**
 * With r = β (log π − log π_ref) of each side and p = P(y⁺ preferred), loss = p L(r⁺, r⁻) + (1 − p) L(r⁻, r⁺):
 *   zero: L(r⁺, r⁻) = 1 − σ(r⁺) + σ(r⁻)
 *   down: L(r⁺, r⁻) = σ(r⁺) + 1 − σ(r⁺ − r⁻)
 * The 1 keeps the loss above 0, as in TRL; the paper leaves it out.
 * @param chosen log π/π_ref of y⁺ [pair]   @param rejected of y⁻ [pair]   @param preference p [pair]   @returns [pair]
 */
export function apoLoss(
  chosen: tf.Tensor1D,
  rejected: tf.Tensor1D,
  preference: tf.Tensor1D,
  { anchor, beta }: { readonly anchor: ApoAnchor; readonly beta: number },
): tf.Tensor1D {
  const oneWay = (winner: tf.Tensor1D, loser: tf.Tensor1D): tf.Tensor1D => {
    const [plus, minus] = anchor === 'zero' ? [loser, winner] : [winner, tf.sub(winner, loser) as tf.Tensor1D]
    return tf.add(tf.sub(tf.sigmoid(tf.mul(plus, beta)), tf.sigmoid(tf.mul(minus, beta))), 1) as tf.Tensor1D
  }
  return overLabel(preference, oneWay(chosen, rejected), oneWay(rejected, chosen))
}

const WORDS = {
  zero: {
    id: 'apo-zero',
    name: 'APO-zero',
    summary: 'Preferred up and other down, each from where it began',
    equation: 'L = 1 − σ(r⁺) + σ(r⁻),   r = β log π/π_ref',
    use: 'For answers better than what the policy writes, e.g. those of a stronger model: the likelihood of the preferred rises.',
  },
  down: {
    id: 'apo-down',
    name: 'APO-down',
    summary: 'Both down, the other further',
    equation: 'L = σ(r⁺) + 1 − σ(r⁺ − r⁻),   r = β log π/π_ref',
    use: 'For answers that are no better than what the policy writes: both lose likelihood, the other more.',
  },
} as const

function anchored(anchor: ApoAnchor): Algorithm<{ beta: number; useStrength: boolean }> {
  const { use, ...words } = WORDS[anchor]
  return defineAlgorithm({
    ...words,
    paper: { cite: 'D’Oosterlinck et al., TACL 2025', url: 'https://arxiv.org/abs/2408.06266' },
    vectors: ['apo'],
    deviations: [
      'A constant of 1 is added, as in TRL, so that the loss is not below 0; no gradient changes.',
      'A soft label p gives p·L(r⁺, r⁻) + (1 − p)·L(r⁻, r⁺); with p = 1 this is the paper’s loss.',
      BY_STRENGTH,
      BY_WEIGHT,
    ],
    data: 'response-pairs',
    role: 'policy',
    needsReference: true,
    config: z.strictObject({
      beta: distancePenalty(0.1, 'How steeply the rewards are squashed. Larger ends the pull on a completion sooner.'),
      useStrength: useStrength(),
    }),
    metrics: [
      lossInfo('', 'Mean APO loss. It starts at 1, where policy and reference are equal, and falls.'),
      ...POLICY_INFO,
    ],
    mainMetric: 'eval/rewards/accuracies',
    presets: [
      {
        id: 'small',
        title: 'Small model',
        suits: ['new'],
        note: `${use} For Pairlab’s own models of up to a few million parameters.`,
        config: { beta: 0.1 },
        training: SMALL_MODEL,
      },
      ...forPretrained('preference', { beta: 0.1 }),
    ],
    loss({ network, batch, totals, config }) {
      invariant(batch.kind === 'pairs' && batch.reference !== null, 'APO gets pairs with reference log-probs')
      const logProbs = network.tokenLogProbs(batch.tokens)
      const ratios = sequenceLogRatios(logProbs, batch.reference)
      const [chosen, rejected] = splitPairs(ratios, batch.pairs)
      const perPair = apoLoss(chosen, rejected, softPreference(batch, config.useStrength), {
        anchor,
        beta: config.beta,
      })
      const loss = weightedShare(perPair, batch.weight, totals.weight)
      return {
        loss,
        metrics: { loss, ...policyMetrics(batch, totals, logProbs, batch.reference, ratios, config.beta) },
      }
    },
  })
}

export const apoZero = anchored('zero')
export const apoDown = anchored('down')
