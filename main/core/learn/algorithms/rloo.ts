// REINFORCE Leave-One-Out (Kool et al. 2019; Ahmadian et al., ACL 2024), arXiv 2402.14740
import { z } from 'zod'
import { SMALL_WRITER } from '../pair-page.ts'
import { forPretrained } from '../pretrained-presets.ts'
import { invariant } from '../../../../shared/assert.ts'
import { rewardSource } from '../../../../shared/run-spec.ts'
import { defineAlgorithm, type Batch, type BatchTotals } from '../define.ts'
import { grouped, meanOverSamples, policyMetrics } from '../groups.ts'
import { sequenceLogProbs, sequenceLogRatios, stopGradient, weightedShare } from '../ops.ts'
import { KL_INFO, lossInfo, REWARD_INFO } from '../pair-metrics.ts'
import { needsScorable, ROLLOUT_INFO, rolloutFields, writtenBy } from '../sampling/rollout.ts'
import { tf } from '../tf.ts'

export type Baseline = 'none' | 'constant' | 'rloo' | 'group-mean'

/** R_β(y) = R(y) − β (log π(y) − log π_ref(y)), a number and not a function of π. All [prompt, sample]. */
export function regularizedRewards(rewards: tf.Tensor2D, ratios: tf.Tensor2D, beta: number): tf.Tensor2D {
  return stopGradient(tf.sub(rewards, tf.mul(ratios, beta)) as tf.Tensor2D)
}

/**
 * R_β − b. Leave-one-out takes the mean of the other samples of the prompt, which for k samples is k/(k−1) times the
 * distance from the group's mean; with k = 1 there is nothing to compare with, and the advantage is 0.
 * @param regularized R_β [prompt, sample]   @param constant b of the baseline `constant`
 * @param valid 1 where the sample exists; absent: all do [prompt, sample]   @returns 0 where it does not [prompt, sample]
 */
export function advantages(
  regularized: tf.Tensor2D,
  baseline: Baseline,
  constant = 0,
  valid: tf.Tensor2D = tf.ones(regularized.shape),
): tf.Tensor2D {
  if (baseline === 'none') return tf.mul(regularized, valid)
  if (baseline === 'constant') return tf.mul(tf.sub(regularized, constant), valid)
  const samples = tf.sum(valid, 1, true)
  const mean = tf.expandDims(meanOverSamples(regularized, valid), 1)
  const fromMean = tf.mul(tf.sub(regularized, mean), valid) as tf.Tensor2D
  if (baseline === 'group-mean') return tf.mul(fromMean, tf.cast(tf.greater(samples, 1), 'float32'))
  const scale = tf.where(
    tf.greater(samples, 1),
    tf.div(samples, tf.maximum(tf.sub(samples, 1), 1)),
    tf.zerosLike(samples),
  )
  return tf.mul(fromMean, scale)
}

/** −A log π(y), A held fixed, of each sample [prompt, sample]. */
export function policyGradientLoss(logProbs: tf.Tensor2D, advantage: tf.Tensor2D): tf.Tensor2D {
  return tf.neg(tf.mul(stopGradient(advantage), logProbs)) as tf.Tensor2D
}

export interface PolicyGradientOptions {
  readonly beta: number
  readonly baseline: Baseline
  /** b of the baseline `constant` */
  readonly constant: number
}

/** −1/k Σ_i (R_β(y_i) − b) log π(y_i) of each prompt, averaged by weight, and how large the advantages are []. */
export function policyGradientShare(
  batch: Batch,
  totals: BatchTotals,
  logProbs: tf.Tensor2D,
  ratios: tf.Tensor1D,
  { beta, baseline, constant }: PolicyGradientOptions,
): { readonly loss: tf.Scalar; readonly spread: tf.Scalar } {
  const group = grouped(batch)
  const advantage = advantages(
    regularizedRewards(group.rewards, group.grid(ratios), beta),
    baseline,
    constant,
    group.valid,
  )
  const perSample = policyGradientLoss(group.grid(sequenceLogProbs(logProbs)), advantage)
  const share = (values: tf.Tensor2D): tf.Scalar =>
    weightedShare(meanOverSamples(values, group.valid), batch.weight, totals.weight)
  return { loss: share(perSample), spread: share(tf.abs(advantage)) }
}

export const ADVANTAGE_INFO = {
  name: 'advantages/size',
  label: 'Size of advantages',
  unit: 'reward',
  goal: 'none',
  help: 'Mean of |A|. Where it is 0 nothing is learned: all rewards of a prompt are equal.',
} as const

export const rloo = defineAlgorithm({
  id: 'rloo',
  name: 'RLOO',
  summary: 'Writes k answers, each against the mean of the others',
  paper: { cite: 'Ahmadian et al., ACL 2024', url: 'https://arxiv.org/abs/2402.14740' },
  vectors: ['policy_gradient'],
  equation: 'L = −(1/k) Σᵢ sg(R_β(yᵢ) − mean of R_β(yⱼ), j ≠ i) · log π(yᵢ),   R_β = R − β·log π/π_ref',
  deviations: [
    'One update on each set of samples, so that they are on-policy; TRL’s option of several clipped updates is GRPO’s here.',
    'The KL penalty is part of the reward, summed over the sequence, and no gradient flows through it.',
    'Masked completions count in the others’ baseline by their reward without its KL part, as in TRL.',
    'Prompts are those of the data set’s pairs; their logged completions serve only the held-out accuracy and the scale of the rewards.',
    'The gradient is 1/k of that of CoPG’s k-sample form on the same samples.',
  ],
  data: 'response-pairs',
  role: 'policy',
  needsReference: true,
  rewards: (value) => value.rewards,
  rollout: (value) => ({ ...writtenBy(value), samples: value.groupSize, updates: 1 }),
  config: needsScorable(
    z.strictObject({
      beta: z.number().min(0).max(100).default(0.05).meta({
        title: 'Distance penalty',
        symbol: 'β',
        help: 'Weight of the KL to the reference inside the reward.',
        group: 'main',
      }),
      groupSize: z.int().min(2).max(64).default(4).meta({
        title: 'Completions per prompt',
        symbol: 'k',
        help: 'The policy writes this many; each is compared with the mean of the others.',
        group: 'main',
      }),
      rewards: rewardSource.default({ kind: 'length', target: 100 }).meta({
        title: 'Reward',
        help: 'Scores what the policy writes: a reward model or a rule.',
        group: 'main',
      }),
      standardise: z.boolean().default(false).meta({
        title: 'Standardize rewards',
        help: 'Divide rewards by their standard deviation over the logged completions of the training set, once.',
        group: 'expert',
      }),
      ...rolloutFields,
    }),
    () => true,
  ),
  metrics: [
    {
      ...lossInfo(
        '',
        'The policy-gradient surrogate. Its value says nothing, only its gradient does: read the reward of roll-outs.',
      ),
      goal: 'none',
    },
    ADVANTAGE_INFO,
    ...ROLLOUT_INFO,
    ...REWARD_INFO,
    {
      name: 'logps/chosen',
      label: 'Log-prob, preferred',
      unit: 'nats',
      goal: 'none',
      help: 'Log-probability of the held-out preferred completions, which are not trained on. It drifts down as the policy turns to the reward.',
    },
    {
      name: 'logps/rejected',
      label: 'Log-prob, other',
      unit: 'nats',
      goal: 'none',
      help: 'The same of the other completions.',
    },
    ...KL_INFO,
  ],
  mainMetric: 'eval/rollout/reward',
  presets: [
    {
      id: 'small',
      title: 'Small model',
      suits: ['new'],
      note: 'For Pairlab’s own models, from a finished SFT run. A healthy run: the reward of roll-outs rises and flattens, entropy falls slowly and stays above 0, KL grows to a few nats, few prompts are without a signal.',
      config: {},
      training: SMALL_WRITER,
    },
    ...forPretrained('policy-gradient'),
    {
      id: 'paper',
      title: 'Large model',
      note: 'The set-up of Ahmadian et al. (2024) compares k = 2 and 4 on TL;DR and HH. β and the learning rate here are those customary for models of several billion parameters, not quoted from a table.',
      config: { beta: 0.05, groupSize: 4 },
      training: { steps: 1000, batchSize: 64, learningRate: 1e-6, warmupFraction: 0.03, schedule: 'constant' },
    },
  ],
  loss({ network, batch, totals, config }) {
    invariant(batch.reference !== null, 'RLOO gets reference log-probs')
    const logProbs = network.tokenLogProbs(batch.tokens)
    const ratios = sequenceLogRatios(logProbs, batch.reference)
    const { loss, spread } = policyGradientShare(batch, totals, logProbs, ratios, {
      beta: config.beta,
      baseline: 'rloo',
      constant: 0,
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
