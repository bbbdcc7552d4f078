import { createOptimizer } from '../../core/learn/optimizer.ts'
import { tf } from '../../core/learn/tf.ts'

export interface FitOptions {
  readonly variables: Readonly<Record<string, tf.Variable>>
  readonly steps: number
  readonly learningRate: number
  /** Where the rate ends, along a line; 1 keeps it. */
  readonly finalRatio?: number
  readonly weightDecay?: number
}

/** Adam on a loss that makes its own batches; lets other work in now and then. @param loss called with the step, from 0 */
export async function fit(
  { variables, steps, learningRate, finalRatio = 1, weightDecay = 0 }: FitOptions,
  loss: (step: number) => tf.Scalar,
): Promise<void> {
  const optimizer = createOptimizer({ beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay, clipNorm: 0 }, variables)
  const names = Object.entries(variables)
  const list = names.map(([, variable]) => variable)
  for (let step = 0; step < steps; step += 1) {
    const rate = learningRate * (1 - (1 - finalRatio) * (step / Math.max(1, steps - 1)))
    tf.tidy(() => {
      const { grads } = tf.variableGrads(() => loss(step), list)
      optimizer.apply(
        Object.fromEntries(
          names.flatMap(([name, variable]) =>
            grads[variable.name] === undefined ? [] : [[name, grads[variable.name]!]],
          ),
        ),
        rate,
      )
    })
    if (step % 20 === 19) await new Promise((resolve) => setTimeout(resolve, 0))
  }
  optimizer.dispose()
}
