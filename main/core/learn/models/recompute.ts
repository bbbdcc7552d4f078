import { gradients } from '../gradients.ts'
import { tf } from '../tf.ts'

/**
 * y = f(x) of which only x is kept: the backward pass computes f again (Chen et al., 2016, "Training Deep Nets with
 * Sublinear Memory Cost"). f must give the same numbers both times and may use the given variables, which get their
 * gradients, and frozen tensors.
 * @param x [token, hidden]   @param variables those that f reads
 */
export function recomputed(
  f: (x: tf.Tensor2D) => tf.Tensor2D,
  x: tf.Tensor2D,
  variables: readonly tf.Variable[],
): tf.Tensor2D {
  const op = tf.customGrad((...given) => {
    const save = given.at(-1) as unknown as (tensors: tf.Tensor[]) => void
    const input = given[0] as tf.Tensor2D
    save([input])
    return {
      value: f(input),
      gradFunc: (dy, saved) =>
        gradientsInside(
          () => f((saved as tf.Tensor[])[0] as tf.Tensor2D),
          [(saved as tf.Tensor[])[0]!, ...variables],
          dy as tf.Tensor,
        ),
    }
  })
  return op(x, ...variables) as tf.Tensor2D
}

/** Gradients within a gradient; 0 by what f does not depend on. */
function gradientsInside(f: () => tf.Tensor, xs: tf.Tensor[], dy: tf.Tensor): tf.Tensor[] {
  const { value, grads } = gradients(f, xs, dy)
  value.dispose()
  return grads.map((grad, at) => grad ?? tf.zerosLike(xs[at]!))
}
