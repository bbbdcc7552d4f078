// Kahneman-Tversky Optimization (Ethayarajh et al., ICML 2024), arXiv 2402.01306
import { stopGradient } from '../ops.ts'
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
export function ktoLoss(ratios: tf.Tensor1D, desirable: tf.Tensor1D, baseline: tf.Scalar, weights: KtoWeights): tf.Tensor1D {
  return tf.tidy(() => {
    const sign = tf.sub(tf.mul(desirable, 2), 1)
    const value = tf.sigmoid(tf.mul(tf.mul(tf.sub(ratios, baseline), weights.beta), sign))
    const weight = tf.add(tf.mul(desirable, weights.desirable), tf.mul(tf.sub(1, desirable), weights.undesirable))
    return tf.mul(weight, tf.sub(1, value)) as tf.Tensor1D
  })
}
