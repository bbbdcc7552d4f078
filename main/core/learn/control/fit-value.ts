// A value function fitted to returns that were acted out: what stands for the critic of an oracle in CPL's label scripts.
import { createMlp, freshMlpWeights } from '../models/mlp.ts'
import { createOptimizer, learningRateAt } from '../optimizer.ts'
import type { Random } from '../random.ts'
import { tf } from '../tf.ts'

export interface ValueSamples {
  readonly observationSize: number
  /** [state, observation] */
  readonly observations: Float32Array
  /** Return of the policy from each state [state] */
  readonly returns: Float64Array
}

export interface ValueFitOptions {
  readonly steps: number
  readonly batchSize: number
  readonly learningRate: number
  readonly width: number
  readonly random: Random
}

export interface FittedValue {
  /** [state, observation] → [state] */
  values(observations: Float32Array): Float64Array
  dispose(): void
}

/** Least squares with a network of two layers, on returns brought to mean 0 and deviation 1. @throws RangeError without a state */
export function fitValue(
  { observationSize, observations, returns }: ValueSamples,
  { steps, batchSize, learningRate, width, random }: ValueFitOptions,
): FittedValue {
  const count = returns.length
  if (count === 0) throw new RangeError('there is no state to fit a value to')
  const mean = returns.reduce((sum, value) => sum + value, 0) / count
  const deviation = Math.sqrt(returns.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count) || 1
  const config = {
    inputs: observationSize,
    hidden: [width, width],
    outputs: 1,
    activation: 'relu',
    output: 'linear',
  } as const
  const network = createMlp(config, freshMlpWeights(config, random.fork('value')))
  const optimizer = createOptimizer(
    { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, clipNorm: 0 },
    network.variables,
  )
  const names = Object.entries(network.variables)
  const rows = Math.min(batchSize, count)
  for (let step = 0; step < steps; step += 1) {
    const chosen = Array.from({ length: rows }, () => random.int(count))
    const seen = new Float32Array(rows * observationSize)
    chosen.forEach((state, row) =>
      seen.set(observations.subarray(state * observationSize, (state + 1) * observationSize), row * observationSize),
    )
    tf.tidy(() => {
      const inputs = tf.tensor2d(seen, [rows, observationSize])
      const wanted = tf.tensor2d(chosen.map((state) => [(returns[state]! - mean) / deviation]))
      const { grads } = tf.variableGrads(
        () => tf.mean(tf.squaredDifference(network.apply(inputs), wanted)) as tf.Scalar,
        names.map(([, variable]) => variable),
      )
      optimizer.apply(
        Object.fromEntries(names.map(([name, variable]) => [name, grads[variable.name]!])),
        learningRateAt(step, {
          steps,
          learningRate,
          warmupFraction: 0,
          schedule: 'cosine',
          minLearningRateRatio: 0.05,
        }),
      )
    })
  }
  optimizer.dispose()
  return {
    values(given) {
      const out = tf.tidy(() => network.apply(tf.tensor2d(given, [given.length / observationSize, observationSize])))
      const values = Float64Array.from(out.dataSync<'float32'>(), (value) => mean + deviation * value)
      out.dispose()
      return values
    },
    dispose: () => network.dispose(),
  }
}

/** Share of the variance of `wanted` that `given` explains: 1 is exact, 0 no better than the mean. */
export function explainedVariance(wanted: ArrayLike<number>, given: ArrayLike<number>): number {
  const all = Array.from(wanted)
  const mean = all.reduce((sum, value) => sum + value, 0) / all.length
  const total = all.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return 1 - all.reduce((sum, value, at) => sum + (value - given[at]!) ** 2, 0) / total
}
