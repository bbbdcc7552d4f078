// Sums whose gradients need no operand: the library keeps both, for their shapes, until the backward pass.
import { tf } from '../tf.ts'
import { recordsGradients } from './recorded.ts'

/** x + y of one shape. */
export function addLike(x: tf.Tensor2D, y: tf.Tensor2D): tf.Tensor2D {
  if (!recordsGradients()) return tf.add(x, y)
  const op = tf.customGrad((...given) => ({
    value: tf.add(given[0] as tf.Tensor, given[1] as tf.Tensor),
    gradFunc: (dy) => [tf.clone(dy as tf.Tensor), tf.clone(dy as tf.Tensor)],
  }))
  return op(x, y) as tf.Tensor2D
}

/** x + bias, the same for each row. x [row, column], bias [column] */
export function addBias(x: tf.Tensor2D, bias: tf.Tensor1D): tf.Tensor2D {
  if (!recordsGradients()) return tf.add(x, bias)
  const op = tf.customGrad((...given) => ({
    value: tf.add(given[0] as tf.Tensor, given[1] as tf.Tensor),
    gradFunc: (dy) => [tf.clone(dy as tf.Tensor), tf.sum(dy as tf.Tensor, 0)],
  }))
  return op(x, bias) as tf.Tensor2D
}
