import { tf } from './tf.ts'

const known = new WeakMap<tf.Tensor, Float32Array | Int32Array>()

/**
 * A tensor of a batch, whose numbers stay in memory beside it: methods ask which rows there are and what a row is worth, and
 * from a graphics card nothing can be read at once.
 */
export function tensorOf<R extends tf.Rank>(
  values: Float32Array | Int32Array | readonly number[],
  shape: tf.ShapeMap[R],
): tf.Tensor<R> {
  const numbers = Array.isArray(values) ? Float32Array.from(values) : (values as Float32Array | Int32Array) // no other array is given
  const tensor = tf.tensor<R>(numbers, shape, numbers instanceof Int32Array ? 'int32' : 'float32')
  known.set(tensor, numbers)
  return tensor
}

/** The numbers of such a tensor; of another those that its engine can give at once. Nobody writes into them. */
export function numbersOf(tensor: tf.Tensor): Float32Array | Int32Array {
  return known.get(tensor) ?? tensor.dataSync<'float32' | 'int32'>()
}
