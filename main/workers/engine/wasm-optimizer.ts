// The optimizer's kernels as tf calls them (main/core/learn/optimizer.ts).
import { type AdamAttributes, OPTIMIZER_KERNELS } from '../../core/learn/optimizer.ts'
import { ADAM_WORDS, SUM_WORDS } from './wasm-adam.ts'
import {
  addressOf,
  type KernelCall,
  nativeModule,
  registerWasmKernel,
  sizeOf,
  type TensorHandle,
  type WasmBackend,
} from './wasm-backend.ts'
import type { NativeModule } from './wasm-native.ts'

const CHUNK_NUMBERS = 16_384

export function registerOptimizerKernels(): void {
  registerWasmKernel(OPTIMIZER_KERNELS.globalNorm, globalNorm)
  registerWasmKernel(OPTIMIZER_KERNELS.adamW, adamW)
}

function globalNorm({ inputs, backend }: KernelCall): TensorHandle {
  const native = nativeModule(backend)
  const out = backend.makeOutput([2], 'float32')
  const entries = Object.values(inputs).flatMap((tensor) =>
    chunksOf(sizeOf(tensor.shape)).map(([first, count]) => [addressOf(backend, tensor) + first * 4, count] as const),
  )
  const sumsAt = native.scratch('second', Math.max(8, entries.length * 8))
  const table = placeTable(backend, native, SUM_WORDS, entries)
  native.give(native.tasks.optimizer.squareSum, entries.length, [table, sumsAt])
  const norm = Math.sqrt(
    new Float64Array(backend.wasm.HEAPU8.buffer, sumsAt, entries.length).reduce((sum, value) => sum + value, 0),
  )
  const high = Math.fround(norm)
  new Float32Array(backend.wasm.HEAPU8.buffer, addressOf(backend, out), 2).set([
    high,
    Number.isFinite(high) ? norm - high : 0,
  ])
  return out
}

function adamW({ inputs, backend, attrs }: KernelCall<AdamAttributes>): TensorHandle[] {
  const native = nativeModule(backend)
  const { count, scale, keep, beta1, beta2, stepSize, correction2, epsilon } = attrs
  const outputs = Array.from({ length: count }, (_, index) =>
    backend.makeOutput(inputs[`w/${index}`]!.shape, 'float32'),
  )
  const entries: number[][] = []
  const kept: number[] = []
  outputs.forEach((output, index) => {
    const addresses = [...['w', 'g', 'm', 'v'].map((part) => inputs[`${part}/${index}`]!), output].map((tensor) =>
      addressOf(backend, tensor),
    )
    for (const [first, length] of chunksOf(sizeOf(output.shape))) {
      entries.push([...addresses.map((at) => at + first * 4), length, 0])
      kept.push(keep[index]!)
    }
  })
  const table = placeTable(backend, native, ADAM_WORDS, entries)
  const floats = new Float32Array(backend.wasm.HEAPU8.buffer, table, entries.length * ADAM_WORDS)
  kept.forEach((share, entry) => (floats[entry * ADAM_WORDS + ADAM_WORDS - 1] = share))
  native.give(native.tasks.optimizer.adamW, entries.length, [
    table,
    scale,
    beta1,
    1 - beta1,
    beta2,
    1 - beta2,
    stepSize,
    correction2,
    epsilon,
  ])
  return outputs
}

/** First number and count of each chunk. */
function chunksOf(size: number): (readonly [number, number])[] {
  return Array.from(
    { length: Math.ceil(size / CHUNK_NUMBERS) },
    (_, chunk) => [chunk * CHUNK_NUMBERS, Math.min(CHUNK_NUMBERS, size - chunk * CHUNK_NUMBERS)] as const,
  )
}

function placeTable(
  backend: WasmBackend,
  native: NativeModule,
  words: number,
  entries: readonly (readonly number[])[],
): number {
  const at = native.scratch('first', Math.max(1, entries.length) * words * 4)
  const table = new Int32Array(backend.wasm.HEAPU8.buffer, at, entries.length * words)
  entries.forEach((entry, index) => table.set(entry, index * words))
  return at
}
