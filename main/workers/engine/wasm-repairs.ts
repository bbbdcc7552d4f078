import { tf } from '../../core/learn/tf.ts'
import {
  addressOf,
  floatsAt,
  type KernelCall,
  nativeModule,
  registerWasmKernel,
  sizeOf,
  type TensorHandle,
} from './wasm-backend.ts'
import type { Matrix } from './wasm-native.ts'

type MatMulCall = KernelCall<{ readonly transposeA: boolean; readonly transposeB: boolean }>

/**
 * Kernels of the backend that are slow, wrong or missing. The shipped product packs B once for each tensor id (so that a
 * weight written in place would be multiplied stale), and runs transposed operands at a fiftieth of its speed.
 */
export function registerRepairs(): void {
  registerWasmKernel('BatchMatMul', batchMatMul)
  registerWasmKernel('UnsortedSegmentSum', unsortedSegmentSum)
  registerWasmKernel('OneHot', oneHot)
  registerWasmKernel('Identity', identity)
  registerAdd()
}

/** a [..., rows, depth] and b [..., depth, columns], each transposed or not, leading axes broadcast. */
function batchMatMul({ inputs, backend, attrs }: MatMulCall): TensorHandle {
  const { transposeA, transposeB } = attrs
  const a = inputs.a!
  const b = inputs.b!
  if (a.dtype !== 'float32' || b.dtype !== 'float32')
    throw new TypeError(`matMul of ${a.dtype} and ${b.dtype}: only float32 is multiplied`)
  const [aRows, aColumns] = a.shape.slice(-2) as [number, number]
  const [bRows, bColumns] = b.shape.slice(-2) as [number, number]
  const rows = transposeA ? aColumns : aRows
  const depth = transposeA ? aRows : aColumns
  const columns = transposeB ? bRows : bColumns
  if (depth !== (transposeB ? bColumns : bRows))
    throw new RangeError(`matMul of shapes [${a.shape}] and [${b.shape}]: the inner sizes differ`)
  const outer = broadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2))
  const out = backend.makeOutput([...outer, rows, columns], 'float32')
  const native = nativeModule(backend)
  const at = { a: addressOf(backend, a), b: addressOf(backend, b), out: addressOf(backend, out) }
  if (depth === 0) floatsAt(backend, at.out, sizeOf(out.shape)).fill(0)
  const left = (batch: number): Matrix => ({
    at: at.a + batch * aRows * aColumns * 4,
    stride: aColumns,
    transposed: transposeA,
  })
  const right = (batch: number): Matrix => ({
    at: at.b + batch * bRows * bColumns * 4,
    stride: bColumns,
    transposed: transposeB,
  })
  const batches = sizeOf(outer)
  if (!transposeA && sizeOf(b.shape.slice(0, -2)) === 1 && sizeOf(a.shape.slice(0, -2)) === batches) {
    native.product(left(0), right(0), { at: at.out, stride: columns }, batches * rows, columns, depth, false) // one tall product
    return out
  }
  const aBatch = broadcastIndex(a.shape.slice(0, -2), outer)
  const bBatch = broadcastIndex(b.shape.slice(0, -2), outer)
  for (let batch = 0; batch < batches; batch += 1) {
    native.product(
      left(aBatch(batch)),
      right(bBatch(batch)),
      { at: at.out + batch * rows * columns * 4, stride: columns },
      rows,
      columns,
      depth,
      false,
    )
  }
  return out
}

function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length)
  return Array.from({ length: rank }, (_, axis) => {
    const sizeA = a[axis - rank + a.length] ?? 1
    const sizeB = b[axis - rank + b.length] ?? 1
    if (sizeA !== sizeB && sizeA !== 1 && sizeB !== 1)
      throw new RangeError(`batches of shapes [${a}] and [${b}] do not go together`)
    return sizeA === 1 ? sizeB : sizeA
  })
}

/** From a batch's number in `outer` to its number in `shape`, whose axes of size 1 repeat. */
function broadcastIndex(shape: readonly number[], outer: readonly number[]): (batch: number) => number {
  if (sizeOf(shape) === sizeOf(outer)) return (batch) => batch
  return (batch) => {
    let left = batch
    let index = 0
    let stride = 1
    for (let axis = outer.length - 1; axis >= 0; axis -= 1) {
      const place = left % outer[axis]!
      left = Math.floor(left / outer[axis]!)
      const own = shape[axis - outer.length + shape.length] ?? 1
      if (own !== 1) index += place * stride
      stride *= own
    }
    return index
  }
}

/** Missing from the backend, and with it the gradient of every gather. Negative ids are dropped. */
function unsortedSegmentSum({ inputs, backend, attrs }: KernelCall<{ readonly numSegments: number }>): TensorHandle {
  const x = inputs.x!
  const ids = inputs.segmentIds!
  const inner = x.shape.slice(ids.shape.length)
  const out = backend.makeOutput([attrs.numSegments, ...inner], 'float32')
  const width = sizeOf(inner)
  const count = sizeOf(ids.shape)
  const sums = floatsAt(backend, addressOf(backend, out), attrs.numSegments * width).fill(0)
  const heap = backend.wasm.HEAPU8.buffer
  const idAt = new Int32Array(heap, addressOf(backend, ids), count)
  const values =
    x.dtype === 'int32'
      ? new Int32Array(heap, addressOf(backend, x), count * width)
      : floatsAt(backend, addressOf(backend, x), count * width)
  for (let item = 0; item < count; item += 1) {
    const segment = idAt[item]!
    if (segment < 0) continue
    for (let column = 0; column < width; column += 1) sums[segment * width + column]! += values[item * width + column]!
  }
  return out
}

interface OneHotAttributes {
  readonly depth: number
  readonly onValue: number
  readonly offValue: number
  readonly dtype: 'float32' | 'int32'
}

/** The shipped kernel writes integers whatever the type asked for. */
function oneHot({ inputs, backend, attrs }: KernelCall<OneHotAttributes>): TensorHandle {
  const indices = inputs.indices!
  const out = backend.makeOutput([...indices.shape, attrs.depth], attrs.dtype)
  const count = sizeOf(indices.shape)
  const heap = backend.wasm.HEAPU8.buffer
  const ids = new Int32Array(heap, addressOf(backend, indices), count)
  const size = count * attrs.depth
  const rows =
    attrs.dtype === 'int32'
      ? new Int32Array(heap, addressOf(backend, out), size)
      : new Float32Array(heap, addressOf(backend, out), size)
  rows.fill(attrs.offValue)
  ids.forEach((id, item) => {
    if (id >= 0 && id < attrs.depth) rows[item * attrs.depth + id] = attrs.onValue
  })
  return out
}

/** The shipped kernel copies; a tensor is never written, so that one count more is enough. */
function identity({ inputs, backend }: KernelCall): TensorHandle {
  const { dataId, shape, dtype } = inputs.x!
  backend.incRef(dataId)
  return { dataId, shape, dtype }
}

type AddKernel = (call: KernelCall) => TensorHandle

/** The shipped kernel, which broadcasts and knows integers. */
let libraryAdd: AddKernel | null = null
const ADDED_PER_CHUNK = 16_384

/** The shipped kernel stays, for what ours does not do: it is set up with the backend as before. */
function registerAdd(): void {
  if (libraryAdd !== null) return
  const { kernelFunc, setupFunc } = tf.getKernel('Add', 'wasm')
  libraryAdd = kernelFunc as unknown as AddKernel
  tf.unregisterKernel('Add', 'wasm')
  tf.registerKernel({
    kernelName: 'Add',
    backendName: 'wasm',
    kernelFunc: add as unknown as typeof kernelFunc,
    ...(setupFunc === undefined ? {} : { setupFunc }),
  })
}

/** The shipped kernel runs on one thread, and takes longer to be called than to add a small row. */
function add(call: KernelCall): TensorHandle {
  const { inputs, backend } = call
  const a = inputs.a!
  const b = inputs.b!
  const same =
    a.dtype === 'float32' &&
    b.dtype === 'float32' &&
    a.shape.length === b.shape.length &&
    a.shape.every((size, axis) => size === b.shape[axis])
  if (!same) return libraryAdd!(call)
  const out = backend.makeOutput(a.shape, 'float32')
  const count = sizeOf(a.shape)
  nativeModule(backend).overRows(
    'add',
    count,
    ADDED_PER_CHUNK,
    [addressOf(backend, a), addressOf(backend, b), addressOf(backend, out), count],
    [4, 4, 4],
  )
  return out
}
