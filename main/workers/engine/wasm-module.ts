// Our kernels as a WebAssembly module, in the form that runs fastest here.
import v8 from 'node:v8'
import { createModule } from './assemble-module.ts'
import { defineOptimizer, type OptimizerTasks } from './wasm-adam.ts'
import { defineGemm, NARROW_TILE, type TileShape, WIDE_TILE } from './wasm-gemm.ts'
import { defineHeads, type HeadTasks } from './wasm-heads.ts'
import { definePool } from './wasm-pool.ts'
import { defineProduct, type ProductTasks } from './wasm-product.ts'
import { defineRowKernels, type RowFunctions, type RowTasks } from './wasm-rows.ts'
import { defineStreams, type StreamTasks } from './wasm-stream.ts'
import { defineWideners } from './wasm-widen.ts'

/** The runtime has it; Node's types do not list it. */
declare const WebAssembly: {
  validate(bytes: Uint8Array): boolean
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (
    module: object,
    imports: { readonly env: { readonly memory: object; readonly thread: number } },
  ) => { readonly exports: object }
  readonly Memory: new (limits: { initial: number; maximum: number; shared: boolean }) => {
    readonly buffer: ArrayBufferLike
  }
}

/** Functions that the thread which gives jobs calls itself. Arguments are byte addresses, counts of floats, or flags. */
export interface NativeKernels {
  giveJob(control: number): number
  stopThreads(control: number): void
  packPanels(x: number, rowBytes: number, columnBytes: number, target: number, depth: number, columns: number): void
  gemm(
    strips: number,
    a: number,
    aRowBytes: number,
    panels: number,
    panelBytes: number,
    c: number,
    cRowBytes: number,
    rows: number,
    columns: number,
    depth: number,
    accumulate: number,
    scratch: number,
  ): void
}

export interface NativeTasks {
  readonly product: ProductTasks
  readonly streams: StreamTasks
  readonly rows: RowTasks & RowFunctions
  readonly heads: HeadTasks
  readonly optimizer: OptimizerTasks
}

interface KernelShape {
  readonly tile: TileShape
  /** Whether multiply-add is one instruction here. */
  readonly relaxed: boolean
  /** Whether the runtime joins pairs of 128-bit operations into one of 256. */
  readonly wide: boolean
}

export interface CompiledModule extends KernelShape {
  /** A WebAssembly.Module; other threads make instances of it too. */
  readonly module: object
  readonly tasks: NativeTasks
}

function assemble(
  { tile, relaxed }: KernelShape,
  shared: boolean,
): { bytes: Uint8Array<ArrayBuffer>; tasks: NativeTasks } {
  const module = createModule(shared)
  definePool(module)
  const product = defineProduct(module, relaxed, tile)
  const wideners = defineWideners(module)
  const rows = defineRowKernels(module, relaxed, wideners)
  const streams = defineStreams(module, relaxed, wideners)
  const heads = defineHeads(module, tile, product, rows)
  const optimizer = defineOptimizer(module, relaxed)
  return { bytes: module.bytes(), tasks: { product, streams, rows, heads, optimizer } }
}

/** The product alone, for the choice of a shape: all kernels take three to four times as long to compile. */
function assembleProduct({ tile, relaxed }: KernelShape, shared: boolean): Uint8Array<ArrayBuffer> {
  const module = createModule(shared)
  defineGemm(module, relaxed, tile)
  return module.bytes()
}

/**
 * How the kernels are made: `best` is what runs fastest here; `narrow` leaves vectors at 128 bits; `plain` does without
 * relaxed multiply-add too, as a runtime without it has to. PAIRLAB_WASM_FORM asks for one.
 */
export type KernelForm = 'best' | 'narrow' | 'plain'

export function wantedForm(): KernelForm {
  const asked = process.env['PAIRLAB_WASM_FORM']
  return asked === 'narrow' || asked === 'plain' ? asked : 'best'
}

/** Compiled once for each kind of memory and form. */
const compiled = new Map<string, CompiledModule>()

/** Relaxed SIMD where the runtime knows it, else plain SIMD; the wide tile where it is faster. */
export function compileKernels(shared: boolean, form: KernelForm): CompiledModule {
  const key = `${shared} ${form}`
  const known = compiled.get(key)
  if (known !== undefined) return known
  const fused: KernelShape = { tile: NARROW_TILE, relaxed: true, wide: false }
  const relaxed = form !== 'plain' && WebAssembly.validate(assembleProduct(fused, shared))
  const narrow: KernelShape = { ...fused, relaxed }
  const wide: KernelShape = { tile: WIDE_TILE, relaxed, wide: true }
  const shape = form === 'best' && mayJoinVectors() && isFaster(wide, narrow, shared) ? wide : narrow
  const { bytes, tasks } = assemble(shape, shared)
  const made = { module: compile(bytes, shape.wide), tasks, ...shape }
  compiled.set(key, made)
  return made
}

/** V8 can join neighbouring 128-bit operations on x64, if it was built with that (`process.config` tells). */
function mayJoinVectors(): boolean {
  const variables = process.config.variables as unknown as Readonly<Record<string, unknown>>
  return process.arch === 'x64' && variables['v8_enable_wasm_simd256_revec'] === 1
}

/** Straight to optimized code: the baseline compiler's is slow, and a chunk in it holds up every thread. */
function compile(bytes: Uint8Array, wide: boolean): object {
  const flags = ['liftoff', 'wasm-lazy-compilation']
  for (const flag of flags) v8.setFlagsFromString(`--no-${flag}`)
  if (wide) v8.setFlagsFromString('--experimental-wasm-revectorize')
  try {
    return new WebAssembly.Module(bytes)
  } finally {
    for (const flag of flags) v8.setFlagsFromString(`--${flag}`)
    if (wide) v8.setFlagsFromString('--no-experimental-wasm-revectorize')
  }
}

export function instantiateKernels(module: object, memory: object, thread: number): NativeKernels {
  return new WebAssembly.Instance(module, { env: { memory, thread } }).exports as unknown as NativeKernels // as defined, by name
}

/** Some 15 µs each. */
const TURNS = 24

/** Times a small product with both, and takes none that gives other numbers. */
function isFaster(one: KernelShape, other: KernelShape, shared: boolean): boolean {
  const size = 64
  const at = { a: 65_536, b: 131_072, one: 196_608, other: 294_912, scratch: 393_216 }
  const panelsBeside = 32_768
  const memory = new WebAssembly.Memory({ initial: 8, maximum: 65_536, shared })
  const floats = new Float32Array(memory.buffer)
  for (let index = 0; index < 2 * 16_384; index += 1) floats[at.a / 4 + index] = ((index * 7919) % 1009) / 1009 - 0.5
  const timed = (shape: KernelShape, target: number): (() => number) => {
    const { tile } = shape
    const panels = target + panelsBeside
    const kernels = instantiateKernels(compile(assembleProduct(shape, shared), shape.wide), memory, 0)
    kernels.packPanels(at.b, size * 4, 4, panels, size, size)
    return () => {
      const startedAtMs = performance.now()
      kernels.gemm(
        0,
        at.a,
        size * 4,
        panels,
        size * tile.columns * 4,
        target,
        size * 4,
        size,
        size,
        size,
        0,
        at.scratch,
      )
      return performance.now() - startedAtMs
    }
  }
  const [measureOne, measureOther] = [timed(one, at.one), timed(other, at.other)]
  let oneMs = Number.POSITIVE_INFINITY
  let otherMs = Number.POSITIVE_INFINITY
  // In turns, so that a moment in which something else has the core falls on both.
  for (let turn = 0; turn < TURNS; turn += 1) {
    oneMs = Math.min(oneMs, measureOne())
    otherMs = Math.min(otherMs, measureOther())
  }
  const result = (target: number): Float32Array => floats.slice(target / 4, target / 4 + size * size)
  const same = result(at.one).every((value, index) => value === floats[at.other / 4 + index])
  return same && oneMs < otherMs
}
