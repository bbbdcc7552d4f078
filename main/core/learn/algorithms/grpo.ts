// Group Relative Policy Optimization (Shao et al., 2024), arXiv 2402.03300, on PPO's clipped surrogate (Schulman et
// al., 2017), arXiv 1707.06347, with the dual clip of Ye et al. (2020), arXiv 1912.09729.
import { z } from 'zod'
import { SMALL_WRITER } from '../pair-page.ts'
import { forPretrained } from '../pretrained-presets.ts'
import { invariant } from '../../../../shared/assert.ts'
import { rewardSource } from '../../../../shared/run-spec.ts'
import { defineAlgorithm, type Batch, type BatchTotals } from '../define.ts'
import { grouped, meanOverSamples, policyMetrics } from '../groups.ts'
import { klK1, klK2, klK3, lossMask, sequenceLogRatios, stopGradient, weightedShare } from '../ops.ts'
import { KL_INFO, LOG_PROB_INFO, lossInfo, REWARD_INFO } from '../pair-metrics.ts'
import { needsScorable, ROLLOUT_INFO, rolloutFields, writtenBy } from '../sampling/rollout.ts'
import { numbersOf } from '../host-numbers.ts'
import { tf } from '../tf.ts'
import { ADVANTAGE_INFO } from './rloo.ts'

export interface GroupAdvantageOptions {
  /** Divide by the group's unbiased standard deviation + ε. */
  readonly normalize: boolean
  readonly epsilon: number
}

/**
 * A = R − mean of the group [, over its deviation]; a group of one keeps its reward, as verl has it.
 * @param rewards, groups one number and one group id a row, host-side [row]   @returns [row]
 */
export function groupAdvantages(
  rewards: readonly number[],
  groups: readonly number[],
  { normalize, epsilon }: GroupAdvantageOptions,
): number[] {
  const members = new Map<number, number[]>()
  groups.forEach((group, row) => members.set(group, [...(members.get(group) ?? []), row]))
  const advantages = [...rewards]
  for (const rows of members.values()) {
    if (rows.length === 1) continue
    const mean = rows.reduce((sum, row) => sum + rewards[row]!, 0) / rows.length
    const deviation = Math.sqrt(rows.reduce((sum, row) => sum + (rewards[row]! - mean) ** 2, 0) / (rows.length - 1))
    for (const row of rows) advantages[row] = (rewards[row]! - mean) / (normalize ? deviation + epsilon : 1)
  }
  return advantages
}

export interface ClipOptions {
  readonly low: number
  readonly high: number
  /** c > 1 bounds the loss where A < 0; null leaves it out. */
  readonly dual: number | null
}

/**
 * max(−A ρ, −A clip(ρ, 1 − ε_low, 1 + ε_high)), and where A < 0 no more than −A c. ρ = π / π_old, each token.
 * @param logProbs, old [row, time]   @param advantages host-side [row]   @returns [row, time]
 */
export function clippedSurrogate(
  logProbs: tf.Tensor2D,
  old: tf.Tensor2D,
  advantages: readonly number[],
  { low, high, dual }: ClipOptions,
): tf.Tensor2D {
  return tf.tidy(() => {
    const ratio = tf.exp(tf.clipByValue(tf.sub(logProbs, old), -20, 20))
    const gain = tf.tensor2d(advantages.map((value) => [-value]))
    const clipped = tf.maximum(tf.mul(gain, ratio), tf.mul(gain, tf.clipByValue(ratio, 1 - low, 1 + high)))
    if (dual === null) return clipped as tf.Tensor2D
    const limit = tf.tensor2d(advantages.map((value) => [value < 0 ? -value * dual : Number.MAX_VALUE ** 0.1])) // 6·10³⁰: no limit
    return tf.minimum(clipped, limit) as tf.Tensor2D
  })
}

/** How token losses become one number; they differ in how much a long answer counts. */
export type Aggregation = 'token-mean' | 'seq-mean-token-mean' | 'seq-mean-token-sum' | 'constant'

/** @param values, mask [row, time]   @param maxLength divisor of `constant` (Dr. GRPO)   @returns [] */
export function aggregateTokens(
  values: tf.Tensor2D,
  mask: tf.Tensor2D,
  aggregation: Aggregation,
  maxLength: number,
): tf.Scalar {
  return tf.tidy(() => {
    const kept = tf.where(tf.greater(mask, 0), values, tf.zerosLike(values))
    const lengths = tf.sum(mask, 1)
    const rows = values.shape[0]
    if (aggregation === 'token-mean') return tf.div(tf.sum(kept), tf.maximum(tf.sum(lengths), 1)) as tf.Scalar
    if (aggregation === 'constant') return tf.div(tf.sum(kept), rows * maxLength) as tf.Scalar
    const perRow =
      aggregation === 'seq-mean-token-sum' ? tf.sum(kept, 1) : tf.div(tf.sum(kept, 1), tf.maximum(lengths, 1))
    return tf.div(tf.sum(perRow), rows) as tf.Scalar // a row without a token counts as 0, as verl has it
  })
}

export type KlEstimator = 'k1' | 'k2' | 'k3'

/** Each token's estimate of KL(π ‖ π_ref). Any shape. */
export function klEstimate<T extends tf.Tensor>(estimator: KlEstimator, logProbs: T, reference: T): T {
  return { k1: klK1, k2: klK2, k3: klK3 }[estimator](logProbs, reference)
}

/** Each row's reward and prompt as numbers, in the batch's own order. A row that does not exist has a prompt of its own, and reward 0. */
function rowRewards(batch: Batch): { readonly rewards: number[]; readonly groups: number[] } {
  if (batch.kind === 'pairs') {
    const rewards = [...numbersOf(batch.rewardChosen), ...numbersOf(batch.rewardRejected)]
    return { rewards, groups: rewards.map((_reward, row) => row % batch.pairs) }
  }
  invariant(batch.kind === 'groups', 'GRPO gets pairs or groups')
  const valid = numbersOf(batch.valid)
  const rewards = Array.from(numbersOf(batch.rewards), (reward, row) => (valid[row] === 1 ? reward : 0))
  return {
    rewards,
    groups: rewards.map((_reward, row) => (valid[row] === 1 ? Math.floor(row / batch.samples) : -1 - row)),
  }
}

/** This part's share of the batch's aggregate. @param values [row, time−1] */
function aggregateShare(
  batch: Batch,
  totals: BatchTotals,
  values: tf.Tensor2D,
  aggregation: Aggregation,
  maxLength: number,
): tf.Scalar {
  const group = grouped(batch)
  const perRow = tf.sum<tf.Tensor1D>(values, 1)
  if (aggregation === 'token-mean')
    return weightedShare(tf.sum(tf.mul(group.grid(perRow), group.valid), 1), batch.weight, totals.tokens)
  const lengths = tf.maximum(tf.sum(lossMask(batch.tokens), 1), 1)
  const divisor =
    aggregation === 'seq-mean-token-mean' ? lengths : aggregation === 'constant' ? tf.scalar(maxLength) : tf.scalar(1)
  return weightedShare(
    meanOverSamples(group.grid(tf.div(perRow, divisor) as tf.Tensor1D), group.valid),
    batch.weight,
    totals.weight,
  )
}

export const grpo = defineAlgorithm({
  id: 'grpo',
  name: 'GRPO',
  summary: 'Writes k answers, advantages within the group, clipped steps',
  paper: { cite: 'Shao et al., 2024', url: 'https://arxiv.org/abs/2402.03300' },
  vectors: ['grpo_ppo'],
  equation: 'L = −mean of min(ρₜA, clip(ρₜ, 1−ε, 1+ε)A) + β·k3(π ‖ π_ref),   A = (R − mean)/std of the group',
  deviations: [
    'A reward for the whole completion, the same advantage for each of its tokens; process rewards are not built.',
    'ε is added to the unbiased standard deviation (10⁻⁴, as in TRL).',
    'Masked completions count in the group’s mean and deviation and as zeros in the averages over sequences, as in TRL.',
    'A group of one keeps its reward as advantage, as verl has it; it does not occur when the policy writes k of them.',
    'Prompts are those of the data set’s pairs; their logged completions serve only the held-out accuracy and the scale of the rewards.',
  ],
  data: 'response-pairs',
  role: 'policy',
  needsReference: true,
  rewards: (value) => value.rewards,
  rollout: (value) => ({ ...writtenBy(value), samples: value.groupSize, updates: value.updates }),
  config: needsScorable(
    z.strictObject({
      beta: z.number().min(0).max(100).default(0.04).meta({
        title: 'KL weight',
        symbol: 'β',
        help: 'Weight of the k3 estimate of the KL to the reference, in the loss.',
        group: 'main',
      }),
      groupSize: z.int().min(2).max(64).default(8).meta({
        title: 'Completions per prompt',
        symbol: 'k',
        help: 'The policy writes this many; each is compared with their mean.',
        group: 'main',
      }),
      rewards: rewardSource
        .default({ kind: 'length', target: 100 })
        .meta({ title: 'Reward', help: 'Scores what the policy writes: a reward model or a rule.', group: 'main' }),
      normalize: z.boolean().default(true).meta({
        title: 'Divide by deviation',
        help: 'Divide advantages by the group’s standard deviation. It gives easy and hard prompts the same say.',
        group: 'main',
      }),
      updates: z.int().min(1).max(16).default(1).meta({
        title: 'Updates per set',
        symbol: 'μ',
        help: 'Optimizer updates on one set of samples; clipping matters from the second on.',
        group: 'expert',
      }),
      clipLow: z.number().positive().lt(1).default(0.2).meta({
        title: 'Clip below',
        symbol: 'ε',
        help: 'The ratio to the writing policy counts down to 1 − ε.',
        group: 'expert',
      }),
      clipHigh: z.number().positive().max(10).default(0.2).meta({
        title: 'Clip above',
        help: 'The ratio counts up to 1 + this; 0.28 is “clip higher”.',
        group: 'expert',
      }),
      average: z
        .enum(['token-mean', 'seq-mean-token-mean', 'seq-mean-token-sum', 'constant'])
        .default('seq-mean-token-mean')
        .meta({
          title: 'Average',
          help: 'How token losses become one number; they differ in how much long completions count. The paper averages within each sequence first.',
          group: 'expert',
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
        'The clipped surrogate plus KL. On fresh samples it starts near 0 at every step, because the advantages of a group add up to 0: read the reward of roll-outs.',
      ),
      goal: 'none',
    },
    ADVANTAGE_INFO,
    {
      name: 'clip/share',
      label: 'Clipped tokens',
      unit: 'fraction',
      goal: 'none',
      help: 'Share of tokens whose ratio to the writing policy is past the clip. 0 with one update for each set of samples; a few percent otherwise.',
    },
    ...ROLLOUT_INFO,
    ...REWARD_INFO,
    ...LOG_PROB_INFO,
    ...KL_INFO,
  ],
  mainMetric: 'eval/rollout/reward',
  presets: [
    {
      id: 'small',
      title: 'Small model',
      suits: ['new'],
      note: 'For Pairlab’s own models, from a finished SFT run. A healthy run: the reward of roll-outs rises, entropy falls slowly, lengths stay where the reward wants them, few prompts are without a signal.',
      config: {},
      training: SMALL_WRITER,
    },
    ...forPretrained('policy-gradient'),
    {
      id: 'paper',
      title: 'DeepSeekMath',
      note: 'Shao et al. (2024): β 0.04, learning rate 1e-6, 64 completions of each prompt, one update for each set.',
      config: { beta: 0.04, groupSize: 64, updates: 1 },
      training: { steps: 1000, batchSize: 16, learningRate: 1e-6, warmupFraction: 0, schedule: 'constant' },
    },
    {
      id: 'dr-grpo',
      title: 'Dr. GRPO',
      note: 'Liu et al. (2025), arXiv 2503.20783: advantages are not divided by the deviation, token losses are divided by the longest completion instead of each one’s own, and there is no KL; 8 completions, learning rate 1e-6.',
      config: { beta: 0, groupSize: 8, normalize: false, average: 'constant' },
      training: { steps: 1000, batchSize: 128, learningRate: 1e-6, warmupFraction: 0, schedule: 'constant' },
    },
    {
      id: 'dapo',
      title: 'DAPO',
      note: 'Yu et al. (2025), arXiv 2503.14476: clip higher (0.28 above, 0.2 below), every token of the batch counts alike, no KL, completions that were cut are masked (§3.4); 16 completions, learning rate 1e-6. Without its dynamic sampling (see the share of prompts without a signal) and its soft punishment of overlong answers.',
      config: {
        beta: 0,
        groupSize: 16,
        clipLow: 0.2,
        clipHigh: 0.28,
        average: 'token-mean',
        maskTruncated: true,
      },
      training: { steps: 1000, batchSize: 512, learningRate: 1e-6, warmupFraction: 0.02, schedule: 'constant' },
    },
  ],
  loss({ network, batch, totals, config }) {
    invariant(batch.reference !== null, 'GRPO gets reference log-probs')
    const logProbs = network.tokenLogProbs(batch.tokens)
    const { rewards, groups } = rowRewards(batch)
    const gains = groupAdvantages(rewards, groups, { normalize: config.normalize, epsilon: 1e-4 })
    // On samples that were just written, or on logged ones, the policy is its own predecessor: the ratio is 1, with its gradient.
    const old = (batch.kind === 'groups' ? batch.old : null) ?? stopGradient(logProbs)
    const surrogate = clippedSurrogate(logProbs, old, gains, { low: config.clipLow, high: config.clipHigh, dual: null })
    const mask = lossMask(batch.tokens)
    const penalty = tf.mul(klEstimate('k3', logProbs, batch.reference), config.beta)
    const perToken = tf.where(tf.greater(mask, 0), tf.add(surrogate, penalty), tf.zerosLike(mask)) as tf.Tensor2D
    const loss = aggregateShare(batch, totals, perToken, config.average, config.rolloutTokens)
    const ratio = tf.exp(tf.sub(logProbs, old))
    const past = tf.logicalOr(tf.less(ratio, 1 - config.clipLow), tf.greater(ratio, 1 + config.clipHigh))
    const group = grouped(batch)
    return {
      loss,
      metrics: {
        loss,
        [ADVANTAGE_INFO.name]: weightedShare(
          meanOverSamples(group.grid(tf.tensor1d(gains.map(Math.abs))), group.valid),
          batch.weight,
          totals.weight,
        ),
        'clip/share': aggregateShare(batch, totals, tf.mul(tf.cast(past, 'float32'), mask), 'token-mean', 1),
        ...policyMetrics(batch, totals, logProbs, batch.reference, sequenceLogRatios(logProbs, batch.reference), 1),
      },
    }
  },
})
