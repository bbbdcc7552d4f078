// Attention's kernels as tf calls them: tensors in, jobs out.
import {
  addressOf,
  floatsAt,
  type KernelCall,
  nativeModule,
  type TensorHandle,
  type WasmBackend,
} from './wasm-backend.ts'
import { headScratchBytes } from './wasm-heads.ts'
import { ROW_ENTRY } from './wasm-head-parts.ts'

interface AttentionAttributes {
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
  readonly causal?: boolean
  readonly window?: number | null
  /** [row + 1] */
  readonly offsets: Int32Array
}

/** → attended values [token, heads · headDim], probabilities (each row's [head, query, key], end to end) */
export function attention({ inputs, backend, attrs }: KernelCall<AttentionAttributes>): TensorHandle[] {
  const native = nativeModule(backend)
  const out = backend.makeOutput(inputs.q!.shape, 'float32')
  const probabilities = backend.makeOutput(
    [rowLengths(attrs).reduce((sum, length) => sum + attrs.heads * length * length, 0)],
    'float32',
  )
  const [q, k, v, o, p] = [inputs.q!, inputs.k!, inputs.v!, out, probabilities].map((tensor) =>
    addressOf(backend, tensor),
  ) as [number, number, number, number, number]
  native.give(native.tasks.heads.attention, (attrs.offsets.length - 1) * attrs.heads, [
    q,
    k,
    v,
    o,
    p,
    ...shapeArguments(backend, attrs),
  ])
  return [out, probabilities]
}

/** → dq, dk, dv */
export function attentionGrad({ inputs, backend, attrs }: KernelCall<AttentionAttributes>): TensorHandle[] {
  const native = nativeModule(backend)
  const gradients = [inputs.q!, inputs.k!, inputs.v!].map((tensor) => backend.makeOutput(tensor.shape, 'float32'))
  const addresses = [inputs.q!, inputs.k!, inputs.v!, inputs.probabilities!, inputs.dy!, ...gradients].map((tensor) =>
    addressOf(backend, tensor),
  )
  native.give(native.tasks.heads.attentionGrad, (attrs.offsets.length - 1) * attrs.kvHeads, [
    ...addresses,
    ...shapeArguments(backend, attrs),
  ])
  return gradients
}

/** (table, heads, kvHeads, headDim, causal, window, scratch, scratchStride, scale) */
function shapeArguments(backend: WasmBackend, attrs: AttentionAttributes): number[] {
  const native = nativeModule(backend)
  const { heads, kvHeads, headDim, causal = true, window = null } = attrs
  const lengths = rowLengths(attrs)
  const table = native.scratch('first', Math.max(1, lengths.length) * ROW_ENTRY.bytes)
  const scratch = native.threadScratch(headScratchBytes(Math.max(0, ...lengths), headDim, native.tile))
  // Only now: what asks for memory may move it.
  const entries = new Int32Array(backend.wasm.HEAPU8.buffer, table, lengths.length * (ROW_ENTRY.bytes / 4))
  let probabilities = 0
  lengths.forEach((length, row) => {
    entries.set([attrs.offsets[row]!, length, probabilities], row * (ROW_ENTRY.bytes / 4))
    probabilities += heads * length * length * 4
  })
  return [
    table,
    heads,
    kvHeads,
    headDim,
    causal ? 1 : 0,
    causal ? (window ?? 0) : 0,
    ...scratch,
    1 / Math.sqrt(headDim),
  ]
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
  const native = nativeModule(backend)
  const { heads, kvHeads, headDim, lengths, capacity, places } = attrs
  lengths.forEach((length, row) => {
    if (length >= capacity) throw new RangeError(`row ${row} has no room for another key`)
  })
  const out = backend.makeOutput(inputs.q!.shape, 'float32')
  const lengthsAt = native.scratch('first', Math.max(4, lengths.byteLength))
  const scratch = native.threadScratch(capacity * 4)
  new Int32Array(backend.wasm.HEAPU8.buffer, lengthsAt, lengths.length).set(lengths)
  const at = (name: string): number => addressOf(backend, inputs[name]!)
  const width = kvHeads * headDim
  for (const [from, to] of [
    ['k', 'keys'],
    ['v', 'values'],
  ] as const) {
    const source = floatsAt(backend, at(from), lengths.length * width)
    const cache = floatsAt(backend, at(to), lengths.length * capacity * width)
    places.forEach((place, row) => cache.set(source.subarray(row * width, (row + 1) * width), place * width))
  }
  native.give(native.tasks.heads.cachedAttention, lengths.length * heads, [
    at('q'),
    at('keys'),
    at('values'),
    addressOf(backend, out),
    lengthsAt,
    heads,
    kvHeads,
    headDim,
    capacity,
    ...scratch,
    1 / Math.sqrt(headDim),
  ])
  return out
}

function rowLengths({ offsets }: AttentionAttributes): number[] {
  return Array.from({ length: offsets.length - 1 }, (_, row) => offsets[row + 1]! - offsets[row]!)
}
