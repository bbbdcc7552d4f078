// Sequence Likelihood Calibration (Zhao et al., 2023), arXiv 2305.10425, and its hinge on log-ratios as in TRL.
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
export function slicLoss(chosen: tf.Tensor1D, rejected: tf.Tensor1D, target: tf.Tensor1D, options: { readonly delta: number; readonly regularization: number }): tf.Tensor1D {
  const margin = tf.relu(tf.add(tf.sub(rejected, chosen), options.delta))
  return tf.sub(margin, tf.mul(target, options.regularization)) as tf.Tensor1D
}
