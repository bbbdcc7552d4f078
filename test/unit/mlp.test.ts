import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  blendInto,
  createMlp,
  dense,
  freshMlpWeights,
  mlpShapes,
  orthogonal,
  type MlpConfig,
} from '../../main/core/learn/models/mlp.ts'
import { createRandom } from '../../main/core/learn/random.ts'
import { tf } from '../../main/core/learn/tf.ts'

let before: number
beforeEach(() => {
  before = tf.memory().numTensors
})
afterEach(() => {
  expect(tf.memory().numTensors).toBe(before)
})

const config: MlpConfig = { inputs: 2, hidden: [2], outputs: 1, activation: 'relu', output: 'tanh' }
const weights = {
  '0.weight': { shape: [2, 2], data: Float32Array.of(1, -1, 2, 0.5) },
  '0.bias': { shape: [2], data: Float32Array.of(0.5, -0.25) },
  '1.weight': { shape: [2, 1], data: Float32Array.of(0.5, 2) },
  '1.bias': { shape: [1], data: Float32Array.of(-1) },
}

it('computes what can be worked out by hand', () => {
  const mlp = createMlp(config, weights)
  // x = (1, 2): hidden = relu(1 + 4 + .5, −1 + 1 − .25) = (5.5, 0), out = tanh(2.75 − 1); x = (0, 1): (2.5, .25), tanh(.75)
  const out = tf.tidy(() =>
    mlp
      .apply(
        tf.tensor2d([
          [1, 2],
          [0, 1],
        ]),
      )
      .dataSync<'float32'>(),
  )
  expect([...out]).toEqual([expect.closeTo(Math.tanh(1.75), 6), expect.closeTo(Math.tanh(0.75), 6)])
  expect(mlp.parameterCount).toBe(9)
  mlp.dispose()
})

it.each(['relu', 'tanh', 'linear'] as const)('has the gradient of plain operations: %s', (activation) => {
  tf.tidy(() => {
    const x = tf.tensor2d([
      [0.3, -0.7, 0.2],
      [1.1, 0.4, -0.5],
    ])
    const w = tf.tensor2d([
      [0.2, -0.4],
      [0.7, 0.1],
      [-0.3, 0.9],
    ])
    const b = tf.tensor1d([0.05, -0.1])
    const plain = (...[input, matrix, offset]: tf.Tensor[]): tf.Scalar => {
      const inner = tf.add(tf.matMul(input as tf.Tensor2D, matrix as tf.Tensor2D), offset!)
      const value = activation === 'relu' ? tf.relu(inner) : activation === 'tanh' ? tf.tanh(inner) : inner
      return tf.sum(
        tf.mul(
          value,
          tf.tensor2d([
            [1, 2],
            [-0.5, 3],
          ]),
        ),
      ) as tf.Scalar
    }
    const ours = (...[input, matrix, offset]: tf.Tensor[]): tf.Scalar =>
      tf.sum(
        tf.mul(
          dense(input as tf.Tensor2D, matrix as tf.Tensor2D, offset as tf.Tensor1D, activation),
          tf.tensor2d([
            [1, 2],
            [-0.5, 3],
          ]),
        ),
      ) as tf.Scalar
    const expected = tf
      .grads(plain)([x, w, b])
      .map((gradient) => [...gradient.dataSync<'float32'>()])
    const got = tf
      .grads(ours)([x, w, b])
      .map((gradient) => [...gradient.dataSync<'float32'>()])
    got.forEach((values, at) => values.forEach((value, index) => expect(value).toBeCloseTo(expected[at]![index]!, 5)))
  })
})

describe('fresh weights', () => {
  it.each([
    [7, 4],
    [4, 7],
    [5, 5],
  ])('are orthogonal: %i × %i', (rows, columns) => {
    const data = orthogonal(rows, columns, createRandom(1))
    const [few, many] = rows < columns ? [rows, columns] : [columns, rows]
    const at = (one: number, index: number): number =>
      rows < columns ? data[one * columns + index]! : data[index * columns + one]!
    for (let one = 0; one < few; one += 1) {
      for (let other = 0; other < few; other += 1) {
        const dot = Array.from({ length: many }, (_, index) => at(one, index) * at(other, index)).reduce(
          (sum, value) => sum + value,
          0,
        )
        expect(dot).toBeCloseTo(one === other ? 1 : 0, 5)
      }
    }
  })

  it('follow from the seed', () => {
    const draw = (seed: number) => freshMlpWeights(config, createRandom(seed))
    expect(draw(1)).toEqual(draw(1))
    expect(draw(1)).not.toEqual(draw(2))
    expect(Object.keys(draw(1))).toEqual(Object.keys(mlpShapes(config)))
  })
})

it('leaves units out in training, and keeps the mean', () => {
  const wide = createMlp(
    { inputs: 1, hidden: [2000], outputs: 1, activation: 'relu', output: 'linear' },
    {
      '0.weight': { shape: [1, 2000], data: new Float32Array(2000).fill(1) },
      '0.bias': { shape: [2000], data: new Float32Array(2000) },
      '1.weight': { shape: [2000, 1], data: new Float32Array(2000).fill(1 / 2000) },
      '1.bias': { shape: [1], data: new Float32Array(1) },
    },
  )
  const [value] = tf.tidy(() =>
    wide.apply(tf.ones([1, 1]), { rate: 0.25, random: createRandom(3) }).dataSync<'float32'>(),
  )
  expect(value).not.toBe(1)
  expect(value).toBeCloseTo(1, 1)
  wide.dispose()
})

it('follows another network, and refuses weights of another shape', () => {
  const target = createMlp(config, weights)
  const source = createMlp(config, freshMlpWeights(config, createRandom(5)))
  const old = target.variables['1.weight']!.dataSync<'float32'>().slice()
  blendInto(target, source, 0.25)
  const other = source.variables['1.weight']!.dataSync<'float32'>()
  expect([...target.variables['1.weight']!.dataSync<'float32'>()]).toEqual(
    [...old].map((value, at) => expect.closeTo(0.75 * value + 0.25 * other[at]!, 6)),
  )
  blendInto(target, source, 1)
  expect([...target.variables['0.weight']!.dataSync<'float32'>()]).toEqual([
    ...source.variables['0.weight']!.dataSync<'float32'>(),
  ])
  expect(() => createMlp(config, { ...weights, '1.bias': { shape: [2], data: new Float32Array(2) } })).toThrow(
    '1.bias has shape [2], expected [1]',
  )
  expect(() => createMlp(config, {})).toThrow('no tensor 0.weight')
  target.dispose()
  source.dispose()
})
