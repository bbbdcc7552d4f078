// Products with a matrix kept as bfloat16 (main/core/learn/models/frozen.ts): a block of it at a time is widened into scratch
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
import { BLOCK_DEPTH } from './wasm-product.ts'

export function registerFrozenKernels(): void {
  registerWasmKernel(FUSED_KERNELS.frozenProduct, frozenProduct)
  registerWasmKernel(FUSED_KERNELS.frozenGather, frozenGather)
}

/** Numbers that are widened at a time: a megabyte. */
const BLOCK_NUMBERS = 262_144
const WIDENED_PER_CHUNK = 32_768

/** Rows `first` … of the matrix, as float32 in scratch space. → their address */
function widenRows(backend: WasmBackend, packed: number, columns: number, first: number, rows: number): number {
  const native = nativeModule(backend)
  const target = native.scratch('second', rows * columns * 4)
  native.overRows(
    'widen',
    rows * columns,
    WIDENED_PER_CHUNK,
    [packed + first * columns * 2, target, rows * columns],
    [2, 4],
  )
  return target
}

interface ProductAttributes {
  readonly rows: number
  readonly columns: number
  readonly transposed: boolean
}

/** x [n, columns] · Wᵀ → [n, rows]; or x [n, rows] · W → [n, columns] */
function frozenProduct({ inputs, backend, attrs }: KernelCall<ProductAttributes>): TensorHandle {
  const x = inputs.x!
  const { rows, columns, transposed } = attrs
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
  if (rows === 0 || depth === 0) floatsAt(backend, addressOf(backend, out), count * width).fill(0)
  for (let first = 0; first < rows; first += perBlock) {
    const size = Math.min(perBlock, rows - first)
    const at = widenRows(backend, addressOf(backend, inputs.packed!), columns, first, size)
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
  readonly rows: number
  readonly columns: number
  readonly indices: Int32Array
}

function frozenGather({ inputs, backend, attrs }: KernelCall<GatherAttributes>): TensorHandle {
  const { rows, columns, indices } = attrs
  for (const index of indices) if (index < 0 || index >= rows) throw new RangeError(`row ${index} of ${rows}`)
  const out = backend.makeOutput([indices.length, columns], 'float32')
  const words = new Uint16Array(backend.wasm.HEAPU8.buffer, addressOf(backend, inputs.packed!), rows * columns)
  const bits = new Uint32Array(backend.wasm.HEAPU8.buffer, addressOf(backend, out), indices.length * columns)
  indices.forEach((index, item) => {
    for (let column = 0; column < columns; column += 1)
      bits[item * columns + column] = words[index * columns + column]! << 16
  })
  return out
}
