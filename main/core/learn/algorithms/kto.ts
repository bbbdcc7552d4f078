// Kahneman-Tversky Optimization (Ethayarajh et al., ICML 2024), arXiv 2402.01306
import { z } from 'zod'
import { invariant } from '../../../../shared/assert.ts'
import { defineAlgorithm, type Batch, type BatchTotals, type Network } from '../define.ts'
import { policyMetrics } from '../groups.ts'
import { answersShare, desirability, judgedMetrics, JUDGED_INFO } from '../judged-sides.ts'
import { sequenceLogRatios, stopGradient } from '../ops.ts'
import { lossInfo, POLICY_INFO } from '../pair-metrics.ts'
import { distancePenalty, SMALL_MODEL } from '../pair-page.ts'
import { forPretrained } from '../pretrained-presets.ts'
import { useStrength } from '../preference-strength.ts'
import { tf } from '../tf.ts'

/** z₀ = max(0, mean log-ratio of completions that stand with prompts of others), a number without gradient. [row] → [] */
export function ktoBaseline(mismatchedRatios: tf.Tensor1D): tf.Scalar {
  return stopGradient(tf.relu(tf.mean(mismatchedRatios)) as tf.Scalar)
}

export interface KtoWeights {
  readonly beta: number
  readonly desirable: number
  readonly undesirable: number
}

/**
 * λ_D (1 − σ(β(r − z₀))) where the completion is desirable, λ_U (1 − σ(β(z₀ − r))) where it is not (Eq. 8).
 * @param ratios r = log π − log π_ref [row]   @param desirable 1 or 0 [row]   @returns [row]
 */
export function ktoLoss(
  ratios: tf.Tensor1D,
  desirable: tf.Tensor1D,
  baseline: tf.Scalar,
  weights: KtoWeights,
): tf.Tensor1D {
  return tf.tidy(() => {
    const sign = tf.sub(tf.mul(desirable, 2), 1)
    const value = tf.sigmoid(tf.mul(tf.mul(tf.sub(ratios, baseline), weights.beta), sign))
    const weight = tf.add(tf.mul(desirable, weights.desirable), tf.mul(tf.sub(1, desirable), weights.undesirable))
    return tf.mul(weight, tf.sub(1, value)) as tf.Tensor1D
  })
}

/** z₀ of the whole batch, from what `before` summed up: a mean log-ratio that is held at 0 from below. */
function baselineOf(totals: BatchTotals): tf.Scalar {
  return tf.scalar(Math.max(0, totals.before ?? 0))
}

/** Answers of an item of the batch. */
function rowsOf({ kind }: Batch): number {
  return kind === 'pairs' ? 2 : 1
}

function mismatchedRatios(network: Network, batch: Batch): tf.Tensor1D {
  const mismatched = batch.kind === 'groups' ? null : (batch.mismatched ?? null)
  invariant(mismatched !== null, 'KTO gets pairs with completions of other prompts')
  return sequenceLogRatios(network.tokenLogProbs(mismatched.tokens), mismatched.reference)
}

export const kto = defineAlgorithm({
  id: 'kto',
  name: 'KTO',
  summary: 'Good and bad answers one by one, gains against losses',
  paper: { cite: 'Ethayarajh et al., ICML 2024', url: 'https://arxiv.org/abs/2402.01306' },
  vectors: ['kto', 'kto-pairs', 'unpaired'],
  equation: 'L = λ_D (1 − σ(β(r − z₀))) for desirable, λ_U (1 − σ(β(z₀ − r))) for undesirable,   r = log π/π_ref',
  deviations: [
    'Each pair gives a desirable and an undesirable example. With a soft label p each completion counts as both, by p and 1 − p. A pair labeled “both bad” gives two undesirable ones, an answer that stands alone one of its kind.',
    'z₀ is the mean log-ratio over the batch of completions that stand with another prompt. Which prompt it is, is fixed by the order of the data and not drawn within the batch, so that reference log-probs are computed once.',
    'Each pair’s loss is the mean of its two sides, multiplied by its weight and divided by the batch’s total weight; z₀ is not weighted.',
  ],
  data: 'response-pairs',
  role: 'policy',
  needsReference: true,
  mismatched: true,
  judgesEach: true,
  answers: 'judged',
  exampleWeights: ({ desirable, undesirable }) => ({ desirable, undesirable }),
  config: z.strictObject({
    beta: distancePenalty(),
    desirable: z
      .number()
      .positive()
      .max(100)
      .default(1)
      .meta({ title: 'Weight of desirable', symbol: 'λ_D', help: 'How much gains count.', group: 'main' }),
    undesirable: z.number().positive().max(100).default(1).meta({
      title: 'Weight of undesirable',
      symbol: 'λ_U',
      help: 'How much losses count; comparisons hold as many of each, so equal weights are balanced. Pairs labeled “both bad” hold two undesirable examples.',
      group: 'main',
    }),
    useStrength: useStrength(),
  }),
  metrics: [
    lossInfo('', 'Mean KTO loss. It starts at ½ (for weights of 1), where policy and reference are equal, and falls.'),
    {
      name: 'kto/z0',
      label: 'Baseline z₀',
      unit: 'nats',
      goal: 'none',
      help: 'How much likelier than the reference the policy finds unrelated completions, from 0 up. If it grows, the policy moves everywhere and not where the labels point.',
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
      note: 'For Pairlab’s own models. A healthy run: the loss falls below ½, held-out accuracy rises, z₀ stays near 0.',
      config: {},
      training: SMALL_MODEL,
    },
    ...forPretrained('preference'),
    {
      id: 'paper',
      title: 'Large model',
      note: 'β 0.1 and equal weights on balanced data, as the paper recommends; learning rate and batch are a start for models of several billion parameters.',
      config: { beta: 0.1 },
      training: { steps: 1000, batchSize: 32, learningRate: 5e-7, warmupFraction: 0.1, schedule: 'cosine' },
    },
  ],
  before({ network, batch, totals }) {
    return tf.div(tf.sum(mismatchedRatios(network, batch)), rowsOf(batch) * Math.max(1, totals.items)) as tf.Scalar
  },
  loss({ network, batch, totals, config }) {
    invariant(batch.kind !== 'groups' && batch.reference !== null, 'KTO gets answers with reference log-probs')
    const logProbs = network.tokenLogProbs(batch.tokens)
    const ratios = sequenceLogRatios(logProbs, batch.reference)
    const desirable = desirability(batch, config.useStrength)
    const z0 = baselineOf(totals)
    const of = (sign: tf.Tensor1D): tf.Tensor1D => ktoLoss(ratios, sign, z0, config)
    const rows = tf.add(
      tf.mul(desirable, of(tf.onesLike(ratios))),
      tf.mul(tf.sub(1, desirable), of(tf.zerosLike(ratios))),
    ) as tf.Tensor1D
    const loss = answersShare(rows, batch, totals, 0.5)
    return {
      loss,
      metrics: {
        loss,
        'kto/z0': tf.mul(z0, batch.tokens.ids.shape[0] / rowsOf(batch) / Math.max(1, totals.items)) as tf.Scalar,
        ...policyMetrics(batch, totals, logProbs, batch.reference, ratios, config.beta),
        ...judgedMetrics(
          batch,
          totals,
          tf.mul(ratios, config.beta) as tf.Tensor1D,
          tf.mul(z0, config.beta) as tf.Scalar,
        ),
      },
    }
  },
})
