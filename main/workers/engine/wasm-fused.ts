// The decoder's own operations (main/core/learn/models/fused.ts) in WebAssembly.
import { FUSED_KERNELS } from '../../core/learn/models/fused.ts'
import type { RotaryAttributes } from '../../core/learn/models/rope.ts'
import { checkIndices } from './check-indices.ts'
import {
  addressOf,
  floatsAt,
  type KernelCall,
  nativeModule,
  placeFloats,
  placeIntegers,
  registerWasmKernel,
  sizeOf,
  type TensorHandle,
  type WasmBackend,
} from './wasm-backend.ts'
import { attention, attentionGrad, cachedAttention } from './wasm-attention.ts'

export function registerFusedKernels(): void {
  registerWasmKernel(FUSED_KERNELS.gather, gather)
  registerWasmKernel(FUSED_KERNELS.scatter, scatter)
  registerWasmKernel(FUSED_KERNELS.rmsNorm, rmsNorm)
  registerWasmKernel(FUSED_KERNELS.rmsNormGrad, rmsNormGrad)
  registerWasmKernel(FUSED_KERNELS.layerNorm, layerNorm)
  registerWasmKernel(FUSED_KERNELS.layerNormGrad, layerNormGrad)
  registerWasmKernel(FUSED_KERNELS.gelu, gelu)
  registerWasmKernel(FUSED_KERNELS.geluGrad, geluGrad)
  registerWasmKernel(FUSED_KERNELS.swiGlu, swiGlu)
  registerWasmKernel(FUSED_KERNELS.swiGluGrad, swiGluGrad)
  registerWasmKernel(FUSED_KERNELS.rotary, rotary)
  registerWasmKernel(FUSED_KERNELS.logProb, logProb)
  registerWasmKernel(FUSED_KERNELS.logProbGrad, logProbGrad)
  registerWasmKernel(FUSED_KERNELS.attention, attention)
  registerWasmKernel(FUSED_KERNELS.attentionGrad, attentionGrad)
  registerWasmKernel(FUSED_KERNELS.cachedAttention, cachedAttention)
}

function like(backend: WasmBackend, tensor: TensorHandle): TensorHandle {
  return backend.makeOutput(tensor.shape, 'float32')
}

/** Numbers that a chunk of a kernel passes over: some ten microseconds of it. */
const CHUNK_NUMBERS = 16_384

const rowsPerChunk = (width: number): number => Math.max(1, Math.ceil(CHUNK_NUMBERS / Math.max(1, width)))

function gather({ inputs, backend, attrs }: KernelCall<{ readonly indices: Int32Array }>): TensorHandle {
  const x = inputs.x!
  const [rows, width] = x.shape as [number, number]
  const count = attrs.indices.length
  checkIndices(attrs.indices, rows)
  const out = backend.makeOutput([count, width], 'float32')
  const indices = placeIntegers(backend, 'first', attrs.indices)
  nativeModule(backend).overRows(
    'gatherRows',
    count,
    rowsPerChunk(width),
    [addressOf(backend, x), addressOf(backend, out), indices, count, width, width * 4, width * 4],
    [width * 4, 4],
  )
  return out
}

function scatter({
  inputs,
  backend,
  attrs,
}: KernelCall<{ readonly indices: Int32Array; readonly rows: number }>): TensorHandle {
  const x = inputs.x!
  const width = x.shape[1]!
  const count = attrs.indices.length
  checkIndices(attrs.indices, attrs.rows)
  const out = backend.makeOutput([attrs.rows, width], 'float32')
  const indices = placeIntegers(backend, 'first', attrs.indices)
  floatsAt(backend, addressOf(backend, out), attrs.rows * width).fill(0)
  const perChunk = Math.ceil(Math.max(16, CHUNK_NUMBERS / Math.max(1, count)) / 16) * 16
  nativeModule(backend).overRows(
    'scatterRows',
    width,
    perChunk,
    [addressOf(backend, x), addressOf(backend, out), indices, count, width, width * 4, width * 4],
    [4, 4],
  )
  return out
}

function rmsNorm({ inputs, backend, attrs }: KernelCall<{ readonly epsilon: number }>): TensorHandle {
  const { x, weight } = inputs as { x: TensorHandle; weight: TensorHandle }
  const [rows, width] = x.shape as [number, number]
  const out = like(backend, x)
  nativeModule(backend).overRows(
    'rmsNorm',
    rows,
    rowsPerChunk(width),
    [addressOf(backend, x), addressOf(backend, weight), addressOf(backend, out), rows, width, attrs.epsilon],
    [width * 4, width * 4],
  )
  return out
}

/** Rows whose gradients of a weight are summed by one thread; the sums are added in their order. */
const ROWS_PER_SUM = 64

function rmsNormGrad({ inputs, backend, attrs }: KernelCall<{ readonly epsilon: number }>): TensorHandle[] {
  const { x, weight, dy } = inputs as { x: TensorHandle; weight: TensorHandle; dy: TensorHandle }
  const [rows, width] = x.shape as [number, number]
  const native = nativeModule(backend)
  const dx = like(backend, x)
  const dWeight = like(backend, weight)
  const chunks = Math.ceil(rows / ROWS_PER_SUM)
  const sums = native.scratch('first', Math.max(1, chunks) * width * 4)
  const at = (tensor: TensorHandle): number => addressOf(backend, tensor)
  const partial = floatsAt(backend, sums, chunks * width).fill(0)
  native.overRows(
    'rmsNormGrad',
    rows,
    ROWS_PER_SUM,
    [at(x), at(weight), at(dy), at(dx), sums, rows, width, attrs.epsilon],
    [width * 4, width * 4, width * 4, width * 4],
  )
  addRows(partial, floatsAt(backend, at(dWeight), width))
  return [dx, dWeight]
}

function layerNorm({ inputs, backend, attrs }: KernelCall<{ readonly epsilon: number }>): TensorHandle {
  const { x, weight, bias } = inputs as { x: TensorHandle; weight: TensorHandle; bias: TensorHandle }
  const [rows, width] = x.shape as [number, number]
  const out = like(backend, x)
  const at = (tensor: TensorHandle): number => addressOf(backend, tensor)
  nativeModule(backend).overRows(
    'layerNorm',
    rows,
    rowsPerChunk(width),
    [at(x), at(weight), at(bias), at(out), rows, width, attrs.epsilon],
    [width * 4, width * 4],
  )
  return out
}

/** → dx, dWeight, dBias */
function layerNormGrad({ inputs, backend, attrs }: KernelCall<{ readonly epsilon: number }>): TensorHandle[] {
  const { x, weight, dy } = inputs as { x: TensorHandle; weight: TensorHandle; dy: TensorHandle }
  const [rows, width] = x.shape as [number, number]
  const native = nativeModule(backend)
  const [dx, dWeight, dBias] = [like(backend, x), like(backend, weight), like(backend, weight)]
  const chunks = Math.ceil(rows / ROWS_PER_SUM)
  const half = Math.max(1, chunks) * width
  const sums = native.scratch('first', 2 * half * 4)
  const at = (tensor: TensorHandle): number => addressOf(backend, tensor)
  const partial = floatsAt(backend, sums, 2 * half).fill(0)
  native.overRows(
    'layerNormGrad',
    rows,
    ROWS_PER_SUM,
    [at(x), at(weight), at(dy), at(dx), sums, sums + half * 4, rows, width, attrs.epsilon],
    Array<number>(5).fill(width * 4),
  )
  addRows(partial.subarray(0, chunks * width), floatsAt(backend, at(dWeight), width))
  addRows(partial.subarray(half, half + chunks * width), floatsAt(backend, at(dBias), width))
  return [dx, dWeight, dBias]
}

/** total ← Σ rows, one after the other */
function addRows(rows: Float32Array, total: Float32Array): void {
  total.fill(0)
  const width = total.length
  for (let at = 0; at < rows.length; at += width)
    for (let column = 0; column < width; column += 1) total[column]! += rows[at + column]!
}

function swiGlu({ inputs, backend }: KernelCall): TensorHandle {
  const { gate, up } = inputs as { gate: TensorHandle; up: TensorHandle }
  const out = like(backend, gate)
  const count = sizeOf(gate.shape)
  nativeModule(backend).overRows(
    'swiGlu',
    count,
    CHUNK_NUMBERS,
    [addressOf(backend, gate), addressOf(backend, up), addressOf(backend, out), count],
    [4, 4, 4],
  )
  return out
}

type GeluAttributes = { readonly form: 'exact' | 'tanh' }

function gelu({ inputs, backend, attrs }: KernelCall<GeluAttributes>): TensorHandle {
  const x = inputs.x!
  const out = like(backend, x)
  const count = sizeOf(x.shape)
  nativeModule(backend).overRows(
    attrs.form === 'exact' ? 'geluExact' : 'geluTanh',
    count,
    CHUNK_NUMBERS,
    [addressOf(backend, x), addressOf(backend, out), count],
    [4, 4],
  )
  return out
}

function geluGrad({ inputs, backend, attrs }: KernelCall<GeluAttributes>): TensorHandle {
  const { x, dy } = inputs as { x: TensorHandle; dy: TensorHandle }
  const out = like(backend, x)
  const count = sizeOf(x.shape)
  const args = [addressOf(backend, x), addressOf(backend, dy), addressOf(backend, out), count]
  nativeModule(backend).overRows(
    attrs.form === 'exact' ? 'geluExactGrad' : 'geluTanhGrad',
    count,
    CHUNK_NUMBERS,
    args,
    [4, 4, 4],
  )
  return out
}

function swiGluGrad({ inputs, backend }: KernelCall): TensorHandle[] {
  const { gate, up, dy } = inputs as { gate: TensorHandle; up: TensorHandle; dy: TensorHandle }
  const dGate = like(backend, gate)
  const dUp = like(backend, up)
  const count = sizeOf(gate.shape)
  const at = (tensor: TensorHandle): number => addressOf(backend, tensor)
  nativeModule(backend).overRows(
    'swiGluGrad',
    count,
    CHUNK_NUMBERS,
    [at(gate), at(up), at(dy), at(dGate), at(dUp), count],
    [4, 4, 4, 4, 4],
  )
  return [dGate, dUp]
}

const tables = new WeakMap<
  WasmBackend,
  { readonly cos: Float32Array; readonly sin: Float32Array; readonly at: readonly [number, number] }
>()

/** A decoder turns by the same table in every layer and step: it is copied when another comes. */
function placeTable(backend: WasmBackend, { cos, sin }: RotaryAttributes): readonly [number, number] {
  const held = tables.get(backend)
  if (held !== undefined && held.cos === cos && held.sin === sin) return held.at
  const at = [placeFloats(backend, 'cos', cos), placeFloats(backend, 'sin', sin)] as const
  tables.set(backend, { cos, sin, at })
  return at
}

function rotary({ inputs, backend, attrs }: KernelCall<RotaryAttributes>): TensorHandle {
  const x = inputs.x!
  const [tokens, width] = x.shape as [number, number]
  const half = attrs.headDim / 2
  checkIndices(attrs.positions, attrs.cos.length / half)
  const out = like(backend, x)
  const positions = placeIntegers(backend, 'first', attrs.positions)
  const [cos, sin] = placeTable(backend, attrs)
  const args = [
    addressOf(backend, x),
    addressOf(backend, out),
    cos,
    sin,
    positions,
    tokens,
    width / attrs.headDim,
    half,
    attrs.inverse ? -1 : 1,
  ]
  nativeModule(backend).overRows('rotary', tokens, rowsPerChunk(width), args, [width * 4, width * 4, 4])
  return out
}

/** → log-prob of each target [n], log Σ e^logit [n] */
function logProb({ inputs, backend, attrs }: KernelCall<{ readonly targets: Int32Array }>): TensorHandle[] {
  const logits = inputs.logits!
  const [rows, vocab] = logits.shape as [number, number]
  checkIndices(attrs.targets, vocab)
  const value = backend.makeOutput([rows], 'float32')
  const logSum = backend.makeOutput([rows], 'float32')
  const native = nativeModule(backend)
  const sums = native.scratch('first', Math.max(1, rows) * 4)
  native.overRows(
    'expSum',
    rows,
    rowsPerChunk(vocab),
    [addressOf(backend, logits), rows, vocab, addressOf(backend, logSum), sums],
    [vocab * 4, 4, 4],
  )
  const scores = floatsAt(backend, addressOf(backend, logits), rows * vocab)
  const largest = floatsAt(backend, addressOf(backend, logSum), rows)
  const expSums = floatsAt(backend, sums, rows)
  const values = floatsAt(backend, addressOf(backend, value), rows)
  for (let row = 0; row < rows; row += 1) {
    const logOfSum = Math.log(expSums[row]!)
    values[row] = scores[row * vocab + attrs.targets[row]!]! - largest[row]! - logOfSum
    largest[row]! += logOfSum
  }
  return [value, logSum]
}

/** (one-hot − softmax) · dy [n, vocab] */
function logProbGrad({ inputs, backend, attrs }: KernelCall<{ readonly targets: Int32Array }>): TensorHandle {
  const { logits, logSum, dy } = inputs as { logits: TensorHandle; logSum: TensorHandle; dy: TensorHandle }
  const [rows, vocab] = logits.shape as [number, number]
  const out = like(backend, logits)
  const at = (tensor: TensorHandle): number => addressOf(backend, tensor)
  nativeModule(backend).overRows(
    'logProbGrad',
    rows,
    rowsPerChunk(vocab),
    [at(logits), at(logSum), at(dy), at(out), rows, vocab],
    [vocab * 4, 4, 4, vocab * 4],
  )
  const gradient = floatsAt(backend, at(out), rows * vocab)
  const upstream = floatsAt(backend, at(dy), rows)
  for (let row = 0; row < rows; row += 1) gradient[row * vocab + attrs.targets[row]!]! += upstream[row]!
  return out
}
