import { addressOf, floatsAt, type KernelCall, nativeModule, sizeOf, type TensorHandle, type WasmBackend } from './wasm-backend.ts'
import type { Matrix, NativeModule } from './wasm-module.ts'

interface AttentionAttributes {
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
  /** [row + 1] */
  readonly offsets: Int32Array
}

/** Queries that go through together; keys past the last of them are never touched, which saves near half the work. */
const QUERY_BLOCK = 32

/** One head of one row, as addresses. */
interface Head {
  readonly q: Matrix
  readonly k: Matrix
  readonly v: Matrix
  /** Its probabilities [length, length] */
  readonly p: number
  /** Bytes from the start of a [token, heads · headDim] tensor, and of a key-value one. */
  readonly queryOffset: number
  readonly keyOffset: number
  readonly length: number
}

/** → attended values [token, heads · headDim], probabilities (each row's [head, query, key], end to end) */
export function attention({ inputs, backend, attrs }: KernelCall<AttentionAttributes>): TensorHandle[] {
  const native = nativeModule(backend)
  const { headDim } = attrs
  const out = backend.makeOutput(inputs.q!.shape, 'float32')
  const probabilities = backend.makeOutput([probabilityCount(attrs)], 'float32')
  const scale = 1 / Math.sqrt(headDim)
  const stride = attrs.heads * headDim
  const outAt = addressOf(backend, out)
  for (const { q, k, v, p, queryOffset, length } of eachHead(backend, inputs, addressOf(backend, probabilities), attrs)) {
    const keys = packWhole(native, 'first', { ...k, transposed: true }, length, headDim)
    for (let first = 0; first < length; first += QUERY_BLOCK) {
      const rows = Math.min(QUERY_BLOCK, length - first)
      const seen = first + rows
      const block = p + first * length * 4
      multiply(native, rowsFrom(q, first), keys, { at: block, stride: length }, rows, seen, headDim)
      native.kernels.causalSoftmax(block, length * 4, rows, first, seen, scale)
      native.product({ at: block, stride: length, transposed: false }, v, { at: outAt + queryOffset + first * stride * 4, stride }, rows, headDim, seen, false)
    }
  }
  return [out, probabilities]
}

/** → dq, dk, dv */
export function attentionGrad({ inputs, backend, attrs }: KernelCall<AttentionAttributes>): TensorHandle[] {
  const native = nativeModule(backend)
  const { headDim } = attrs
  const [dq, dk, dv] = [inputs.q!, inputs.k!, inputs.v!].map((tensor) => backend.makeOutput(tensor.shape, 'float32')) as [TensorHandle, TensorHandle, TensorHandle]
  const longest = Math.max(0, ...rowLengths(attrs))
  const ds = native.scratch('third', QUERY_BLOCK * longest * 4)
  // Heads of a group add to the same keys and values.
  for (const tensor of [dk, dv]) floatsAt(backend, addressOf(backend, tensor), sizeOf(tensor.shape)).fill(0)
  const at = { dy: addressOf(backend, inputs.dy!), dq: addressOf(backend, dq), dk: addressOf(backend, dk), dv: addressOf(backend, dv) }
  const stride = attrs.heads * headDim
  const keyStride = attrs.kvHeads * headDim
  for (const { q, k, v, p, queryOffset, keyOffset, length } of eachHead(backend, inputs, addressOf(backend, inputs.probabilities!), attrs)) {
    const values = packWhole(native, 'first', { ...v, transposed: true }, length, headDim)
    for (let first = 0; first < length; first += QUERY_BLOCK) {
      const rows = Math.min(QUERY_BLOCK, length - first)
      const seen = first + rows
      const block = p + first * length * 4
      const dy: Matrix = { at: at.dy + queryOffset + first * stride * 4, stride, transposed: false }
      const scores: Matrix = { at: ds, stride: seen, transposed: false }
      multiply(native, dy, values, { at: ds, stride: seen }, rows, seen, headDim) // dP = dO Vᵀ
      softmaxGrad(native, { block, length, ds, rows, first, seen, scale: 1 / Math.sqrt(headDim) })
      native.product(scores, k, { at: at.dq + queryOffset + first * stride * 4, stride }, rows, headDim, seen, false) // dQ = dS K
      native.product({ at: block, stride: length, transposed: true }, dy, { at: at.dv + keyOffset, stride: keyStride }, seen, headDim, rows, true) // dV += Pᵀ dO
      native.product({ ...scores, transposed: true }, rowsFrom(q, first), { at: at.dk + keyOffset, stride: keyStride }, seen, headDim, rows, true) // dK += dSᵀ Q
    }
  }
  return [dq, dk, dv]
}

interface CachedAttributes {
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
  readonly lengths: Int32Array
  readonly capacity: number
  readonly places: Int32Array
}

/** One query a row over its cached keys; this token's key and value are written into the cache first. */
export function cachedAttention({ inputs, backend, attrs }: KernelCall<CachedAttributes>): TensorHandle {
  const { kernels, scratch } = nativeModule(backend)
  const { heads, kvHeads, headDim, lengths, capacity, places } = attrs
  const out = backend.makeOutput(inputs.q!.shape, 'float32')
  const scores = scratch('third', capacity * 4)
  const at = (name: string): number => addressOf(backend, inputs[name]!)
  const [q, k, v, keys, values, outAt] = [at('q'), at('k'), at('v'), at('keys'), at('values'), addressOf(backend, out)]
  const keyRow = kvHeads * headDim * 4
  const heap = backend.wasm.HEAPU8
  lengths.forEach((length, row) => {
    if (length >= capacity) throw new RangeError(`row ${row} has no room for another key`)
    heap.copyWithin(keys + places[row]! * keyRow, k + row * keyRow, k + (row + 1) * keyRow)
    heap.copyWithin(values + places[row]! * keyRow, v + row * keyRow, v + (row + 1) * keyRow)
    for (let head = 0; head < heads; head += 1) {
      const query = (row * heads + head) * headDim * 4
      const start = row * capacity * keyRow + Math.floor((head * kvHeads) / heads) * headDim * 4
      kernels.dots(q + query, keys + start, keyRow, length + 1, headDim, scores)
      kernels.causalSoftmax(scores, 0, 1, length, length + 1, 1 / Math.sqrt(headDim))
      kernels.weightedSum(scores, values + start, keyRow, length + 1, headDim, outAt + query)
    }
  })
  return out
}

interface SoftmaxBlock {
  readonly block: number
  readonly length: number
  readonly ds: number
  readonly rows: number
  readonly first: number
  readonly seen: number
  readonly scale: number
}

function softmaxGrad(native: NativeModule, { block, length, ds, rows, first, seen, scale }: SoftmaxBlock): void {
  native.kernels.causalSoftmaxGrad(block, ds, length * 4, seen * 4, rows, first, seen, scale)
}

/** Packed keys where they fit in one block of the shared dimension; a head wider than that is packed as it is used. */
interface Packed {
  readonly panels: number | null
  readonly matrix: Matrix
}

function packWhole(native: NativeModule, slot: 'first', matrix: Matrix, columns: number, depth: number): Packed {
  return { panels: depth <= native.blockDepth ? native.pack(slot, matrix, columns, depth) : null, matrix }
}

function multiply(native: NativeModule, a: Matrix, b: Packed, c: { readonly at: number; readonly stride: number }, rows: number, columns: number, depth: number): void {
  if (b.panels === null) native.product(a, b.matrix, c, rows, columns, depth, false)
  else native.productPacked(a, b.panels, c, rows, columns, depth, false)
}

function rowsFrom(matrix: Matrix, first: number): Matrix {
  return { ...matrix, at: matrix.at + first * matrix.stride * 4 }
}

function rowLengths({ offsets }: AttentionAttributes): number[] {
  return Array.from({ length: offsets.length - 1 }, (_, row) => offsets[row + 1]! - offsets[row]!)
}

function probabilityCount(attrs: AttentionAttributes): number {
  return rowLengths(attrs).reduce((sum, length) => sum + attrs.heads * length * length, 0)
}

function* eachHead(backend: WasmBackend, inputs: Readonly<Record<string, TensorHandle>>, probabilities: number, attrs: AttentionAttributes): Generator<Head> {
  const { heads, kvHeads, headDim, offsets } = attrs
  const stride = heads * headDim
  const keyStride = kvHeads * headDim
  const at = (name: string): number => addressOf(backend, inputs[name]!)
  let p = probabilities
  for (let row = 0; row + 1 < offsets.length; row += 1) {
    const start = offsets[row]!
    const length = offsets[row + 1]! - start
    for (let head = 0; head < heads; head += 1) {
      const queryOffset = (start * stride + head * headDim) * 4
      const keyOffset = (start * keyStride + Math.floor((head * kvHeads) / heads) * headDim) * 4
      yield {
        q: { at: at('q') + queryOffset, stride, transposed: false },
        k: { at: at('k') + keyOffset, stride: keyStride, transposed: false },
        v: { at: at('v') + keyOffset, stride: keyStride, transposed: false },
        p,
        queryOffset,
        keyOffset,
        length,
      }
      p += length * length * 4
    }
  }
}
