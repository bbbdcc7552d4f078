import { createModule } from './assembler.ts'
import { defineGemm, PANEL_COLUMNS, TILE_ROWS } from './wasm-gemm.ts'
import { defineRowKernels } from './wasm-rows.ts'

/** The runtime has it; Node's types do not list it. */
declare const WebAssembly: {
  validate(bytes: Uint8Array): boolean
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object, imports: { readonly env: { readonly memory: object } }) => { readonly exports: object }
}

/** Our kernels over the engine's own memory. Arguments are byte addresses, counts of floats, or flags. */
export interface NativeKernels {
  packPanels(x: number, rowBytes: number, columnBytes: number, target: number, depth: number, columns: number): void
  packStrips(x: number, rowBytes: number, columnBytes: number, target: number, depth: number, columns: number): void
  gemm(strips: number, a: number, aRowBytes: number, panels: number, c: number, cRowBytes: number, rows: number, columns: number, depth: number, accumulate: number, scratch: number): void
  causalSoftmax(scores: number, rowBytes: number, rows: number, first: number, width: number, scale: number): void
  causalSoftmaxGrad(p: number, dp: number, rowBytes: number, gradRowBytes: number, rows: number, first: number, width: number, scale: number): void
  rmsNorm(x: number, weight: number, y: number, rows: number, width: number, epsilon: number): void
  rmsNormGrad(x: number, weight: number, dy: number, dx: number, dWeight: number, rows: number, width: number, epsilon: number): void
  swiGlu(gate: number, up: number, y: number, count: number): void
  swiGluGrad(gate: number, up: number, dy: number, dGate: number, dUp: number, count: number): void
  rotary(x: number, y: number, cos: number, sin: number, positions: number, tokens: number, heads: number, half: number, sign: number): void
  expSum(logits: number, rows: number, width: number, largest: number, sums: number): void
  logProbGrad(logits: number, logSum: number, dy: number, dLogits: number, rows: number, width: number): void
  gatherRows(x: number, y: number, indices: number, count: number, width: number): void
  scatterRows(x: number, y: number, indices: number, count: number, width: number): void
  dots(x: number, rows: number, rowBytes: number, count: number, width: number, y: number): void
  weightedSum(weights: number, rows: number, rowBytes: number, count: number, width: number, y: number): void
}

/** Rows of B that one set of panels holds: a panel of 8 KB stays in the first-level cache. */
const BLOCK_DEPTH = 256

/** A matrix inside the engine's memory. */
export interface Matrix {
  /** Byte address of its first number. */
  readonly at: number
  /** Floats from one row to the next, as stored. */
  readonly stride: number
  /** Stored as [columns, rows]. */
  readonly transposed: boolean
}

export type ScratchSlot = 'panels' | 'strips' | 'tile' | 'first' | 'second' | 'third'

export interface NativeModule {
  readonly kernels: NativeKernels
  /** Whether multiply-add is one instruction here. */
  readonly relaxed: boolean
  /** Deepest B that `pack` takes. */
  readonly blockDepth: number
  /** C (+)= A · B with A [rows, depth], B [depth, columns]; C's rows are `stride` floats apart. */
  product(a: Matrix, b: Matrix, c: { readonly at: number; readonly stride: number }, rows: number, columns: number, depth: number, accumulate: boolean): void
  /** B ready for several products, in a scratch slot; its depth is at most `blockDepth`. → its address */
  pack(slot: ScratchSlot, b: Matrix, columns: number, depth: number): number
  /** `product` with such a B, of which the first `columns` are used. */
  productPacked(a: Matrix, panels: number, c: { readonly at: number; readonly stride: number }, rows: number, columns: number, depth: number, accumulate: boolean): void
  /** Address of at least this many bytes that last until the next call with the same slot. */
  scratch(slot: ScratchSlot, sizeBytes: number): number
}

export interface ModuleMemory {
  /** A WebAssembly.Memory. */
  readonly memory: object
  allocate(sizeBytes: number): number
  free(address: number): void
}

function assemble(relaxed: boolean): Uint8Array<ArrayBuffer> {
  const module = createModule()
  defineGemm(module, relaxed)
  defineRowKernels(module, relaxed)
  return module.bytes()
}

/** Relaxed SIMD where the runtime knows it, else plain SIMD. */
export function instantiate(host: ModuleMemory): NativeModule {
  const best = assemble(true)
  const relaxed = WebAssembly.validate(best)
  const compiled = new WebAssembly.Module(relaxed ? best : assemble(false))
  const instance = new WebAssembly.Instance(compiled, { env: { memory: host.memory } })
  const kernels = instance.exports as unknown as NativeKernels // as defined above, by name
  const scratch = scratchSpace(host)

  function pack(slot: ScratchSlot, b: Matrix, columns: number, depth: number): number {
    const panels = scratch(slot, depth * roundUp(columns, PANEL_COLUMNS) * 4)
    kernels.packPanels(b.at, b.transposed ? 4 : b.stride * 4, b.transposed ? b.stride * 4 : 4, panels, depth, columns)
    return panels
  }

  const productPacked: NativeModule['productPacked'] = (a, panels, c, rows, columns, depth, accumulate) => {
    const tile = scratch('tile', 128)
    const add = accumulate ? 1 : 0
    if (!a.transposed) {
      kernels.gemm(0, a.at, a.stride * 4, panels, c.at, c.stride * 4, rows, columns, depth, add, tile)
      return
    }
    const strips = scratch('strips', depth * roundUp(rows, TILE_ROWS) * 4)
    kernels.packStrips(a.at, a.stride * 4, 4, strips, depth, rows)
    kernels.gemm(1, strips, 0, panels, c.at, c.stride * 4, rows, columns, depth, add, tile)
  }

  const product: NativeModule['product'] = (a, b, c, rows, columns, depth, accumulate) => {
    for (let from = 0; from < depth; from += BLOCK_DEPTH) {
      const size = Math.min(BLOCK_DEPTH, depth - from)
      const panels = pack('panels', { ...b, at: b.at + from * (b.transposed ? 1 : b.stride) * 4 }, columns, size)
      productPacked({ ...a, at: a.at + from * (a.transposed ? a.stride : 1) * 4 }, panels, c, rows, columns, size, accumulate || from > 0)
    }
  }
  return { kernels, relaxed, blockDepth: BLOCK_DEPTH, product, pack, productPacked, scratch }
}

function scratchSpace(host: ModuleMemory): NativeModule['scratch'] {
  const slots = new Map<string, { at: number; sizeBytes: number }>()
  return (slot, sizeBytes) => {
    const held = slots.get(slot)
    if (held !== undefined && held.sizeBytes >= sizeBytes) return held.at
    if (held !== undefined) host.free(held.at)
    const at = host.allocate(sizeBytes)
    slots.set(slot, { at, sizeBytes })
    return at
  }
}

function roundUp(count: number, multiple: number): number {
  return Math.ceil(count / multiple) * multiple
}
