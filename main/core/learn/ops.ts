import type { TokenBatch } from './define.ts'
import { tf } from './tf.ts'

/** 1 on the tokens that are predicted and carry loss: the completion and attention masks, shifted with the labels [row, time−1]. */
export function lossMask(tokens: TokenBatch): tf.Tensor2D {
  return tf.tidy(() => dropFirst(tf.mul(tokens.completion, tokens.attention)))
}

/**
 * log π(token t+1 | tokens ≤ t) with the largest logit subtracted first, exactly 0 where the mask is 0, in the value
 * and in the gradient. The gradient is written out (one-hot minus softmax) because a gather's own gradient is a
 * scatter that the wasm engine has no kernel for.
 * @param logits [row, time, vocab]   @returns [row, time−1]
 */
export function tokenLogProbsFromLogits(logits: tf.Tensor3D, tokens: TokenBatch): tf.Tensor2D {
  const [rows, time, vocab] = logits.shape
  const used = tf.slice(logits, [0, 0, 0], [rows, time - 1, vocab])
  const labels = tf.tidy(() => tf.cast(dropFirst(tokens.ids), 'int32'))
  const mask = lossMask(tokens)
  const pick = tf.customGrad((scores, save) => {
    const values = scores as tf.Tensor3D // customGrad loses the rank
    const logProbs = tf.logSoftmax(values)
    const chosen = tf.sum(tf.where(tf.greater(oneHotRows(labels, vocab), 0), logProbs, tf.zerosLike(logProbs)), -1)
    const masked = tf.where(tf.greater(mask, 0), chosen, tf.zerosLike(chosen))
    // Captured tensors are gone by the time the gradient runs; saved ones are kept.
    ;(save as (tensors: tf.Tensor[]) => void)([logProbs, labels, mask])
    return {
      value: masked,
      gradFunc: (dy, saved) => {
        const [savedLogProbs, savedLabels, savedMask] = saved as [tf.Tensor3D, tf.Tensor2D, tf.Tensor2D] // as saved above
        const column = tf.expandDims(tf.where(tf.greater(savedMask, 0), dy as tf.Tensor2D, tf.zerosLike(savedMask)), -1)
        return tf.mul(column, tf.sub(oneHotRows(savedLabels, vocab), tf.exp(savedLogProbs)))
      },
    }
  })
  return pick(used) as tf.Tensor2D
}

/** 1 at each label. Through int32: the wasm engine's own kernel writes integer ones into a float32 result. [...] → [..., vocab] */
function oneHotRows(labels: tf.Tensor, vocab: number): tf.Tensor {
  return tf.cast(tf.oneHot(labels, vocab, 1, 0, 'int32'), 'float32')
}

/** Entropy of each predicted distribution, 0 where the mask is 0 [row, time−1]. */
export function tokenEntropies(logits: tf.Tensor3D, tokens: TokenBatch): tf.Tensor2D {
  return tf.tidy(() => {
    const [rows, time, vocab] = logits.shape
    const logProbs = tf.logSoftmax(tf.slice(logits, [0, 0, 0], [rows, time - 1, vocab]))
    // p·log p → 0 as p → 0: an underflown p times a finite log is already 0.
    const entropy = tf.neg(tf.sum(tf.mul(tf.exp(logProbs), logProbs), -1))
    return tf.where(tf.greater(lossMask(tokens), 0), entropy, tf.zerosLike(entropy)) as tf.Tensor2D
  })
}

/** Log-prob of each completion: the sum over its tokens, 0 for a row without one. [row, time−1] → [row] */
export function sequenceLogProbs(tokenLogProbs: tf.Tensor2D): tf.Tensor1D {
  return tf.sum(tokenLogProbs, 1)
}

/** log π(y) − log π_ref(y), subtracted token by token: near −2000 a float32 sum has lost the fourth decimal. → [row] */
export function sequenceLogRatios(policy: tf.Tensor2D, reference: tf.Tensor2D): tf.Tensor1D {
  return tf.sum(tf.sub(policy, reference), 1)
}

/** Completion tokens of each row [row]. */
export function completionLengths(tokens: TokenBatch): tf.Tensor1D {
  return tf.tidy(() => tf.sum(lossMask(tokens), 1))
}

/** Each completion's sum over its tokens divided by their number, as TRL does; 0 for a row without one. [row] → [row] */
export function meanOverTokens(sums: tf.Tensor1D, lengths: tf.Tensor1D): tf.Tensor1D {
  return tf.div(sums, tf.maximum(lengths, 1))
}

/** log σ(x) = min(x, 0) − log(1 + e^−|x|), for any size of x. */
export function logSigmoid<T extends tf.Tensor>(x: T): T {
  return tf.neg(softplus(tf.neg(x))) as T
}

/** log(1 + e^x), for any size of x. The gradient σ(x) is written out: that of |x| is 0 at x = 0, where σ is ½. */
export function softplus<T extends tf.Tensor>(x: T): T {
  const op = tf.customGrad((input, save) => {
    const value = input as tf.Tensor // customGrad's own types allow a save function here
    ;(save as (tensors: tf.Tensor[]) => void)([value])
    return {
      value: tf.add(tf.relu(value), tf.log1p(tf.exp(tf.neg(tf.abs(value))))),
      gradFunc: (dy, saved) => tf.mul(dy as tf.Tensor, tf.sigmoid((saved as tf.Tensor[])[0]!)),
    }
  })
  return op(x) as T
}

/** k1 = log π − log π_ref on π's own samples: unbiased, of either sign. Any shape. */
export function klK1<T extends tf.Tensor>(logProbs: T, reference: T): T {
  return tf.sub(logProbs, reference)
}

/** k2 = ½ (log π − log π_ref)². */
export function klK2<T extends tf.Tensor>(logProbs: T, reference: T): T {
  return tf.mul(tf.square(tf.sub(logProbs, reference)), 0.5)
}

/** k3 = e^d − d − 1 with d = log π_ref − log π held to ±20: never negative. */
export function klK3<T extends tf.Tensor>(logProbs: T, reference: T): T {
  const difference = tf.clipByValue(tf.sub(reference, logProbs), -20, 20)
  return tf.sub(tf.expm1(difference), difference) as T
}

/** The same values, through which no gradient flows. */
export function stopGradient<T extends tf.Tensor>(x: T): T {
  return tf.customGrad((input) => ({
    value: tf.clone(input as tf.Tensor),
    gradFunc: (dy) => tf.zerosLike(dy as tf.Tensor),
  }))(x) as T
}

/** Rows 0 … pair−1 and rows pair … 2·pair−1 of a pair batch's rows. [2·pair] → [pair], [pair] */
export function splitPairs(rows: tf.Tensor1D, pairs: number): readonly [tf.Tensor1D, tf.Tensor1D] {
  return [tf.slice(rows, [0], [pairs]), tf.slice(rows, [pairs], [pairs])]
}

/** Share of a weighted mean: Σ weight · value / total, in which the total belongs to the whole batch []. */
export function weightedShare(values: tf.Tensor1D, weight: tf.Tensor1D, total: number): tf.Scalar {
  return tf.div(tf.sum(tf.mul(values, weight)), total > 0 ? total : 1) as tf.Scalar
}

/** 1 where a is greater, ½ where equal, else 0 [pair]. A tie is half right, so that an untrained policy scores ½. */
export function fractionGreater(a: tf.Tensor1D, b: tf.Tensor1D): tf.Tensor1D {
  return tf.mul(tf.add(tf.sign(tf.sub(a, b)), 1), 0.5) as tf.Tensor1D
}

/**
 * 1 where the side that most annotators prefer scores higher, 0 where it scores lower, ½ where the scores are equal or
 * the label is a tie [pair]. With p above ½ it is `fractionGreater`.
 */
export function agreementWithLabel(chosen: tf.Tensor1D, rejected: tf.Tensor1D, preference: tf.Tensor1D): tf.Tensor1D {
  const side = tf.mul(tf.sign(tf.sub(chosen, rejected)), tf.sign(tf.sub(preference, 0.5)))
  return tf.mul(tf.add(side, 1), 0.5) as tf.Tensor1D
}

/** x / ‖x‖ row by row; a row of zeros stays zeros, in the value and in the gradient. [row, dim] → the same */
export function normalizeRows(x: tf.Tensor2D): tf.Tensor2D {
  return tf.tidy(() => tf.mul(x, tf.rsqrt(tf.add(tf.sum(tf.square(x), 1, true), 1e-24))) as tf.Tensor2D)
}

function dropFirst<T extends tf.Tensor>(x: T): T {
  const [rows, time] = x.shape as [number, number]
  return tf.slice(x, [0, 1], [rows, time - 1])
}
