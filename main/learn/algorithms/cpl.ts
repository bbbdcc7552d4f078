// Contrastive Preference Learning (Hejna et al., ICLR 2024), arXiv 2310.13639
import { logSigmoid, softplus } from '../ops.ts'
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
export function cplLoss(first: tf.Tensor1D, second: tf.Tensor1D, secondPreferred: tf.Tensor1D, lambda: number): tf.Tensor1D {
  const secondWins = tf.neg(logSigmoid(tf.sub(second, tf.mul(first, lambda))))
  const firstWins = tf.neg(logSigmoid(tf.sub(first, tf.mul(second, lambda))))
  return tf.add(tf.mul(secondPreferred, secondWins), tf.mul(tf.sub(1, secondPreferred), firstWins)) as tf.Tensor1D
}

/**
 * Dense mode: the mean over all pairs of a batch that the labels order strictly; ties are left out, and a batch
 * without an ordered pair has loss 0.
 * @param scores S [segment]   @param labels the numbers by which segments are ordered, host-side [segment]
 */
export function denseCplLoss(scores: tf.Tensor1D, labels: readonly number[], lambda: number): { readonly loss: tf.Scalar; readonly pairs: number } {
  const count = labels.length
  const mask = new Float32Array(count * count)
  labels.forEach((better, winner) => labels.forEach((worse, loser) => (mask[winner * count + loser] = better > worse ? 1 : 0)))
  const pairs = mask.reduce((sum, value) => sum + value, 0)
  const loss = tf.tidy(() => {
    // [winner, loser] of S_winner − λ S_loser
    const margins = tf.sub(tf.expandDims(scores, 1), tf.mul(tf.expandDims(scores, 0), lambda))
    return tf.div(tf.sum(tf.mul(softplus(tf.neg(margins)), tf.tensor2d(mask, [count, count]))), Math.max(1, pairs)) as tf.Scalar
  })
  return { loss, pairs }
}

/** Behaviour cloning: −mean log π over the counted steps, each by its weight [segment, time]; 0 where nothing counts. */
export function behaviourCloningLoss(logProbs: tf.Tensor2D, weights: tf.Tensor2D, total: number): tf.Scalar {
  return tf.tidy(() => {
    const kept = tf.where(tf.greater(weights, 0), logProbs, tf.zerosLike(logProbs))
    return tf.neg(tf.div(tf.sum(tf.mul(kept, weights)), total > 0 ? total : 1)) as tf.Scalar
  })
}
