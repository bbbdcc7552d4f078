// REINFORCE Leave-One-Out (Kool et al. 2019; Ahmadian et al., ACL 2024), arXiv 2402.14740.
// Only the losses: the method needs fresh samples at each step. CoPG's k-sample form has the same gradient off-policy.
import { stopGradient } from '../ops.ts'
import { tf } from '../tf.ts'

export type Baseline = 'none' | 'constant' | 'rloo' | 'group-mean'

/** R_β(y) = R(y) − β (log π(y) − log π_ref(y)), a number and not a function of π. All [prompt, sample]. */
export function regularizedRewards(rewards: tf.Tensor2D, ratios: tf.Tensor2D, beta: number): tf.Tensor2D {
  return stopGradient(tf.sub(rewards, tf.mul(ratios, beta)) as tf.Tensor2D)
}

/**
 * R_β − b. Leave-one-out takes the mean of the other samples of the prompt, which for k samples is k/(k−1) times the
 * distance from the group's mean; with k = 1 there is nothing to compare with, and the advantage is 0.
 * @param regularized R_β [prompt, sample]   @param constant b of the baseline `constant`   @returns [prompt, sample]
 */
export function advantages(regularized: tf.Tensor2D, baseline: Baseline, constant = 0): tf.Tensor2D {
  if (baseline === 'none') return regularized
  if (baseline === 'constant') return tf.sub(regularized, constant)
  const samples = regularized.shape[1]
  if (samples === 1) return tf.zerosLike(regularized)
  const fromMean = tf.sub(regularized, tf.mean(regularized, 1, true)) as tf.Tensor2D
  return baseline === 'group-mean' ? fromMean : tf.mul(fromMean, samples / (samples - 1))
}

/** −A log π(y), A held fixed, of each sample [prompt, sample]. */
export function policyGradientLoss(logProbs: tf.Tensor2D, advantage: tf.Tensor2D): tf.Tensor2D {
  return tf.neg(tf.mul(stopGradient(advantage), logProbs)) as tf.Tensor2D
}
