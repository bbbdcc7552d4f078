// The decoder's own operations (main/learn/models/fused.ts) in WebAssembly.
import { FUSED_KERNELS } from '../../learn/models/fused.ts'
import { addressOf, floatsAt, type KernelCall, nativeModule, placeFloats, placeIntegers, registerWasmKernel, sizeOf, type TensorHandle, type WasmBackend } from './wasm-backend.ts'
import { attention, attentionGrad, cachedAttention } from './wasm-attention.ts'

export function registerFusedKernels(): void {
  registerWasmKernel(FUSED_KERNELS.gather, gather)
  registerWasmKernel(FUSED_KERNELS.scatter, scatter)
  registerWasmKernel(FUSED_KERNELS.rmsNorm, rmsNorm)
  registerWasmKernel(FUSED_KERNELS.rmsNormGrad, rmsNormGrad)
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

/** Indices come from the caller's own count of rows; one outside would read or write another tensor. */
function checkIndices(indices: Int32Array, rows: number): void {
  for (const index of indices) if (index < 0 || index >= rows) throw new RangeError(`row ${index} of ${rows}`)
}

function gather({ inputs, backend, attrs }: KernelCall<{ readonly indices: Int32Array }>): TensorHandle {
  const x = inputs.x!
  const [rows, width] = x.shape as [number, number]
  checkIndices(attrs.indices, rows)
  const out = backend.makeOutput([attrs.indices.length, width], 'float32')
  const indices = placeIntegers(backend, 'first', attrs.indices)
  nativeModule(backend).kernels.gatherRows(addressOf(backend, x), addressOf(backend, out), indices, attrs.indices.length, width)
  return out
}

function scatter({ inputs, backend, attrs }: KernelCall<{ readonly indices: Int32Array; readonly rows: number }>): TensorHandle {
  const x = inputs.x!
  const width = x.shape[1]!
  checkIndices(attrs.indices, attrs.rows)
  const out = backend.makeOutput([attrs.rows, width], 'float32')
  const indices = placeIntegers(backend, 'first', attrs.indices)
  floatsAt(backend, addressOf(backend, out), attrs.rows * width).fill(0)
  nativeModule(backend).kernels.scatterRows(addressOf(backend, x), addressOf(backend, out), indices, attrs.indices.length, width)
  return out
}

function rmsNorm({ inputs, backend, attrs }: KernelCall<{ readonly epsilon: number }>): TensorHandle {
  const { x, weight } = inputs as { x: TensorHandle; weight: TensorHandle }
  const [rows, width] = x.shape as [number, number]
  const out = like(backend, x)
  nativeModule(backend).kernels.rmsNorm(addressOf(backend, x), addressOf(backend, weight), addressOf(backend, out), rows, width, attrs.epsilon)
  return out
}

function rmsNormGrad({ inputs, backend, attrs }: KernelCall<{ readonly epsilon: number }>): TensorHandle[] {
  const { x, weight, dy } = inputs as { x: TensorHandle; weight: TensorHandle; dy: TensorHandle }
  const [rows, width] = x.shape as [number, number]
  const dx = like(backend, x)
  const dWeight = like(backend, weight)
  const at = (tensor: TensorHandle): number => addressOf(backend, tensor)
  floatsAt(backend, at(dWeight), width).fill(0)
  nativeModule(backend).kernels.rmsNormGrad(at(x), at(weight), at(dy), at(dx), at(dWeight), rows, width, attrs.epsilon)
  return [dx, dWeight]
}

function swiGlu({ inputs, backend }: KernelCall): TensorHandle {
  const { gate, up } = inputs as { gate: TensorHandle; up: TensorHandle }
  const out = like(backend, gate)
  nativeModule(backend).kernels.swiGlu(addressOf(backend, gate), addressOf(backend, up), addressOf(backend, out), sizeOf(gate.shape))
  return out
}

function swiGluGrad({ inputs, backend }: KernelCall): TensorHandle[] {
  const { gate, up, dy } = inputs as { gate: TensorHandle; up: TensorHandle; dy: TensorHandle }
  const dGate = like(backend, gate)
  const dUp = like(backend, up)
  const at = (tensor: TensorHandle): number => addressOf(backend, tensor)
  nativeModule(backend).kernels.swiGluGrad(at(gate), at(up), at(dy), at(dGate), at(dUp), sizeOf(gate.shape))
  return [dGate, dUp]
}

interface RotaryAttributes {
  readonly positions: Int32Array
  readonly cos: Float32Array
  readonly sin: Float32Array
  readonly headDim: number
  readonly inverse: boolean
}

function rotary({ inputs, backend, attrs }: KernelCall<RotaryAttributes>): TensorHandle {
  const x = inputs.x!
  const [tokens, width] = x.shape as [number, number]
  const half = attrs.headDim / 2
  checkIndices(attrs.positions, attrs.cos.length / half)
  const out = like(backend, x)
  const positions = placeIntegers(backend, 'first', attrs.positions)
  const cos = placeFloats(backend, 'second', attrs.cos)
  const sin = placeFloats(backend, 'third', attrs.sin)
  nativeModule(backend).kernels.rotary(addressOf(backend, x), addressOf(backend, out), cos, sin, positions, tokens, width / attrs.headDim, half, attrs.inverse ? -1 : 1)
  return out
}

/** → log-prob of each target [n], log Σ e^logit [n] */
function logProb({ inputs, backend, attrs }: KernelCall<{ readonly targets: Int32Array }>): TensorHandle[] {
  const logits = inputs.logits!
  const [rows, vocab] = logits.shape as [number, number]
  checkIndices(attrs.targets, vocab)
  const value = backend.makeOutput([rows], 'float32')
  const logSum = backend.makeOutput([rows], 'float32')
  const sums = nativeModule(backend).scratch('first', rows * 4)
  nativeModule(backend).kernels.expSum(addressOf(backend, logits), rows, vocab, addressOf(backend, logSum), sums)
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
  nativeModule(backend).kernels.logProbGrad(at(logits), at(logSum), at(dy), at(out), rows, vocab)
  const gradient = floatsAt(backend, at(out), rows * vocab)
  const upstream = floatsAt(backend, at(dy), rows)
  for (let row = 0; row < rows; row += 1) gradient[row * vocab + attrs.targets[row]!]! += upstream[row]!
  return out
}
