// The kernels over one backend's memory: scratch space, jobs, and the products that everything else is made of.
import { AppError } from '../../../shared/errors.ts'
import type { TileShape } from './wasm-gemm.ts'
import { compileKernels, instantiateKernels, type NativeKernels, type NativeTasks, wantedForm } from './wasm-module.ts'
import { CONTROL_BYTES, JOB, JOB_OFFSET } from './wasm-pool.ts'
import type { PackedForm } from '../../core/learn/models/packed.ts'
import { STRIPS_BYTES, TILE_BYTES } from './wasm-product.ts'
import type { RowTasks } from './wasm-rows.ts'
import { MOST_STREAMED_ROWS, SUMS_BYTES, WIDENED_ROWS } from './wasm-stream.ts'
import type { Task } from './wasm-tasks.ts'
import { type Crew, startCrew } from './wasm-threads.ts'
import { UNITS } from './wasm-widen.ts'

/** A matrix inside the engine's memory. */
export interface Matrix {
  /** Byte address of its first number. */
  readonly at: number
  /** Floats from one row to the next, as stored. */
  readonly stride: number
  /** Stored as [columns, rows]. */
  readonly transposed: boolean
}

/** The same in fewer bits, [columns, depth] in whole units. */
export interface PackedRows {
  readonly at: number
  readonly form: PackedForm
}

export interface Target {
  readonly at: number
  readonly stride: number
}

export type ScratchSlot = 'panels' | 'first' | 'second' | 'cos' | 'sin'

export interface NativeModule {
  readonly kernels: NativeKernels
  readonly tasks: NativeTasks
  readonly tile: TileShape
  readonly relaxed: boolean
  readonly wide: boolean
  /** That take part in a job, this one included. */
  readonly threads: number
  /** C (+)= A · B with A [rows, depth], B [depth, columns]; C's rows are `stride` floats apart. */
  product(a: Matrix, b: Matrix, c: Target, rows: number, columns: number, depth: number, accumulate: boolean): void
  /**
   * C = A · Bᵀ with a packed B [columns, depth], where A has so few rows that B is read once: as `product` with B widened,
   * bit for bit. → false, and nothing done, where it has more
   */
  packedProduct(a: Target, b: PackedRows, c: Target, rows: number, columns: number, depth: number): boolean
  /** Runs a task's chunks on all threads and returns when the last is done. @throws AppError when a thread is lost */
  give(task: Task, chunks: number, args: readonly number[]): void
  /** A kernel over `rows` rows, `perChunk` at a time; `steps` as `defineRowTask` wants them. */
  overRows(
    name: keyof RowTasks,
    rows: number,
    perChunk: number,
    args: readonly number[],
    steps: readonly number[],
  ): void
  /** Address of at least this many bytes that last until the next call with the same slot. */
  scratch(slot: ScratchSlot, sizeBytes: number): number
  /** Room of its own for each thread → address of the first one's, bytes from one to the next */
  threadScratch(sizeBytes: number): readonly [number, number]
  /** Another number of threads. → how many there are now */
  setThreads(count: number): Promise<number>
}

export interface ModuleMemory {
  /** A WebAssembly.Memory. */
  readonly memory: { readonly buffer: ArrayBufferLike }
  allocate(sizeBytes: number): number
  free(address: number): void
}

/** About 10 µs of work: less is not worth the trip to another thread. */
const LEAST_CHUNK_FLOPS = 500_000
/** Numbers that take as long to come from memory. */
const LEAST_CHUNK_READ = 49_152
const PACKED_PER_CHUNK = 32_768
/** Numbers of B that stay in the second-level cache while groups of rows pass. */
const STREAMED_PER_CHUNK = 98_304
const CACHE_LINE = 64

export function createNative(host: ModuleMemory): NativeModule {
  const shared = typeof SharedArrayBuffer !== 'undefined' && host.memory.buffer instanceof SharedArrayBuffer
  const { module, tasks, tile, relaxed, wide } = compileKernels(shared, wantedForm())
  const kernels = instantiateKernels(module, host.memory, 0)
  const control = alignedBlock(host, CONTROL_BYTES)
  new Uint8Array(host.memory.buffer, control, CONTROL_BYTES).fill(0)
  const scratch = scratchSpace(host)
  let crew: Crew | null = null
  let job = jobViews(host, control)

  const give: NativeModule['give'] = ({ index, params }, chunks, args) => {
    if (chunks <= 0) return
    if (job.buffer !== host.memory.buffer) job = jobViews(host, control)
    const { integers, floats } = job
    integers[JOB.task / 4] = index
    integers[JOB.chunks / 4] = chunks
    for (let at = 0; at < params.length; at += 1) {
      if (params[at] === 'f32') floats[JOB.arguments / 4 + at] = args[at]!
      else integers[JOB.arguments / 4 + at] = args[at]!
    }
    if (kernels.giveJob(control) === 0)
      throw new AppError({
        code: 'engine-unavailable',
        message: 'A thread of the WebAssembly engine stopped answering.',
        hint: 'Start the run again with one thread (--threads 1).',
      })
  }

  const threadScratch: NativeModule['threadScratch'] = (sizeBytes) => {
    const stride = roundUp(sizeBytes, CACHE_LINE)
    return [scratch('threads', stride * (crew?.size ?? 1)), stride]
  }

  const product: NativeModule['product'] = (a, b, c, rows, columns, depth, accumulate) => {
    const threads = crew?.size ?? 1
    const add = accumulate ? 1 : 0
    const flops = 2 * rows * columns * depth
    const most = Math.max(1, Math.floor(flops / LEAST_CHUNK_FLOPS))
    if (rows <= MOST_STREAMED_ROWS && b.transposed && !a.transposed) {
      const perChunk = Math.min(
        streamedColumns(rows, columns, depth, threads),
        roundUp(Math.ceil(STREAMED_PER_CHUNK / Math.max(1, depth)), 4),
      )
      give(tasks.streams.plain, Math.ceil(columns / perChunk), [
        a.at,
        a.stride * 4,
        b.at,
        b.stride * 4,
        c.at,
        c.stride * 4,
        rows,
        columns,
        depth,
        add,
        perChunk,
        ...threadScratch(SUMS_BYTES),
      ])
      return
    }
    const padded = roundUp(columns, tile.columns)
    const panels = scratch('panels', depth * padded * 4)
    const packed = roundUp(Math.ceil(PACKED_PER_CHUNK / Math.max(1, depth)), tile.columns)
    const [rowBytes, columnBytes] = b.transposed ? [4, b.stride * 4] : [b.stride * 4, 4]
    give(tasks.product.pack, Math.ceil(columns / packed), [
      b.at,
      rowBytes,
      columnBytes,
      panels,
      depth,
      columns,
      packed,
      padded,
    ])
    const [perRow, perColumn] = split(rows, columns, Math.min(most, threads === 1 ? 1 : threads * 4), tile)
    const columnChunks = Math.ceil(columns / perColumn)
    const [own, stride] = threadScratch(TILE_BYTES + STRIPS_BYTES)
    give(tasks.product.multiply, Math.ceil(rows / perRow) * columnChunks, [
      a.at,
      a.stride * 4,
      a.transposed ? 1 : 0,
      panels,
      padded,
      c.at,
      c.stride * 4,
      rows,
      columns,
      depth,
      add,
      perRow,
      columnChunks,
      perColumn,
      own,
      stride,
    ])
  }

  const packedProduct: NativeModule['packedProduct'] = (a, { at, form }, c, rows, columns, depth) => {
    if (rows > MOST_STREAMED_ROWS) return false
    const { numbers, bytes } = UNITS[form]
    const perChunk = streamedColumns(rows, columns, depth, crew?.size ?? 1)
    give(tasks.streams.packed[form], Math.ceil(columns / perChunk), [
      a.at,
      a.stride * 4,
      at,
      depth / numbers,
      c.at,
      c.stride * 4,
      rows,
      columns,
      depth,
      bytes,
      perChunk,
      ...threadScratch(SUMS_BYTES + WIDENED_ROWS * depth * 4),
    ])
    return true
  }

  return {
    kernels,
    tasks,
    tile,
    relaxed,
    wide,
    get threads() {
      return crew?.working ?? 1
    },
    product,
    packedProduct,
    give,
    overRows: (name, rows, perChunk, args, steps) =>
      give(tasks.rows[name], Math.ceil(rows / perChunk), [...args, perChunk, ...steps]),
    scratch,
    threadScratch,
    async setThreads(count) {
      if (!shared) return 1
      if ((crew?.size ?? 1) === count) return count
      await crew?.stop()
      crew =
        count > 1
          ? await startCrew({ module, memory: host.memory, control, stop: () => kernels.stopThreads(control) }, count)
          : null
      return crew?.working ?? 1
    },
  }
}

/**
 * Rows and columns of a chunk, so that there are about `wanted`. Rows are cut first, into no less than 64; columns where
 * that gives less than half, because a transposed A is brought into strips once for every cut of the columns.
 */
function split(rows: number, columns: number, wanted: number, tile: TileShape): readonly [number, number] {
  const rowChunks = Math.max(1, Math.min(wanted, Math.floor(rows / 64)))
  const perRow = roundUp(Math.ceil(rows / rowChunks), tile.rows)
  const columnChunks = rowChunks * 2 > wanted ? 1 : Math.max(1, Math.round(wanted / 2 / rowChunks))
  return [perRow, roundUp(Math.ceil(columns / columnChunks), tile.columns)]
}

/** Columns of a chunk of a product that reads B once, a few chunks for each thread. With one row the reading is the work. */
function streamedColumns(rows: number, columns: number, depth: number, threads: number): number {
  const numbers = columns * depth
  const worthATrip = Math.max(
    1,
    Math.floor(Math.max((rows * numbers * 2) / LEAST_CHUNK_FLOPS, numbers / LEAST_CHUNK_READ)),
  )
  return roundUp(Math.ceil(columns / Math.min(worthATrip, threads * 4)), 4)
}

function jobViews(
  { memory }: ModuleMemory,
  control: number,
): { readonly buffer: ArrayBufferLike; readonly integers: Int32Array; readonly floats: Float32Array } {
  const words = (CONTROL_BYTES - JOB_OFFSET) / 4
  return {
    buffer: memory.buffer,
    integers: new Int32Array(memory.buffer, control + JOB_OFFSET, words),
    floats: new Float32Array(memory.buffer, control + JOB_OFFSET, words),
  }
}

function alignedBlock(host: ModuleMemory, sizeBytes: number): number {
  return roundUp(host.allocate(sizeBytes + CACHE_LINE), CACHE_LINE)
}

function scratchSpace(host: ModuleMemory): (slot: ScratchSlot | 'threads', sizeBytes: number) => number {
  const slots = new Map<string, { at: number; block: number; sizeBytes: number }>()
  return (slot, sizeBytes) => {
    const held = slots.get(slot)
    if (held !== undefined && held.sizeBytes >= sizeBytes) return held.at
    if (held !== undefined) host.free(held.block)
    slots.delete(slot)
    const block = host.allocate(sizeBytes + CACHE_LINE)
    const at = roundUp(block, CACHE_LINE)
    slots.set(slot, { at, block, sizeBytes })
    return at
  }
}

function roundUp(count: number, multiple: number): number {
  return Math.ceil(count / multiple) * multiple
}
