// Matrices that do not train, kept as bfloat16: half the memory, for numbers of eight significant bits. They are
// multiplied as if they were widened to float32 first, which changes no bit of them.
import { tf } from '../tf.ts'
import { FUSED_KERNELS, gatherRows, hasKernel, runKernel } from './fused.ts'

/** Two numbers to a 32-bit word, row by row, the first in the low half; a last half word is 0. */
export interface FrozenMatrix {
  readonly packed: tf.Tensor1D
  readonly shape: readonly [number, number]
}

export type Matrix = tf.Tensor2D | FrozenMatrix

/** The nearest bfloat16 of each number, ties to the even one; NaN stays NaN. */
export function toBfloat16(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length)
  const words = new Uint16Array(values.length)
  for (let at = 0; at < bits.length; at += 1) {
    const value = bits[at]!
    words[at] =
      (value & 0x7fffffff) > 0x7f800000 ? (value >>> 16) | 0x40 : (value + 0x7fff + ((value >>> 16) & 1)) >>> 16
  }
  return words
}

export function fromBfloat16(words: Uint16Array): Float32Array {
  const values = new Float32Array(words.length)
  const bits = new Uint32Array(values.buffer)
  for (let at = 0; at < words.length; at += 1) bits[at] = words[at]! << 16
  return values
}

/** Kept until it is disposed of. @param values row by row */
export function freezeMatrix(values: Float32Array, shape: readonly [number, number]): FrozenMatrix {
  const words = new Uint16Array(values.length + (values.length % 2))
  words.set(toBfloat16(values))
  return { packed: tf.keep(tf.tensor1d(new Int32Array(words.buffer), 'int32')), shape }
}

export function isFrozen(matrix: tf.Tensor | FrozenMatrix): matrix is FrozenMatrix {
  return 'packed' in matrix
}

/** All its numbers. */
export async function readFrozen({ packed, shape }: FrozenMatrix): Promise<Float32Array> {
  return widened(await packed.data<'int32'>(), shape)
}

function widened(words: Int32Array, [rows, columns]: readonly [number, number]): Float32Array {
  return fromBfloat16(new Uint16Array(words.buffer, words.byteOffset, rows * columns))
}

/** Where an engine has no kernel: the whole matrix for as long as the operation takes. Engines that answer only later have none. */
function plain({ packed, shape }: FrozenMatrix): tf.Tensor2D {
  return tf.tensor2d(widened(packed.dataSync<'int32'>(), shape), [...shape])
}

/** x · W, or x · Wᵀ; no gradient for W. x [n, in] → [n, out] */
export function multiply(x: tf.Tensor2D, matrix: Matrix, transposed: boolean): tf.Tensor2D {
  if (!isFrozen(matrix)) return tf.matMul(x, matrix, false, transposed)
  const product = tf.customGrad((input) => ({
    value: frozenProduct(input as tf.Tensor2D, matrix, transposed),
    gradFunc: (dy) => frozenProduct(dy as tf.Tensor2D, matrix, !transposed),
  }))
  return product(x) as tf.Tensor2D
}

function frozenProduct(x: tf.Tensor2D, matrix: FrozenMatrix, transposed: boolean): tf.Tensor2D {
  if (!hasKernel(FUSED_KERNELS.frozenProduct)) return tf.tidy(() => tf.matMul(x, plain(matrix), false, transposed))
  const [rows, columns] = matrix.shape
  return runKernel(
    FUSED_KERNELS.frozenProduct,
    { x, packed: matrix.packed },
    { rows, columns, transposed },
  )[0] as tf.Tensor2D
}

/** Rows of a matrix; no gradient for a frozen one. @param indices [n] → [n, column] */
export function rowsOf(matrix: Matrix, indices: Int32Array): tf.Tensor2D {
  if (!isFrozen(matrix)) return gatherRows(matrix, indices)
  if (!hasKernel(FUSED_KERNELS.frozenGather)) return tf.tidy(() => gatherRows(plain(matrix), indices))
  const [rows, columns] = matrix.shape
  return runKernel(FUSED_KERNELS.frozenGather, { packed: matrix.packed }, { rows, columns, indices })[0] as tf.Tensor2D
}
