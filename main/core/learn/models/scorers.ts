// Small networks that score documents given as numbers: LETOR features, or vectors of a frozen encoder.
import type { Random } from '../random.ts'
import { tf } from '../tf.ts'

export interface FeatureScorer {
  readonly variables: Readonly<Record<string, tf.Variable>>
  /** [row, feature] → [row] */
  score(features: tf.Tensor2D): tf.Tensor1D
  dispose(): void
}

export interface FeatureScorerOptions {
  readonly features: number
  /** Units of the hidden layers; none is the linear scorer. */
  readonly hidden: readonly number[]
  readonly random: Random
}

/**
 * s = wᵀ tanh(… tanh(x W₁ + b₁) …). The last layer has no bias: only differences of scores count. Weights are uniform
 * within ±√(1/in); a linear scorer begins at 0.
 */
export function createFeatureScorer({ features, hidden, random }: FeatureScorerOptions): FeatureScorer {
  const sizes = [features, ...hidden, 1]
  const variables: Record<string, tf.Variable> = {}
  for (let layer = 0; layer < sizes.length - 1; layer += 1) {
    const [from, to] = [sizes[layer]!, sizes[layer + 1]!]
    const name = `layers.${layer}`
    const values =
      hidden.length === 0 ? new Float32Array(from) : uniform(random.fork(name), from * to, Math.sqrt(1 / from))
    variables[`${name}.weight`] = variableOf(values, [from, to])
    if (layer < hidden.length) variables[`${name}.bias`] = variableOf(new Float32Array(to), [to])
  }
  return {
    variables,
    score: (rows) =>
      tf.tidy(() => {
        let x = rows
        for (let layer = 0; layer <= hidden.length; layer += 1) {
          x = tf.matMul(x, variables[`layers.${layer}.weight`] as tf.Tensor2D)
          const bias = variables[`layers.${layer}.bias`]
          if (bias !== undefined) x = tf.tanh(tf.add(x, bias))
        }
        return tf.reshape(x, [rows.shape[0]])
      }),
    dispose: () => tf.dispose(Object.values(variables)),
  }
}

export interface VectorBiEncoder {
  readonly variables: Readonly<Record<string, tf.Variable>>
  /** [query, in] → [query, dim] */
  encodeQueries(vectors: tf.Tensor2D): tf.Tensor2D
  /** [document, in] → [document, dim] */
  encodeDocuments(vectors: tf.Tensor2D): tf.Tensor2D
  dispose(): void
}

/** s(q, d) = (x_q W_q)·(x_d W_d): a bilinear form of rank `dim`. Weights are normal with deviation √(1/in). */
export function createBilinearBiEncoder({
  queryFeatures,
  documentFeatures,
  dim,
  random,
}: {
  readonly queryFeatures: number
  readonly documentFeatures: number
  readonly dim: number
  readonly random: Random
}): VectorBiEncoder {
  const matrix = (name: string, from: number): tf.Variable => {
    const own = random.fork(name)
    return variableOf(
      Float32Array.from({ length: from * dim }, () => own.normal() * Math.sqrt(1 / from)),
      [from, dim],
    )
  }
  const variables = { query: matrix('query', queryFeatures), document: matrix('document', documentFeatures) }
  return {
    variables,
    encodeQueries: (vectors) => tf.matMul(vectors, variables.query as tf.Tensor2D),
    encodeDocuments: (vectors) => tf.matMul(vectors, variables.document as tf.Tensor2D),
    dispose: () => tf.dispose(Object.values(variables)),
  }
}

function uniform(random: Random, count: number, limit: number): Float32Array {
  return Float32Array.from({ length: count }, () => (2 * random.uniform() - 1) * limit)
}

function variableOf(values: Float32Array, shape: number[]): tf.Variable {
  const initial = tf.tensor(values, shape)
  const variable = tf.variable(initial)
  initial.dispose()
  return variable
}
