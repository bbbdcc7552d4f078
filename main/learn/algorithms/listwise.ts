// Supervised losses over one query's list: the baselines of PG-RANK. Scores [document] → [].
import { softplus } from '../ops.ts'
import { tf } from '../tf.ts'
import { placementLogProbs } from './plackett-luce.ts'

/** −Σ (rel_i / Σ rel) log softmax(s)_i; 0 where nothing is relevant. */
export function softmaxCrossEntropy(scores: tf.Tensor1D, relevance: readonly number[]): tf.Scalar {
  const sum = relevance.reduce((total, value) => total + value, 0)
  return tf.tidy(() => tf.neg(tf.sum(tf.mul(tf.logSoftmax(scores), tf.tensor1d(relevance.map((value) => (sum === 0 ? 0 : value / sum)))))) as tf.Scalar)
}

/** ListNet's top-one form: cross-entropy from softmax(rel) (Cao et al., ICML 2007). */
export function listNetLoss(scores: tf.Tensor1D, relevance: readonly number[]): tf.Scalar {
  return tf.tidy(() => tf.neg(tf.sum(tf.mul(tf.logSoftmax(scores), tf.softmax(tf.tensor1d([...relevance]))))) as tf.Scalar)
}

/** Mean of log(1 + e^{−(s_i − s_j)}) over the pairs with rel_i > rel_j (Burges et al., ICML 2005); 0 without a pair. */
export function rankNetLoss(scores: tf.Tensor1D, relevance: readonly number[]): tf.Scalar {
  const count = relevance.length
  const mask = relevance.flatMap((above) => relevance.map((below) => (above > below ? 1 : 0)))
  const pairs = mask.reduce<number>((sum, value) => sum + value, 0)
  return tf.tidy(() => {
    const differences = tf.sub(tf.expandDims(scores, 1), tf.expandDims(scores, 0))
    return tf.div(tf.sum(tf.mul(softplus(tf.neg(differences)), tf.tensor2d(mask, [count, count]))), Math.max(1, pairs)) as tf.Scalar
  })
}

/** −log Plackett–Luce probability of the ideal order, ties in the order given (ListMLE: Xia et al., ICML 2008). */
export function listMleLoss(scores: tf.Tensor1D, relevance: readonly number[]): tf.Scalar {
  const ideal = [...relevance.keys()].sort((a, b) => relevance[b]! - relevance[a]! || a - b)
  return tf.tidy(() => tf.neg(tf.sum(placementLogProbs(scores, [ideal], relevance.length))) as tf.Scalar)
}
