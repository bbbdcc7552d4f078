import { tf } from '../../core/learn/tf.ts'
import { numberOf } from './check.ts'

export interface Descent {
  readonly before: number
  readonly after: number
  /** ‖g‖ by variable. */
  readonly norms: Record<string, number>
  /** The first four numbers of each gradient. */
  readonly firsts: Record<string, number[]>
}

/**
 * A loss over variables and its gradients, and the loss once more after a step of plain gradient descent, which is taken.
 * @param loss made of nothing but the variables and tensors that the caller keeps
 */
export async function descendOnce(
  loss: () => tf.Scalar,
  variables: Readonly<Record<string, tf.Variable>>,
  learningRate: number,
): Promise<Descent> {
  const norms: Record<string, number> = {}
  const firsts: Record<string, number[]> = {}
  const { value, grads } = tf.variableGrads(loss, Object.values(variables))
  for (const [name, variable] of Object.entries(variables)) {
    const gradient = grads[variable.name]!
    const numbers = await gradient.data<'float32'>()
    norms[name] = Math.sqrt(numbers.reduce((sum, one) => sum + one * one, 0))
    firsts[name] = [...numbers.subarray(0, 4)]
    tf.tidy(() => variable.assign(tf.sub(variable, tf.mul(gradient, learningRate))))
  }
  const next = tf.tidy(loss)
  const [before, after] = [await numberOf(value), await numberOf(next)]
  tf.dispose([value, next, grads])
  return { before, after, norms, firsts }
}
