// Densities of continuous actions. All take [row, action] and give [row].
import { tf } from '../tf.ts'

/** −‖a − μ‖²: the head of CPL's official code, a Gaussian of unit variance without its factor ½ and its constant. */
export function unitVarianceLogProb(mean: tf.Tensor2D, action: tf.Tensor2D): tf.Tensor1D {
  return tf.neg(tf.sum(tf.squaredDifference(action, mean), 1)) as tf.Tensor1D
}

/** log N(a; μ, e^{2 log σ}) with a diagonal covariance. */
export function diagonalLogProb(mean: tf.Tensor2D, logStd: tf.Tensor2D, action: tf.Tensor2D): tf.Tensor1D {
  return tf.tidy(() => {
    const z = tf.div(tf.sub(action, mean), tf.exp(logStd))
    const each = tf.add(tf.add(tf.mul(tf.square(z), 0.5), logStd), 0.5 * Math.log(2 * Math.PI))
    return tf.neg(tf.sum(each, 1)) as tf.Tensor1D
  })
}

/** Actions stay this far from ±1, where their pre-image is infinite. */
export const ACTION_MARGIN = 1e-5

/** Density of a = tanh(u), u ~ N(μ, σ²): log N(u) − Σ log(1 − a²) (Haarnoja et al., 2018). */
export function tanhLogProb(mean: tf.Tensor2D, logStd: tf.Tensor2D, action: tf.Tensor2D): tf.Tensor1D {
  return tf.tidy(() => {
    const inside = tf.clipByValue(action, -1 + ACTION_MARGIN, 1 - ACTION_MARGIN) as tf.Tensor2D
    const before = tf.mul(tf.sub(tf.log1p(inside), tf.log1p(tf.neg(inside))), 0.5) as tf.Tensor2D // atanh
    return tf.sub(diagonalLogProb(mean, logStd, before), tf.sum(tf.log1p(tf.neg(tf.square(inside))), 1)) as tf.Tensor1D
  })
}
