// Products with a matrix kept in fewer bits (main/core/learn/models/frozen.ts): a block of it at a time is widened into scratch
// space that stays in the second-level cache, and multiplied there. Sums run in the order of the whole product.
import { FUSED_KERNELS } from '../../core/learn/models/fused.ts'
import {
  addressOf,
  floatsAt,
  type KernelCall,
  nativeModule,
  registerWasmKernel,
  type TensorHandle,
  type WasmBackend,
} from './wasm-backend.ts'
import { packedBytes, type PackedForm, widen } from '../../core/learn/models/packed.ts'
import { BLOCK_DEPTH } from './wasm-product.ts'
import { UNITS } from './wasm-widen.ts'

export function registerFrozenKernels(): void {
  registerWasmKernel(FUSED_KERNELS.frozenProduct, frozenProduct)
  registerWasmKernel(FUSED_KERNELS.frozenGather, frozenGather)
}

/** Numbers that are widened at a time: a megabyte. */
const BLOCK_NUMBERS = 262_144
const WIDENED_PER_CHUNK = 32_768

const KERNELS = { bfloat16: 'widen', int4: 'widenInt4', int8: 'widenInt8', int8x16: 'widenInt8x16' } as const

interface Packed {
  readonly form: PackedForm
  readonly at: number
  readonly columns: number
}

/** Rows `first` … of the matrix, as float32 in scratch space. → their address */
function widenRows(backend: WasmBackend, { form, at, columns }: Packed, first: number, rows: number): number {
  const native = nativeModule(backend)
  const { numbers, bytes } = UNITS[form]
  const target = native.scratch('second', rows * columns * 4)
  const units = (rows * columns) / numbers
  native.overRows(
    KERNELS[form],
    units,
    WIDENED_PER_CHUNK / numbers,
    [at + ((first * columns) / numbers) * bytes, target, units],
    [bytes, numbers * 4],
  )
  return target
}

interface ProductAttributes {
  readonly form: PackedForm
  readonly rows: number
  readonly columns: number
  readonly transposed: boolean
}

/** x [n, columns] · Wᵀ → [n, rows]; or x [n, rows] · W → [n, columns] */
function frozenProduct({ inputs, backend, attrs }: KernelCall<ProductAttributes>): TensorHandle {
  const x = inputs.x!
  const { form, rows, columns, transposed } = attrs
  const [count, depth] = x.shape as [number, number]
  if (depth !== (transposed ? columns : rows))
    throw new RangeError(
      `a product of [${x.shape}] and [${rows}, ${columns}]${transposed ? ' transposed' : ''}: the inner sizes differ`,
    )
  const width = transposed ? rows : columns
  const out = backend.makeOutput([count, width], 'float32')
  const native = nativeModule(backend)
  // Whole blocks of the shared dimension, so that a sum is cut where the whole product's is.
  const perBlock = Math.max(BLOCK_DEPTH, Math.floor(BLOCK_NUMBERS / Math.max(1, columns) / BLOCK_DEPTH) * BLOCK_DEPTH)
  const packed = { at: addressOf(backend, inputs.packed!), form }
  const target = { at: addressOf(backend, out), stride: width }
  if (
    transposed &&
    depth > 0 &&
    native.packedProduct({ at: addressOf(backend, x), stride: depth }, packed, target, count, width, depth)
  )
    return out
  if (rows === 0 || depth === 0) floatsAt(backend, addressOf(backend, out), count * width).fill(0)
  for (let first = 0; first < rows; first += perBlock) {
    const size = Math.min(perBlock, rows - first)
    const at = widenRows(backend, { form, at: addressOf(backend, inputs.packed!), columns }, first, size)
    const [xAt, outAt] = [addressOf(backend, x), addressOf(backend, out)] // the heap may have moved nothing, yet grown
    if (transposed)
      native.product(
        { at: xAt, stride: depth, transposed: false },
        { at, stride: columns, transposed: true },
        { at: outAt + first * 4, stride: width },
        count,
        size,
        depth,
        false,
      )
    else
      native.product(
        { at: xAt + first * 4, stride: depth, transposed: false },
        { at, stride: columns, transposed: false },
        { at: outAt, stride: width },
        count,
        columns,
        size,
        first > 0,
      )
  }
  return out
}

interface GatherAttributes {
  readonly form: PackedForm
  readonly rows: number
  readonly columns: number
  readonly indices: Int32Array
}

function frozenGather({ inputs, backend, attrs }: KernelCall<GatherAttributes>): TensorHandle {
  const { form, rows, columns, indices } = attrs
  for (const index of indices) if (index < 0 || index >= rows) throw new RangeError(`row ${index} of ${rows}`)
  const out = backend.makeOutput([indices.length, columns], 'float32')
  const { buffer } = backend.wasm.HEAPU8
  const size = packedBytes(form, rows * columns) / 4
  const words = new Int32Array(buffer as ArrayBuffer, addressOf(backend, inputs.packed!), size)
  const to = new Float32Array(buffer, addressOf(backend, out), indices.length * columns)
  indices.forEach((index, item) => to.set(widen({ form, words }, index * columns, columns), item * columns))
  return out
}
