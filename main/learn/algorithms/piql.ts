// Preference-based implicit Q-learning: a reward from preferences between segments (Christiano et al., 2017), then IQL
// (Kostrikov et al., ICLR 2022), arXiv 2110.06169, as the baseline of CPL.
import { logSigmoid, stopGradient } from '../ops.ts'
import { tf } from '../tf.ts'

/** Bradley–Terry on sums of rewards, soft labels. @param first, second rewards [pair, time]   @param secondPreferred [pair]   @returns [pair] */
export function segmentRewardLoss(first: tf.Tensor2D, second: tf.Tensor2D, secondPreferred: tf.Tensor1D): tf.Tensor1D {
  return tf.tidy(() => {
    const margin = tf.sub(tf.sum(second, 1), tf.sum(first, 1)) as tf.Tensor1D
    const loss = tf.add(tf.mul(secondPreferred, logSigmoid(margin)), tf.mul(tf.sub(1, secondPreferred), logSigmoid(tf.neg(margin) as tf.Tensor1D)))
    return tf.neg(loss) as tf.Tensor1D
  })
}

/** |τ − 1[Q − V < 0]| (Q − V)², mean; Q = min of two target critics, held fixed (Eq. 5 there). Any shape. */
export function expectileValueLoss(q1: tf.Tensor, q2: tf.Tensor, v: tf.Tensor, expectile: number): tf.Scalar {
  return tf.tidy(() => {
    const difference = tf.sub(stopGradient(tf.minimum(q1, q2)), v)
    const above = tf.mul(tf.square(tf.relu(difference)), expectile)
    const below = tf.mul(tf.square(tf.relu(tf.neg(difference))), 1 - expectile)
    return tf.mean(tf.add(above, below)) as tf.Scalar
  })
}

/** min(e^{(Q − V)/β}, limit), a number without gradient. Any shape. */
export function advantageWeights(advantage: tf.Tensor, beta: number, limit: number): tf.Tensor {
  return tf.tidy(() => stopGradient(tf.minimum(tf.exp(tf.minimum(tf.div(advantage, beta), Math.log(limit) + 1)), limit)))
}

/** −mean(weight · log π(a | s)) (Eq. 7 there). */
export function weightedActorLoss(logProbs: tf.Tensor, weights: tf.Tensor): tf.Scalar {
  return tf.neg(tf.mean(tf.mul(stopGradient(weights), logProbs))) as tf.Scalar
}

/** r + γ V(s′), with the discount 0 at the end of an episode. Any shape. */
export function criticTarget(reward: tf.Tensor, discount: tf.Tensor, nextValue: tf.Tensor): tf.Tensor {
  return stopGradient(tf.add(reward, tf.mul(discount, nextValue)))
}
