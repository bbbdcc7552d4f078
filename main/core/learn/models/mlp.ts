// Small networks for control: dense layers, each one operation with its gradient written out, since at these sizes a
// step is as long as its number of operations.
import type { Random } from '../random.ts'
import { tf } from '../tf.ts'
import { dropMask } from './dropout.ts'
import { expectTensor, sourceOf, type NamedTensor } from './parameters.ts'

export type Activation = 'relu' | 'tanh' | 'linear'

export interface MlpConfig {
  readonly inputs: number
  /** Units of each hidden layer. */
  readonly hidden: readonly number[]
  readonly outputs: number
  readonly activation: 'relu' | 'tanh'
  readonly output: 'linear' | 'tanh'
}

/** What is left out of the hidden layers during training. */
export interface MlpDropout {
  readonly rate: number
  readonly random: Random
}

export interface Mlp {
  readonly config: MlpConfig
  /** `<layer>.weight` [in, out] and `<layer>.bias` [out] */
  readonly variables: Readonly<Record<string, tf.Variable>>
  readonly parameterCount: number
  /** [row, inputs] → [row, outputs] */
  apply(inputs: tf.Tensor2D, dropout?: MlpDropout | null): tf.Tensor2D
  dispose(): void
}

/** `<layer>.weight`, `<layer>.bias` and their shapes, in order. */
export function mlpShapes({ inputs, hidden, outputs }: MlpConfig): Record<string, readonly number[]> {
  const sizes = [inputs, ...hidden, outputs]
  return Object.fromEntries(
    sizes.slice(1).flatMap((size, layer) => [
      [`${layer}.weight`, [sizes[layer]!, size]],
      [`${layer}.bias`, [size]],
    ]),
  )
}

/** Orthogonal weights (Saxe et al., 2014), biases 0, as the official code of CPL begins. */
export function freshMlpWeights(config: MlpConfig, random: Random): Record<string, NamedTensor> {
  return Object.fromEntries(
    Object.entries(mlpShapes(config)).map(([name, shape]) => {
      const [rows, columns] = shape as [number, number | undefined]
      return [
        name,
        { shape, data: columns === undefined ? new Float32Array(rows) : orthogonal(rows, columns, random.fork(name)) },
      ]
    }),
  )
}

/** Rows or columns, whichever are fewer, are orthonormal: Gram–Schmidt on normal numbers. Row-major [rows, columns] */
export function orthogonal(rows: number, columns: number, random: Random): Float32Array {
  const [few, many] = rows < columns ? [rows, columns] : [columns, rows]
  const basis: Float64Array[] = []
  for (let at = 0; at < few; at += 1) {
    const vector = Float64Array.from({ length: many }, () => random.normal())
    // Twice: once leaves what rounding put back.
    for (const other of [...basis, ...basis]) {
      const overlap = dot(vector, other)
      for (let index = 0; index < many; index += 1) vector[index] = vector[index]! - overlap * other[index]!
    }
    const length = Math.sqrt(dot(vector, vector))
    basis.push(vector.map((value) => value / length))
  }
  const data = new Float32Array(rows * columns)
  for (let row = 0; row < rows; row += 1)
    for (let column = 0; column < columns; column += 1)
      data[row * columns + column] = rows < columns ? basis[row]![column]! : basis[column]![row]!
  return data
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let index = 0; index < a.length; index += 1) sum += a[index]! * b[index]!
  return sum
}

/** @throws RangeError when a tensor is missing or has another shape */
export function createMlp(config: MlpConfig, weights: Readonly<Record<string, NamedTensor>>): Mlp {
  const shapes = mlpShapes(config)
  const source = sourceOf(weights)
  const given = Object.entries(shapes).map(([name, shape]) => [name, expectTensor(source, name, shape)] as const) // all of them before the first is made
  const variables = Object.fromEntries(
    given.map(([name, { shape, data }]) => [name, tf.tidy(() => tf.variable(tf.tensor(data, [...shape]), true))]),
  )
  const layers = config.hidden.length + 1
  return {
    config,
    variables,
    parameterCount: Object.values(variables).reduce((sum, variable) => sum + variable.size, 0),
    apply(inputs, dropout = null) {
      return tf.tidy(() => {
        let x = inputs
        for (let layer = 0; layer < layers; layer += 1) {
          const last = layer === layers - 1
          x = dense(
            x,
            variables[`${layer}.weight`] as unknown as tf.Tensor2D,
            variables[`${layer}.bias`] as unknown as tf.Tensor1D,
            last ? config.output : config.activation,
          ) // ranks as made above
          if (!last && dropout !== null && dropout.rate > 0)
            x = tf.mul(x, dropMask(x.shape, dropout.rate, dropout.random))
        }
        return x
      })
    },
    dispose: () => tf.dispose(Object.values(variables)),
  }
}

/** f(x W + b). x [row, in], weight [in, out], bias [out] → [row, out] */
export function dense(x: tf.Tensor2D, weight: tf.Tensor2D, bias: tf.Tensor1D, activation: Activation): tf.Tensor2D {
  const layer = tf.customGrad((...given) => {
    const [input, matrix, offset] = given as unknown as [tf.Tensor2D, tf.Tensor2D, tf.Tensor1D]
    const save = given.at(-1) as unknown as (tensors: tf.Tensor[]) => void
    const before = tf.add(tf.matMul(input, matrix), offset) as tf.Tensor2D
    const value = activation === 'relu' ? tf.relu(before) : activation === 'tanh' ? tf.tanh(before) : before
    save([input, matrix, value])
    return {
      value,
      gradFunc: (dy, saved) => {
        const [savedInput, savedMatrix, savedValue] = saved as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D] // as saved above
        const inner = slope(dy as tf.Tensor2D, savedValue, activation)
        // A product with ones sums over rows much faster than a reduction along the first axis.
        const ones = tf.ones<tf.Rank.R2>([1, inner.shape[0]])
        return [
          tf.matMul(inner, savedMatrix, false, true),
          tf.matMul(savedInput, inner, true, false),
          tf.reshape(tf.matMul(ones, inner), [inner.shape[1]]),
        ]
      },
    }
  })
  return layer(x, weight, bias) as tf.Tensor2D
}

/** dy · f′, from the value f itself. */
function slope(dy: tf.Tensor2D, value: tf.Tensor2D, activation: Activation): tf.Tensor2D {
  if (activation === 'linear') return dy
  if (activation === 'relu') return tf.mul(dy, tf.step(value))
  return tf.mul(dy, tf.sub(1, tf.square(value)))
}

/** Takes over another network's weights: target ← target + share · (source − target). */
export function blendInto(target: Mlp, source: Mlp, share: number): void {
  tf.tidy(() => {
    for (const [name, variable] of Object.entries(target.variables)) {
      const other = source.variables[name]!
      variable.assign(share === 1 ? tf.clone(other) : tf.add(tf.mul(variable, 1 - share), tf.mul(other, share)))
    }
  })
}
