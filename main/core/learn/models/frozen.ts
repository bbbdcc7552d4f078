// Matrices that do not train, kept in fewer bits (packed.ts). They are multiplied as if they were widened to float32
// first, which changes no bit of them.
import { tf } from '../tf.ts'
import { FUSED_KERNELS, gatherRows, hasKernel, runKernel } from './fused.ts'
import { recordsGradients } from './recorded.ts'
import { expectTensor, type TensorSource } from './parameters.ts'
import { fitsGroups, packMatrix, type PackedForm, type PackedMatrix, widen } from './packed.ts'

export interface FrozenMatrix {
  readonly packed: tf.Tensor1D
  readonly form: PackedForm
  readonly shape: readonly [number, number]
}

export type Matrix = tf.Tensor2D | FrozenMatrix

/** Kept until it is disposed of. */
export function freezePacked({ form, words, shape }: PackedMatrix): FrozenMatrix {
  return { packed: tf.keep(tf.tensor1d(words, 'int32')), form, shape }
}

/** Kept until it is disposed of. @param values row by row */
export function freezeMatrix(
  values: Float32Array,
  shape: readonly [number, number],
  form: 'bfloat16' | 'int8' | 'int4' = 'bfloat16',
): FrozenMatrix {
  return freezePacked(packMatrix(values, shape, form))
}

/** `stored`: as the model's file has them, where it has them in fewer bits; float32 where not. */
export type FrozenStorage = 'float32' | 'bfloat16' | 'int8' | 'int4' | 'stored'

/**
 * A parameter kept so; null where it stays float32. Rows that are no whole groups become bfloat16.
 * @throws RangeError naming the tensor that is missing or has another shape
 */
export function freezeFrom(
  source: TensorSource,
  name: string,
  shape: readonly [number, number],
  storage: FrozenStorage,
): FrozenMatrix | null {
  if (storage === 'float32') return null
  if (storage !== 'stored') {
    const { data } = expectTensor(source, name, shape)
    return freezeMatrix(data, shape, fitsGroups(storage, shape[1]) ? storage : 'bfloat16')
  }
  const packed = source.readPacked?.(name) ?? null
  if (packed !== null && (packed.shape[0] !== shape[0] || packed.shape[1] !== shape[1]))
    throw new RangeError(`${name} has shape [${packed.shape.join(', ')}], not [${shape.join(', ')}]`)
  return packed === null ? null : freezePacked(packed)
}

export function isFrozen(matrix: tf.Tensor | FrozenMatrix): matrix is FrozenMatrix {
  return 'packed' in matrix
}

/** All its numbers. */
export async function readFrozen({ packed, form, shape }: FrozenMatrix): Promise<Float32Array> {
  return widen({ form, words: await packed.data<'int32'>() }, 0, shape[0] * shape[1])
}

/** Where an engine has no kernel: the whole matrix for as long as the operation takes. Engines that answer only later have none. */
function plain({ packed, form, shape }: FrozenMatrix): tf.Tensor2D {
  return tf.tensor2d(widen({ form, words: packed.dataSync<'int32'>() }, 0, shape[0] * shape[1]), [...shape])
}

/** x · W, or x · Wᵀ; no gradient for W. x [n, in] → [n, out] */
export function multiply(x: tf.Tensor2D, matrix: Matrix, transposed: boolean): tf.Tensor2D {
  if (!isFrozen(matrix)) return tf.matMul(x, matrix, false, transposed)
  if (!recordsGradients()) return frozenProduct(x, matrix, transposed)
  const product = tf.customGrad((input) => ({
    value: frozenProduct(input as tf.Tensor2D, matrix, transposed),
    gradFunc: (dy) => frozenProduct(dy as tf.Tensor2D, matrix, !transposed),
  }))
  return product(x) as tf.Tensor2D
}

function frozenProduct(x: tf.Tensor2D, matrix: FrozenMatrix, transposed: boolean): tf.Tensor2D {
  if (!hasKernel(FUSED_KERNELS.frozenProduct)) return tf.tidy(() => tf.matMul(x, plain(matrix), false, transposed))
  const { form } = matrix
  const [rows, columns] = matrix.shape
  return runKernel(
    FUSED_KERNELS.frozenProduct,
    { x, packed: matrix.packed },
    { form, rows, columns, transposed },
  )[0] as tf.Tensor2D
}

/** Rows of a matrix; no gradient for a frozen one. @param indices [n] → [n, column] */
export function rowsOf(matrix: Matrix, indices: Int32Array): tf.Tensor2D {
  if (!isFrozen(matrix)) return gatherRows(matrix, indices)
  if (!hasKernel(FUSED_KERNELS.frozenGather)) return tf.tidy(() => gatherRows(plain(matrix), indices))
  const { form } = matrix
  const [rows, columns] = matrix.shape
  return runKernel(
    FUSED_KERNELS.frozenGather,
    { packed: matrix.packed },
    { form, rows, columns, indices },
  )[0] as tf.Tensor2D
}
