import { tf } from '../tf.ts'

/** Whether what is computed now may be differentiated. Where it may not, as in sampling, an operation's gradient is only in the way. */
export function recordsGradients(): boolean {
  return tf.engine().state.gradientDepth > 0
}

/** tf.customGrad with the types it really has. */
export function withGradient(
  inputs: readonly tf.Tensor[],
  forward: (inputs: readonly tf.Tensor[], save: (tensors: tf.Tensor[]) => void) => tf.Tensor,
  backward: (dy: tf.Tensor, saved: readonly tf.Tensor[]) => tf.Tensor[],
): tf.Tensor {
  if (!recordsGradients()) return forward(inputs, () => undefined)
  const op = tf.customGrad((...given) => {
    const save = given.at(-1) as unknown as (tensors: tf.Tensor[]) => void
    return {
      value: forward(given.slice(0, -1) as tf.Tensor[], save),
      gradFunc: (dy, saved) => backward(dy as tf.Tensor, saved as tf.Tensor[]),
    }
  })
  return op(...inputs)
}
