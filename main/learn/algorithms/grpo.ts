// Group Relative Policy Optimization (Shao et al., 2024), arXiv 2402.03300, on PPO's clipped surrogate (Schulman et
// al., 2017), arXiv 1707.06347, with the dual clip of Ye et al. (2020), arXiv 1912.09729.
import { klK1, klK2, klK3 } from '../ops.ts'
import { tf } from '../tf.ts'

export interface GroupAdvantageOptions {
  /** Divide by the group's unbiased standard deviation + ε. */
  readonly normalize: boolean
  readonly epsilon: number
}

/**
 * A = R − mean of the group [, over its deviation]; a group of one keeps its reward, as verl has it.
 * @param rewards, groups one number and one group id a row, host-side [row]   @returns [row]
 */
export function groupAdvantages(rewards: readonly number[], groups: readonly number[], { normalize, epsilon }: GroupAdvantageOptions): number[] {
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
export function clippedSurrogate(logProbs: tf.Tensor2D, old: tf.Tensor2D, advantages: readonly number[], { low, high, dual }: ClipOptions): tf.Tensor2D {
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
export function aggregateTokens(values: tf.Tensor2D, mask: tf.Tensor2D, aggregation: Aggregation, maxLength: number): tf.Scalar {
  return tf.tidy(() => {
    const kept = tf.where(tf.greater(mask, 0), values, tf.zerosLike(values))
    const lengths = tf.sum(mask, 1)
    const rows = values.shape[0]
    if (aggregation === 'token-mean') return tf.div(tf.sum(kept), tf.maximum(tf.sum(lengths), 1)) as tf.Scalar
    if (aggregation === 'constant') return tf.div(tf.sum(kept), rows * maxLength) as tf.Scalar
    const perRow = aggregation === 'seq-mean-token-sum' ? tf.sum(kept, 1) : tf.div(tf.sum(kept, 1), tf.maximum(lengths, 1))
    return tf.div(tf.sum(perRow), rows) as tf.Scalar // a row without a token counts as 0, as verl has it
  })
}

export type KlEstimator = 'k1' | 'k2' | 'k3'

/** Each token's estimate of KL(π ‖ π_ref). Any shape. */
export function klEstimate<T extends tf.Tensor>(estimator: KlEstimator, logProbs: T, reference: T): T {
  return { k1: klK1, k2: klK2, k3: klK3 }[estimator](logProbs, reference)
}
