// Low-Rank Adaptation (Hu et al., ICLR 2022), arXiv 2106.09685
import { tf } from '../tf.ts'

export interface LoraWeights {
  /** Frozen [out, in] */
  readonly weight: tf.Tensor2D
  /** [rank, in] */
  readonly a: tf.Tensor2D
  /** [out, rank] */
  readonly b: tf.Tensor2D
  /** α / rank */
  readonly scale: number
}

/** Eq. 3: y = x Wᵀ + scale · x Aᵀ Bᵀ, the update never formed as a matrix. [row, in] → [row, out] */
export function loraLinear(x: tf.Tensor2D, { weight, a, b, scale }: LoraWeights): tf.Tensor2D {
  const low = tf.matMul(tf.matMul(x, a, false, true), b, false, true)
  return tf.add(tf.matMul(x, weight, false, true), tf.mul(low, scale)) as tf.Tensor2D
}

/** W + scale · B A, for use without the adapter [out, in]. */
export function mergeLora({ weight, a, b, scale }: LoraWeights): tf.Tensor2D {
  return tf.add(weight, tf.mul(tf.matMul(b, a), scale)) as tf.Tensor2D
}
