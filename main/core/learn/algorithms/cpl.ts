// Contrastive Preference Learning (Hejna et al., ICLR 2024), arXiv 2310.13639
import { z } from 'zod'
import { defineControlMethod, type ControlStep } from '../control/control.ts'
import {
  behaviourCloningLoss,
  cloneAll,
  CONTROL_INFO,
  networkFields,
  PAPER_TRAINING,
  pairAccuracy,
  policyNetwork,
  segmentLogProbs,
  splitStages,
} from '../control/control-policy.ts'
import type { LossResult } from '../define.ts'
import { blendInto } from '../models/mlp.ts'
import { logSigmoid, softplus, splitPairs, stopGradient } from '../ops.ts'
import { tf } from '../tf.ts'

export interface SegmentScoring {
  /** Temperature: A* = α log π* in the maximum-entropy setting. */
  readonly alpha: number
  /** Discount inside the segment. The official code uses 1. */
  readonly gamma: number
}

/**
 * S(σ) = Σ_t γᵗ α m_t log π(a_t | s_t), Eq. 4: the segment's discounted sum of advantages, in terms of the policy.
 * CPL-KL takes log π − log π_ref in place of log π.
 * @param logProbs [segment, time]   @param mask 1 on real steps [segment, time]   @returns [segment]
 */
export function segmentScores(logProbs: tf.Tensor2D, mask: tf.Tensor2D, { alpha, gamma }: SegmentScoring): tf.Tensor1D {
  return tf.tidy(() => {
    const time = logProbs.shape[1]
    const weights = tf.tensor1d(Array.from({ length: time }, (_none, t) => alpha * gamma ** t))
    const kept = tf.where(tf.greater(mask, 0), logProbs, tf.zerosLike(logProbs)) // −∞ · 0 would be no number
    return tf.sum(tf.mul(kept, weights), 1) as tf.Tensor1D
  })
}

/**
 * Eq. 5 with the conservative bias of §3.2 on both orders, weighted by the label:
 * y · −log σ(S₂ − λ S₁) + (1 − y) · −log σ(S₁ − λ S₂). λ stands before the losing segment alone.
 * @param first, second S of the two segments [pair]   @param secondPreferred y = P(second preferred): 0, ½ or 1 [pair]
 * @returns [pair]
 */
export function cplLoss(
  first: tf.Tensor1D,
  second: tf.Tensor1D,
  secondPreferred: tf.Tensor1D,
  lambda: number,
): tf.Tensor1D {
  const secondWins = tf.neg(logSigmoid(tf.sub(second, tf.mul(first, lambda))))
  const firstWins = tf.neg(logSigmoid(tf.sub(first, tf.mul(second, lambda))))
  return tf.add(tf.mul(secondPreferred, secondWins), tf.mul(tf.sub(1, secondPreferred), firstWins)) as tf.Tensor1D
}

/**
 * Dense mode: the mean over all pairs of a batch that the labels order strictly; ties are left out, and a batch
 * without an ordered pair has loss 0.
 * @param scores S [segment]   @param labels the numbers by which segments are ordered, host-side [segment]
 */
export function denseCplLoss(
  scores: tf.Tensor1D,
  labels: readonly number[],
  lambda: number,
): { readonly loss: tf.Scalar; readonly pairs: number } {
  const count = labels.length
  const mask = new Float32Array(count * count)
  labels.forEach((better, winner) =>
    labels.forEach((worse, loser) => (mask[winner * count + loser] = better > worse ? 1 : 0)),
  )
  const pairs = mask.reduce((sum, value) => sum + value, 0)
  const loss = tf.tidy(() => {
    // [winner, loser] of S_winner − λ S_loser
    const margins = tf.sub(tf.expandDims(scores, 1), tf.mul(tf.expandDims(scores, 0), lambda))
    return tf.div(
      tf.sum(tf.mul(softplus(tf.neg(margins)), tf.tensor2d(mask, [count, count]))),
      Math.max(1, pairs),
    ) as tf.Scalar
  })
  return { loss, pairs }
}

const config = z.strictObject({
  alpha: z.number().positive().max(100).default(0.1).meta({
    title: 'Temperature',
    symbol: 'α',
    help: 'Scales the sum of log-probs of a segment. The sum runs over all steps, so it depends on their number: at 64 steps 0.1 is usual.',
    group: 'main',
  }),
  lambda: z.number().gt(0).max(1).default(0.5).meta({
    title: 'Conservative bias',
    symbol: 'λ',
    help: 'Weight of the losing segment. Below 1 the policy stays near the data; 1 is the plain loss, which can leave it.',
    group: 'main',
  }),
  gamma: z.number().gt(0).max(1).default(1).meta({
    title: 'Discount',
    symbol: 'γ',
    help: 'Inside a segment. The formula has it, the official code uses 1.',
    group: 'expert',
  }),
  pairing: z.enum(['comparison', 'rank', 'dense']).default('comparison').meta({
    title: 'Pairs',
    help: 'Comparison takes the judged pairs; rank compares any two scored segments; dense compares every two of a batch.',
    group: 'main',
  }),
  bcShare: z.number().min(0).lt(1).default(0.4).meta({
    title: 'Cloning first',
    unit: 'of steps',
    help: 'Share of the steps in which the policy first copies all segments. Then the optimizer starts anew.',
    group: 'main',
  }),
  bcWeight: z.number().min(0).max(100).default(0).meta({
    title: 'Cloning weight',
    help: 'Adds −mean log π of the batch to the loss (CPL-BC, with λ = 1).',
    group: 'expert',
  }),
  rateAfterCloning: z.number().positive().max(10).default(1).meta({
    title: 'Rate after cloning',
    unit: '× learning rate',
    help: 'The contrastive stage has this share of the learning rate, behind the warm-up; cloning has all of it from its first step. The official CPL-KL has 0.1.',
    group: 'expert',
    asBefore: 1,
  }),
  reference: z.boolean().default(false).meta({
    title: 'Against the cloned policy',
    help: 'Uses log π − log π_ref with the policy after cloning as reference (CPL-KL).',
    group: 'expert',
  }),
  ...networkFields,
})
type CplConfig = z.infer<typeof config>

/** 10,000 steps of warm-up in the 300,000 behind cloning. */
const CPL_TRAINING = { ...PAPER_TRAINING, warmupFraction: 1 / 30 }

/** S of every segment, against the reference where there is one [2·pair] */
function scoresOf({ config: settings, batch, networks }: ControlStep<CplConfig>, logProbs: tf.Tensor2D): tf.Tensor1D {
  const ratios = settings.reference
    ? tf.sub(logProbs, stopGradient(segmentLogProbs(networks['reference']!, batch, null)))
    : logProbs
  return segmentScores(ratios as tf.Tensor2D, batch.mask, settings)
}

function contrast(step: ControlStep<CplConfig>): LossResult {
  const { batch, config: settings } = step
  const logProbs = segmentLogProbs(step.networks['policy']!, batch, step.dropout)
  const scores = scoresOf(step, logProbs)
  const [first, second] = splitPairs(scores, batch.pairs)
  const main =
    settings.pairing === 'dense'
      ? denseCplLoss(scores, batch.scores, settings.lambda).loss
      : (tf.mean(cplLoss(first, second, batch.secondPreferred, settings.lambda)) as tf.Scalar)
  const cloning = behaviourCloningLoss(logProbs, batch.mask, batch.steps)
  const loss = settings.bcWeight > 0 ? (tf.add(main, tf.mul(cloning, settings.bcWeight)) as tf.Scalar) : main
  return {
    loss,
    metrics: {
      loss,
      'bc/loss': cloning,
      'preferences/accuracy': pairAccuracy(first, second, batch.labels),
      'cpl/score': tf.mean(tf.abs(scores)) as tf.Scalar,
    },
  }
}

export const cpl = defineControlMethod<CplConfig>({
  id: 'cpl',
  name: 'CPL',
  summary: 'Two segments, by the policy’s own log-probs: no reward, no value',
  paper: { cite: 'Hejna et al., ICLR 2024', url: 'https://arxiv.org/abs/2310.13639' },
  vectors: ['cpl', 'cpl_dense_pairs', 'gaussian_policy'],
  equation: 'L = −log σ(Σ γᵗ α log π(a⁺|s⁺) − λ Σ γᵗ α log π(a⁻|s⁻))',
  deviations: [
    'Dense pairing leaves tied scores out; the official all-pairs function, which its configurations do not use, counts them as ordered.',
    'A label between 0 and 1, from annotators who differ, weighs the two orders; the paper has 0, ½ and 1.',
    'The discount is 1 by default, as in the official code; the formula has γᵗ.',
  ],
  config,
  metrics: [
    {
      name: 'loss',
      label: 'Loss',
      unit: 'nats',
      goal: 'min',
      help: 'CPL loss; while cloning, the cloning loss. At λ = 1 and equal scores it is 0.693 (log 2).',
    },
    ...CONTROL_INFO,
    {
      name: 'cpl/score',
      label: 'Segment score',
      unit: 'nats',
      goal: 'none',
      help: 'Mean |S|, the temperature times the sum of log-probs of a segment. A few units are healthy; near 0 the loss sees no difference, in the hundreds it is a step function.',
    },
  ],
  presets: [
    {
      id: 'small',
      title: 'Small',
      note: 'For the worlds that come with Pairlab, on a processor: two layers of 64 units, in a minute or two.',
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
      title: 'Paper',
      note: 'Hejna et al. (2024), state observations, as in the official cpl.yaml: 200,000 steps of cloning and 300,000 of CPL at 1e-4, the first 10,000 of these a warm-up, 96 pairs of 64 steps, two layers of 512 units, dropout 0.25, α 0.1, λ 0.5.',
      config: {},
      training: CPL_TRAINING,
    },
    {
      id: 'paper-bc',
      title: 'Paper, CPL-BC',
      note: 'λ 1 with a cloning loss of weight 1 (cpl_bc.yaml).',
      config: { lambda: 1, bcWeight: 1 },
      training: CPL_TRAINING,
    },
    {
      id: 'paper-kl',
      title: 'Paper, CPL-KL',
      note: 'Against the cloned policy: α 0.2, λ 0.75; cloning at 1e-4, then 1e-5 (cpl_kl.yaml).',
      config: { alpha: 0.2, lambda: 0.75, reference: true, rateAfterCloning: 0.1 },
      training: CPL_TRAINING,
    },
  ],
  networks: (settings, sizes) => ({
    policy: policyNetwork(settings, sizes),
    ...(settings.reference ? { reference: policyNetwork(settings, sizes) } : {}),
  }),
  stages: ({ bcShare, rateAfterCloning }, steps) =>
    splitStages(steps, bcShare, [
      { name: 'bc', warmsUp: false },
      { name: 'cpl', rate: rateAfterCloning },
    ]),
  pairing: (settings) => settings.pairing,
  enterStage(stage, networks) {
    if (stage === 'cpl' && networks['reference'] !== undefined) blendInto(networks['reference'], networks['policy']!, 1)
  },
  update: (step) => step.minimize(['policy'], () => (step.stage === 'bc' ? cloneAll(step) : contrast(step))),
})
