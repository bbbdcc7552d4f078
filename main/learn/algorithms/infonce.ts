// InfoNCE (van den Oord et al., 2018), arXiv 1807.03748, with in-batch and hard negatives.
import { normalizeRows } from '../ops.ts'
import { tf } from '../tf.ts'

export type Similarity = 'cosine' | 'dot'

export interface ContrastOptions {
  readonly temperature: number
  readonly similarity: Similarity
  /** A row's hard negatives stand against that row alone, or against all rows. */
  readonly hardNegatives: 'own' | 'all'
}

/**
 * sim(q_i, p_j) / τ, followed by the hard negatives' columns; excluded columns are at −10⁹, before the softmax.
 * @param queries, positives [row, dim]   @param negatives [row, count, dim], or null
 * @param excluded 1 where column j is not a negative of row i (a duplicate, a false negative) [row, row]
 * @returns [row, column]
 */
export function contrastLogits(queries: tf.Tensor2D, positives: tf.Tensor2D, negatives: tf.Tensor3D | null, excluded: tf.Tensor2D | null, { temperature, similarity, hardNegatives }: ContrastOptions): tf.Tensor2D {
  return tf.tidy(() => {
    const unit = (x: tf.Tensor2D): tf.Tensor2D => (similarity === 'cosine' ? normalizeRows(x) : x)
    const q = unit(queries)
    const inBatch = tf.matMul(q, unit(positives), false, true)
    const masked = excluded === null ? inBatch : tf.where(tf.greater(excluded, 0), tf.fill(inBatch.shape, -1e9 * temperature), inBatch)
    if (negatives === null) return tf.div(masked, temperature) as tf.Tensor2D
    const [rows, count, dim] = negatives.shape
    const flat = unit(tf.reshape(negatives, [rows * count, dim]))
    const hard = hardNegatives === 'all' ? tf.matMul(q, flat, false, true) : tf.sum(tf.mul(tf.expandDims(q, 1), tf.reshape(flat, [rows, count, dim])), 2)
    return tf.div(tf.concat([masked, hard as tf.Tensor], 1), temperature) as tf.Tensor2D
  })
}

/** Cross-entropy of row i to column i. [row, column] → [row] */
export function diagonalCrossEntropy(logits: tf.Tensor2D): tf.Tensor1D {
  return tf.tidy(() => {
    const [rows, columns] = logits.shape
    return tf.neg(tf.sum(tf.mul(tf.logSoftmax(logits), tf.eye(rows, columns)), 1)) as tf.Tensor1D
  })
}
