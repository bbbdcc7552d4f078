// Sequence Likelihood Calibration (Zhao et al., 2023), arXiv 2305.10425, and its hinge on log-ratios as in TRL.
import { z } from 'zod'
import { invariant } from '../../../../shared/assert.ts'
import { defineAlgorithm } from '../define.ts'
import { policyMetrics } from '../groups.ts'
import { sequenceLogProbs, sequenceLogRatios, splitPairs, weightedShare } from '../ops.ts'
import { lossInfo, POLICY_INFO } from '../pair-metrics.ts'
import { BY_WEIGHT, distancePenalty, SMALL_MODEL } from '../pair-page.ts'
import { forPretrained } from '../pretrained-presets.ts'
import { softPreference, useStrength } from '../preference-strength.ts'
import { tf } from '../tf.ts'

/** max(0, 1 − β Δr), Δr the difference of the log-ratios [pair]; its gradient is 0 at the kink. → [pair] */
export function hingeRatioLoss(difference: tf.Tensor1D, beta: number): tf.Tensor1D {
  return tf.relu(tf.sub(1, tf.mul(difference, beta))) as tf.Tensor1D
}

/**
 * max(0, δ − log π(y⁺) + log π(y⁻)) − λ log π(target): no reference policy.
 * @param chosen, rejected log-probs [pair]   @param target log-prob of the text to stay likely, the chosen one here [pair]
 * @returns [pair]
 */
export function slicLoss(
  chosen: tf.Tensor1D,
  rejected: tf.Tensor1D,
  target: tf.Tensor1D,
  options: { readonly delta: number; readonly regularization: number },
): tf.Tensor1D {
  const margin = tf.relu(tf.add(tf.sub(rejected, chosen), options.delta))
  return tf.sub(margin, tf.mul(target, options.regularization)) as tf.Tensor1D
}

export const slic = defineAlgorithm({
  id: 'slic',
  name: 'SLiC',
  summary: 'Pushes the preferred answer ahead by a margin, then rests',
  paper: { cite: 'Zhao et al., 2023', url: 'https://arxiv.org/abs/2305.10425' },
  vectors: ['slic_hinge'],
  equation: 'L = max(0, δ − log π(y⁺) + log π(y⁻)) − λ·log π(y⁺)   or   max(0, 1 − β·Δr)',
  deviations: [
    'Two forms: the paper’s, on log-probs with a target kept likely, and TRL’s, a hinge on log-ratios to the reference.',
    'The paper’s target is the reference text of the fine-tuning data; here it is the preferred completion.',
    'The paper’s form has no reference policy; it is used here for the KL and reward metrics alone.',
    'A soft label p gives p·L(y⁺, y⁻) + (1 − p)·L(y⁻, y⁺).',
    BY_WEIGHT,
  ],
  data: 'response-pairs',
  role: 'policy',
  needsReference: true,
  config: z.strictObject({
    form: z.enum(['log-probs', 'log-ratios']).default('log-probs').meta({
      title: 'Form',
      help: 'The paper’s hinge on log-probs, or TRL’s on log-ratios to the reference.',
      group: 'main',
    }),
    delta: z.number().positive().max(1000).default(1).meta({
      title: 'Margin',
      symbol: 'δ',
      help: 'Nats by which the preferred completion is to be likelier. Read by the form on log-probs.',
      group: 'main',
    }),
    regularization: z.number().min(0).max(100).default(0.5).meta({
      title: 'Target weight',
      symbol: 'λ',
      help: 'Weight of the likelihood of the preferred completion. Read by the form on log-probs.',
      group: 'main',
    }),
    beta: distancePenalty(0.1, 'The margin of the log-ratios is 1/β. Read by the form on log-ratios.'),
    useStrength: useStrength(),
  }),
  metrics: [
    lossInfo(
      'nats',
      'Mean SLiC loss. The hinge falls to 0 pair by pair and such pairs then carry no gradient; the target’s part stays.',
    ),
    {
      name: 'slic/active',
      label: 'Pairs inside the margin',
      unit: 'fraction',
      goal: 'min',
      help: 'Share of pairs whose hinge is above 0. It falls; near 0 only the target term still trains.',
    },
    ...POLICY_INFO,
  ],
  mainMetric: 'eval/rewards/accuracies',
  presets: [
    {
      id: 'small',
      title: 'Small model',
      suits: ['new'],
      note: 'For Pairlab’s own models. A healthy run: fewer pairs inside the margin, held-out accuracy rising, the preferred log-prob held up by the target term.',
      config: {},
      training: SMALL_MODEL,
    },
    ...forPretrained('preference'),
    {
      id: 'paper',
      title: 'Large model',
      note: 'The paper’s loss with δ 1. Its δ, λ and learning rate are tuned for T5 on TL;DR; the numbers here are a start for large models and not quoted from it.',
      config: { delta: 1 },
      training: { steps: 1000, batchSize: 32, learningRate: 1e-5, warmupFraction: 0, schedule: 'constant' },
    },
  ],
  loss({ network, batch, totals, config }) {
    invariant(batch.kind === 'pairs' && batch.reference !== null, 'SLiC gets pairs with reference log-probs')
    const logProbs = network.tokenLogProbs(batch.tokens)
    const ratios = sequenceLogRatios(logProbs, batch.reference)
    const onRatios = config.form === 'log-ratios'
    const [chosen, rejected] = splitPairs(onRatios ? ratios : sequenceLogProbs(logProbs), batch.pairs)
    const soft = softPreference(batch, config.useStrength)
    const hinge = (first: tf.Tensor1D, second: tf.Tensor1D): tf.Tensor1D =>
      onRatios
        ? hingeRatioLoss(tf.sub(first, second), config.beta)
        : slicLoss(first, second, first, { delta: config.delta, regularization: 0 })
    const both = (forWin: tf.Tensor1D, forLoss: tf.Tensor1D): tf.Tensor1D =>
      tf.add(tf.mul(soft, forWin), tf.mul(tf.sub(1, soft), forLoss))
    const margin = hinge(chosen, rejected)
    const hinges = both(margin, hinge(rejected, chosen))
    const perPair = onRatios
      ? hinges
      : (tf.sub(hinges, tf.mul(both(chosen, rejected), config.regularization)) as tf.Tensor1D)
    const share = (values: tf.Tensor1D): tf.Scalar => weightedShare(values, batch.weight, totals.weight)
    const loss = share(perPair)
    return {
      loss,
      metrics: {
        loss,
        'slic/active': share(tf.cast(tf.greater(margin, 0), 'float32')),
        ...policyMetrics(batch, totals, logProbs, batch.reference, ratios, onRatios ? config.beta : 1),
      },
    }
  },
})
