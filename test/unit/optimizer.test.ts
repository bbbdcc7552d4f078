import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  clipScale,
  createOptimizer,
  globalNorm,
  learningRateAt,
  type OptimizerConfig,
} from '../../main/core/learn/optimizer.ts'
import { createRandom } from '../../main/core/learn/random.ts'
import { tf } from '../../main/core/learn/tf.ts'
import { openEngine } from '../../main/workers/engine/choose.ts'

beforeAll(async () => {
  await openEngine('cpu')
})

const base: OptimizerConfig = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, clipNorm: 0 }

function twoVariables(): Record<string, tf.Variable> {
  return {
    matrix: tf.variable(
      tf.tensor2d([
        [1, -2],
        [3, 4],
      ]),
    ),
    bias: tf.variable(tf.tensor1d([1, 1])),
  }
}

describe('createOptimizer', () => {
  it('moves every weight by the learning rate on its first step', () => {
    const variables = twoVariables()
    createOptimizer(base, variables).apply(
      {
        matrix: tf.tensor2d([
          [5, -0.1],
          [2, -3],
        ]),
        bias: tf.tensor1d([1, -1]),
      },
      0.1,
    )
    expect(Array.from(variables['matrix']!.dataSync()).map((value) => Math.round(value * 1e4) / 1e4)).toEqual([
      0.9, -1.9, 2.9, 4.1,
    ])
  })

  it('decays matrices only', () => {
    const variables = twoVariables()
    createOptimizer({ ...base, weightDecay: 0.5 }, variables).apply(
      { matrix: tf.zeros([2, 2]), bias: tf.zeros([2]) },
      0.1,
    )
    expect(Array.from(variables['bias']!.dataSync())).toEqual([1, 1])
    expect(variables['matrix']!.dataSync()[3]).toBeCloseTo(3.8, 6)
  })

  it('goes on from its saved state bit for bit', async () => {
    const gradient = (step: number): Record<string, tf.Tensor> => ({
      matrix: tf.tensor2d([
        [Math.sin(step), 1],
        [Math.cos(3 * step), step],
      ]),
      bias: tf.tensor1d([step, -1 / step]),
    })
    const straight = twoVariables()
    const first = createOptimizer(base, straight)
    for (let step = 1; step <= 6; step += 1) first.apply(gradient(step), 0.01)

    const broken = twoVariables()
    const before = createOptimizer(base, broken)
    for (let step = 1; step <= 3; step += 1) before.apply(gradient(step), 0.01)
    const after = createOptimizer(base, broken)
    after.fromTensors(await before.toTensors())
    for (let step = 4; step <= 6; step += 1) after.apply(gradient(step), 0.01)
    expect(after.step).toBe(6)
    for (const name of ['matrix', 'bias']) expect(broken[name]!.dataSync()).toEqual(straight[name]!.dataSync())
  })

  it('keeps the number of tensors and refuses a state of another shape', () => {
    const variables = twoVariables()
    const optimizer = createOptimizer(base, variables)
    const gradients = { matrix: new Float32Array(4).fill(1), bias: new Float32Array(2).fill(1) }
    const before = tf.memory().numTensors
    optimizer.apply(gradients, 0.1)
    expect(tf.memory().numTensors).toBe(before)
    expect(() => optimizer.fromTensors({ step: { data: Float32Array.of(1) } })).toThrow('m/matrix')
    expect(() => optimizer.apply({ matrix: new Float32Array(3) }, 0.1)).toThrow('3 values')
  })

  it('reports the norm before clipping and clips the whole', () => {
    const variables = twoVariables()
    const { gradNorm, clipped } = createOptimizer({ ...base, kind: 'sgd', clipNorm: 1 }, variables).apply(
      {
        matrix: tf.tensor2d([
          [3, 0],
          [0, 0],
        ]),
        bias: tf.tensor1d([0, 4]),
      },
      1,
    )
    expect([gradNorm, clipped]).toEqual([5, true])
    expect(variables['matrix']!.dataSync()[0]).toBeCloseTo(0.4, 5)
    expect(clipScale(5, 0)).toBe(1)
  })
})

describe('learningRateAt', () => {
  const schedule = {
    steps: 10,
    learningRate: 1,
    warmupFraction: 0.1,
    schedule: 'linear' as const,
    minLearningRateRatio: 0.5,
  }
  it('rises over the warm-up and ends at the floor', () => {
    expect([0, 1, 10, 99].map((step) => learningRateAt(step, schedule))).toEqual([0, 1, 0.5, 0.5])
    expect(learningRateAt(0, { ...schedule, warmupFraction: 0 })).toBe(1)
    expect(learningRateAt(9, { ...schedule, warmupFraction: 0, schedule: 'constant' })).toBe(1)
  })
})

describe('the wasm engine takes the same steps', () => {
  const sizes = { big: [130, 257], odd: [3, 5], bias: [7], one: [1] } as const
  const config: OptimizerConfig = { ...base, weightDecay: 0.1, clipNorm: 2 }
  const random = createRandom(4)
  const numbers = (): Record<string, Float32Array> =>
    Object.fromEntries(
      Object.entries(sizes).map(([name, shape]) => [
        name,
        Float32Array.from({ length: shape.reduce<number>((a, b) => a * b, 1) }, () => random.normal()),
      ]),
    )
  const start = numbers()
  const gradients = Array.from({ length: 5 }, numbers)

  /** Weights and state after five updates, and every norm. */
  async function train(
    engine: 'cpu' | 'wasm',
    threads: number,
  ): Promise<{ weights: Float32Array[]; state: Record<string, Float32Array>; norms: number[]; tensors: number }> {
    await openEngine(engine, { threads })
    const before = tf.memory().numTensors
    const variables = Object.fromEntries(
      Object.entries(sizes).map(([name, shape]) => [
        name,
        tf.tidy(() => tf.variable(tf.tensor(start[name]!, [...shape]))),
      ]),
    )
    const optimizer = createOptimizer(config, variables)
    const norms = gradients.map((step, index) => {
      const tensors = Object.fromEntries(
        Object.entries(step).map(([name, values]) => [name, tf.tensor(values, [...sizes[name as keyof typeof sizes]])]),
      )
      expect(globalNorm(Object.values(tensors))).toBeCloseTo(globalNorm(Object.values(step)), 9)
      const { gradNorm } = optimizer.apply(index % 2 === 0 ? tensors : step, 0.01)
      tf.dispose(tensors)
      return gradNorm
    })
    const weights = Object.values(variables).map((variable) => variable.dataSync<'float32'>().slice())
    const state = Object.fromEntries(
      Object.entries(await optimizer.toTensors()).map(([name, { data }]) => [name, data]),
    )
    optimizer.dispose()
    tf.dispose(Object.values(variables))
    return { weights, state, norms, tensors: tf.memory().numTensors - before }
  }

  afterAll(async () => {
    await openEngine('cpu')
  })

  for (const threads of [1, 2, 3]) {
    it(`on ${threads} thread${threads === 1 ? '' : 's'}`, async () => {
      const expected = await train('cpu', 1)
      const actual = await train('wasm', threads)
      expect(actual.tensors).toBe(0)
      expect(Object.keys(actual.state)).toEqual(Object.keys(expected.state))
      const near = (one: Float32Array, other: Float32Array): number =>
        Math.max(...one.map((value, index) => Math.abs(value - other[index]!)))
      actual.weights.forEach((values, index) => expect(near(values, expected.weights[index]!)).toBeLessThan(4e-6))
      for (const [name, values] of Object.entries(actual.state))
        expect(near(values, expected.state[name]!), name).toBeLessThan(1e-6)
      actual.norms.forEach((norm, index) => expect(norm).toBeCloseTo(expected.norms[index]!, 6))
    })
  }

  it('and the next product sees the new weights, while a copy keeps the old', async () => {
    await openEngine('wasm')
    const weight = tf.variable(tf.ones([64, 64]))
    const optimizer = createOptimizer(base, { weight })
    const old = tf.clone(weight)
    const product = (matrix: tf.Tensor): number =>
      tf.tidy(() => tf.matMul(tf.ones([64, 64]), matrix as tf.Tensor2D).dataSync()[0]!)
    expect(product(weight)).toBe(64)
    optimizer.apply({ weight: tf.ones([64, 64]) }, 0.5)
    expect(product(weight)).toBeCloseTo(32, 4)
    expect(product(old)).toBe(64)
    optimizer.dispose()
  })

  it('and names a norm that is not finite', async () => {
    await openEngine('wasm')
    expect(globalNorm([tf.tensor1d([1, Infinity])])).toBe(Infinity)
    expect(globalNorm([tf.tensor1d([1]), tf.tensor1d([NaN])])).toBeNaN()
    expect(globalNorm([tf.tensor1d([1e30, 1e30])])).toBeCloseTo(Math.SQRT2 * 1e30, -24)
  })
})
