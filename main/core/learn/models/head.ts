// The language-model head and the log-probability of a token, fused: tokens × vocabulary is never held as a whole.
import { tf } from '../tf.ts'
import { type Matrix, multiply } from './frozen.ts'
import { FUSED_KERNELS, hasKernel, logProbOf, runKernel } from './fused.ts'

/** Logits held at a time: 64 MB. Fewer rows together would pack the head's matrix more often than they multiply it. */
export const LOGITS_AT_ONCE = 2 ** 24

export interface HeadOptions {
  /** Whether the matrix trains. */
  readonly trains: boolean
  /** Numbers of a piece of logits; for tests. */
  readonly atOnce?: number
}

/**
 * log softmax(h Wᵀ)[target], in pieces of tokens.
 *
 * Where W is frozen the pass itself finds ∂log π/∂h = W[target] − Σ_v π(v) W[v], [token, hidden] in all: the backward
 * pass multiplies it by dy, and two products are enough, as many as without pieces. Where W trains its gradient needs dy
 * before it is summed over tokens, and the logits are computed again.
 * @param hidden [token, hidden]   @param matrix [vocab, hidden]   @param targets [token] → [token]
 */
export function headLogProb(
  hidden: tf.Tensor2D,
  matrix: Matrix,
  targets: Int32Array,
  { trains, atOnce = LOGITS_AT_ONCE }: HeadOptions,
): tf.Tensor1D {
  const [vocab] = matrix.shape
  const rows = Math.max(8, Math.floor(atOnce / vocab / 8) * 8)
  if (targets.length <= rows) return logProbOf(multiply(hidden, matrix, true), targets)
  const pieces = Array.from({ length: Math.ceil(targets.length / rows) }, (_none, at): Piece => {
    const from = at * rows
    return { from, targets: targets.subarray(from, from + rows) }
  })
  if (!tf.engine().isTapeOn())
    return joined(pieces, (piece) => [forward(hidden, matrix, piece).value])[0] as tf.Tensor1D
  return trains ? trainingHead(hidden, matrix as tf.Tensor2D, pieces) : frozenHead(hidden, matrix, pieces)
}

interface Piece {
  readonly from: number
  readonly targets: Int32Array
}

function frozenHead(hidden: tf.Tensor2D, matrix: Matrix, pieces: readonly Piece[]): tf.Tensor1D {
  const op = tf.customGrad((...given) => {
    const save = given.at(-1) as unknown as (tensors: tf.Tensor[]) => void
    const [value, slope] = joined(pieces, (piece) => {
      const { logits, value: logProbs, logSum } = forward(given[0] as tf.Tensor2D, matrix, piece)
      const ones = tf.ones([piece.targets.length]) as tf.Tensor1D
      return [logProbs, multiply(logitsGradient(logits, logSum, ones, piece.targets), matrix, false)]
    })
    save([slope!])
    return {
      value: value!,
      gradFunc: (dy, saved) => tf.mul((saved as tf.Tensor[])[0]!, tf.reshape(dy as tf.Tensor, [-1, 1])),
    }
  })
  return op(hidden) as tf.Tensor1D
}

function trainingHead(hidden: tf.Tensor2D, matrix: tf.Tensor2D, pieces: readonly Piece[]): tf.Tensor1D {
  const op = tf.customGrad((...given) => {
    const save = given.at(-1) as unknown as (tensors: tf.Tensor[]) => void
    const [states, weights] = given as unknown as [tf.Tensor2D, tf.Tensor2D]
    const [value, logSum] = joined(pieces, (piece) => {
      const found = forward(states, weights, piece)
      return [found.value, found.logSum]
    })
    save([states, weights, logSum!])
    return {
      value: value!,
      gradFunc: (dy, saved) => {
        const [states, weights, logSum] = saved as unknown as [tf.Tensor2D, tf.Tensor2D, tf.Tensor1D]
        return tf.tidy(() => backward(states, weights, logSum, dy as tf.Tensor1D, pieces))
      },
    }
  })
  return op(hidden, matrix) as tf.Tensor1D
}

/** → dHidden, dMatrix */
function backward(
  hidden: tf.Tensor2D,
  matrix: tf.Tensor2D,
  logSum: tf.Tensor1D,
  dy: tf.Tensor1D,
  pieces: readonly Piece[],
): tf.Tensor[] {
  let matrixGradient: tf.Tensor2D | null = null
  const [hiddenGradient] = joined(pieces, ({ from, targets }) => {
    const count = targets.length
    const states = tf.slice(hidden, [from, 0], [count, -1])
    const logits = tf.matMul(states, matrix, false, true) as tf.Tensor2D
    const upstream = tf.slice(dy, from, count)
    const gradient = logitsGradient(logits, tf.slice(logSum, from, count), upstream, targets)
    const share = tf.matMul(gradient, states, true, false) as tf.Tensor2D
    const before: tf.Tensor2D | null = matrixGradient
    matrixGradient = tf.keep(before === null ? share : (tf.add(before, share) as tf.Tensor2D))
    before?.dispose()
    return [tf.matMul(gradient, matrix)]
  })
  // Kept over the pieces' scopes; from here on the caller's scope has it.
  const whole = tf.clone(matrixGradient!)
  ;(matrixGradient as tf.Tensor2D | null)?.dispose()
  return [hiddenGradient!, whole]
}

function forward(
  hidden: tf.Tensor2D,
  matrix: Matrix,
  { from, targets }: Piece,
): { readonly logits: tf.Tensor2D; readonly value: tf.Tensor1D; readonly logSum: tf.Tensor1D } {
  const logits = multiply(tf.slice(hidden, [from, 0], [targets.length, -1]), matrix, true)
  if (hasKernel(FUSED_KERNELS.logProb)) {
    const [value, logSum] = runKernel(FUSED_KERNELS.logProb, { logits }, { targets }) as [tf.Tensor1D, tf.Tensor1D]
    return { logits, value, logSum }
  }
  const logSum = tf.logSumExp(logits, 1) as tf.Tensor1D
  const chosen = tf.sum(tf.mul(logits, oneHot(targets, logits.shape[1])), 1) as tf.Tensor1D
  return { logits, value: tf.sub(chosen, logSum), logSum }
}

/** dy · (one-hot − softmax) [token, vocab] */
function logitsGradient(logits: tf.Tensor2D, logSum: tf.Tensor1D, dy: tf.Tensor1D, targets: Int32Array): tf.Tensor2D {
  if (hasKernel(FUSED_KERNELS.logProbGrad))
    return runKernel(FUSED_KERNELS.logProbGrad, { logits, logSum, dy }, { targets })[0] as tf.Tensor2D
  const probabilities = tf.exp(tf.sub(logits, tf.reshape(logSum, [-1, 1])))
  return tf.mul(tf.sub(oneHot(targets, logits.shape[1]), probabilities), tf.reshape(dy, [-1, 1])) as tf.Tensor2D
}

function oneHot(targets: Int32Array, vocab: number): tf.Tensor2D {
  return tf.oneHot(tf.tensor1d(targets, 'int32'), vocab, 1, 0, 'float32') as tf.Tensor2D
}

/** What each piece gives, end to end; nothing else of a piece stays. */
function joined(pieces: readonly Piece[], work: (piece: Piece) => tf.Tensor[]): tf.Tensor[] {
  return tf.tidy(() => {
    const parts = pieces.map((piece) => tf.tidy(() => work(piece)))
    return parts[0]!.map((_first, at) =>
      tf.concat(
        parts.map((part) => part[at]!),
        0,
      ),
    ) // one piece at least, all alike
  })
}
