// The matrix product as two jobs: B into panels, then blocks of C. And a product of few rows, where B is read once as it lies.
import type { ModuleBuilder } from './assemble-module.ts'
import {
  call,
  type Code,
  f32,
  f32x4,
  get,
  i32,
  loopPointer,
  loopTo,
  type Local,
  multiplyAdd,
  set,
  v128,
  when,
} from './assembler.ts'
import { defineGemm, type GemmFunctions, type TileShape } from './wasm-gemm.ts'
import { bump, bytes } from './wasm-lanes.ts'
import { defineTask, ownScratch, type Task } from './wasm-tasks.ts'

/** Rows of B in one set of panels: a panel stays in the first-level cache. */
export const BLOCK_DEPTH = 256
/** Rows of A that stay in the second-level cache while the panels pass. A multiple of every tile's rows. */
const BLOCK_ROWS = 72
/** Of a thread's own scratch space: a tile, then the strips of a block of A. */
export const TILE_BYTES = 1024
export const STRIPS_BYTES = BLOCK_ROWS * BLOCK_DEPTH * 4
/** Rows of a product with a transposed B that is done without panels. */
export const MOST_STREAMED_ROWS = 12

export interface ProductTasks extends GemmFunctions {
  /** (x, rowBytes, columnBytes, target, depth, columns, columnsPerChunk, paddedColumns) */
  readonly pack: Task
  /** (a, aRowBytes, aTransposed, panels, paddedColumns, c, cRowBytes, rows, columns, depth, accumulate, rowsPerChunk, columnChunks, columnsPerChunk, scratch, scratchStride) */
  readonly multiply: Task
  /** (a, aRowBytes, b, bRowBytes, c, cRowBytes, rows, columns, depth, accumulate, columnsPerChunk, scratch, scratchStride) with B transposed */
  readonly stream: Task
}

export function defineProduct(module: ModuleBuilder, relaxed: boolean, tile: TileShape): ProductTasks {
  const gemm = defineGemm(module, relaxed, tile)
  return {
    ...gemm,
    pack: definePackTask(module, gemm),
    multiply: defineMultiplyTask(module, gemm, tile),
    stream: defineStream(module, relaxed),
  }
}

/** Every `BLOCK_DEPTH` rows of B have panels of their own, one set after the other. */
function definePackTask(module: ModuleBuilder, { packPanels }: GemmFunctions): Task {
  return defineTask(
    module,
    Array<'i32'>(8).fill('i32'),
    (scope, chunk, x, rowBytes, columnBytes, target, depth, columns, perChunk, padded) => {
      const [first, count, from, size] = Array.from({ length: 4 }, () => scope.local('i32')) as [
        Local,
        Local,
        Local,
        Local,
      ]
      return [
        set(first, i32.mul(get(chunk), get(perChunk!))),
        set(count, i32.min(get(perChunk!), i32.sub(get(columns!), get(first)))),
        set(from, i32.const(0)),
        loopTo(from, get(depth!), i32.const(BLOCK_DEPTH), [
          set(size, i32.min(i32.const(BLOCK_DEPTH), i32.sub(get(depth!), get(from)))),
          call(
            packPanels,
            i32.add(i32.add(get(x!), i32.mul(get(from), get(rowBytes!))), i32.mul(get(first), get(columnBytes!))),
            get(rowBytes!),
            get(columnBytes!),
            i32.add(
              get(target!),
              i32.shl(i32.add(i32.mul(get(from), get(padded!)), i32.mul(get(first), get(size))), i32.const(2)),
            ),
            get(size),
            get(count),
          ),
        ]),
      ]
    },
  )
}

function defineMultiplyTask(module: ModuleBuilder, { gemm, packStrips }: GemmFunctions, tile: TileShape): Task {
  return defineTask(
    module,
    Array<'i32'>(16).fill('i32'),
    (
      scope,
      chunk,
      a,
      aRow,
      transposed,
      panels,
      padded,
      c,
      cRow,
      rows,
      columns,
      depth,
      accumulate,
      rowsPerChunk,
      columnChunks,
      columnsPerChunk,
      scratch,
      stride,
    ) => {
      const [row, rowEnd, column, count, from, size, high, own, panel, target, add] = Array.from({ length: 11 }, () =>
        scope.local('i32'),
      ) as Local[]
      const rowChunk = i32.div(get(chunk), get(columnChunks!))
      const multiply = (strips: number, left: Code, leftRow: Code): Code =>
        call(
          gemm,
          i32.const(strips),
          left,
          leftRow,
          get(panel!),
          i32.mul(get(size!), i32.const(tile.columns * 4)),
          get(target!),
          get(cRow!),
          get(high!),
          get(count!),
          get(size!),
          get(add!),
          get(own!),
        )
      const strips = i32.add(get(own!), i32.const(TILE_BYTES))
      return [
        set(own!, ownScratch(scratch!, stride!)),
        set(column!, i32.mul(i32.remainder(get(chunk), get(columnChunks!)), get(columnsPerChunk!))),
        set(count!, i32.min(get(columnsPerChunk!), i32.sub(get(columns!), get(column!)))),
        set(from!, i32.const(0)),
        loopTo(from!, get(depth!), i32.const(BLOCK_DEPTH), [
          set(size!, i32.min(i32.const(BLOCK_DEPTH), i32.sub(get(depth!), get(from!)))),
          set(add!, i32.or(get(accumulate!), i32.gtS(get(from!), i32.const(0)))),
          set(
            panel!,
            i32.add(
              get(panels!),
              i32.shl(i32.add(i32.mul(get(from!), get(padded!)), i32.mul(get(column!), get(size!))), i32.const(2)),
            ),
          ),
          set(row!, i32.mul(rowChunk, get(rowsPerChunk!))),
          set(rowEnd!, i32.min(get(rows!), i32.add(get(row!), get(rowsPerChunk!)))),
          loopTo(row!, get(rowEnd!), i32.const(BLOCK_ROWS), [
            set(high!, i32.min(i32.const(BLOCK_ROWS), i32.sub(get(rowEnd!), get(row!)))),
            set(target!, i32.add(i32.add(get(c!), i32.mul(get(row!), get(cRow!))), bytes(column!))),
            when(
              get(transposed!),
              [
                call(
                  packStrips,
                  i32.add(i32.add(get(a!), i32.mul(get(from!), get(aRow!))), bytes(row!)),
                  get(aRow!),
                  i32.const(4),
                  strips,
                  get(size!),
                  get(high!),
                ),
                multiply(1, strips, i32.const(0)),
              ],
              multiply(0, i32.add(i32.add(get(a!), i32.mul(get(row!), get(aRow!))), bytes(from!)), get(aRow!)),
            ),
          ]),
        ]),
      ]
    },
  )
}

/** Rows of A that go through together, and rows of the stored B: as many sums as fit in registers and hide their latency. */
const STREAM_GROUPS: readonly { readonly rows: number; readonly columns: number }[] = [
  { rows: 1, columns: 4 },
  { rows: 2, columns: 4 },
  { rows: 3, columns: 2 },
  { rows: 4, columns: 2 },
]
const STREAM_ROWS = STREAM_GROUPS.length

/** Dot products of a few rows of A with rows of the stored B, which passes the caches once a chunk. */
function defineStream(module: ModuleBuilder, relaxed: boolean): Task {
  const kernels = STREAM_GROUPS.map(
    (group) =>
      [
        defineDots(module, relaxed, group.rows, group.columns),
        group.columns,
        defineDots(module, relaxed, group.rows, 1),
      ] as const,
  )
  return defineTask(
    module,
    Array<'i32'>(13).fill('i32'),
    (scope, chunk, a, aRow, b, bRow, c, cRow, rows, columns, depth, accumulate, perChunk, scratch, stride) => {
      const [first, end, row, left, column, own] = Array.from({ length: 6 }, () => scope.local('i32')) as [
        Local,
        Local,
        Local,
        Local,
        Local,
        Local,
      ]
      const dots = (kernel: number): Code =>
        call(
          kernel,
          i32.add(get(a!), i32.mul(get(row), get(aRow!))),
          get(aRow!),
          i32.add(get(b!), i32.mul(get(column), get(bRow!))),
          get(bRow!),
          i32.add(i32.add(get(c!), i32.mul(get(row), get(cRow!))), bytes(column)),
          get(cRow!),
          get(depth!),
          get(accumulate!),
          get(own),
        )
      return [
        set(own, ownScratch(scratch!, stride!)),
        set(first, i32.mul(get(chunk), get(perChunk!))),
        set(end, i32.min(get(columns!), i32.add(get(first), get(perChunk!)))),
        set(row, i32.const(0)),
        loopTo(row, get(rows!), i32.const(STREAM_ROWS), [
          set(left, i32.min(i32.const(STREAM_ROWS), i32.sub(get(rows!), get(row)))),
          set(column, get(first)),
          kernels.map(([several, count, single], index) =>
            when(i32.eq(get(left), i32.const(index + 1)), [
              loopTo(column, i32.sub(get(end), i32.const(count - 1)), i32.const(count), dots(several)),
              loopTo(column, get(end), i32.const(1), dots(single)),
            ]),
          ),
        ]),
      ]
    },
  )
}

/** (a, aRowBytes, b, bRowBytes, c, cRowBytes, depth, accumulate, scratch); the scratch space holds two vectors a sum. */
function defineDots(module: ModuleBuilder, relaxed: boolean, rows: number, columns: number): number {
  const madd = multiplyAdd(relaxed)
  return module.define(
    '',
    Array<'i32'>(9).fill('i32'),
    null,
    (scope, a, aRow, b, bRow, c, cRow, depth, accumulate, scratch) => {
      const left = Array.from({ length: rows }, () => scope.local('i32'))
      const right = Array.from({ length: columns }, () => scope.local('i32'))
      const cells = left.flatMap((row, index) =>
        right.map((column, at) => ({
          row,
          column,
          target: at * 4,
          lastOfRow: at === columns - 1,
          place: (index * columns + at) * 32,
        })),
      )
      const [sums, highs] = [cells.map(() => scope.local('v128')), cells.map(() => scope.local('v128'))]
      const vectors = new Map(
        [...left, ...right].map((pointer) => [pointer, [scope.local('v128'), scope.local('v128')]] as const),
      )
      const [end, total] = [scope.local('i32'), scope.local('f32')]
      const pointers = [...left, ...right]
      const step = (
        loads: readonly ((pointer: Local) => Code)[],
        into: readonly (readonly Local[])[],
        size: number,
      ): Code => [
        pointers.map((pointer) => loads.map((load, half) => set(vectors.get(pointer)![half]!, load(pointer)))),
        cells.map(({ row, column }, index) =>
          into.map((locals, half) =>
            set(
              locals[index]!,
              madd(get(vectors.get(row)![half]!), get(vectors.get(column)![half]!), get(locals[index]!)),
            ),
          ),
        ),
        pointers.slice(1).map((pointer) => bump(pointer, i32.const(size))), // the loop moves the first
      ]
      const upTo = (unit: number): Code =>
        set(end, i32.add(get(a!), i32.shl(i32.and(get(depth!), i32.const(-unit)), i32.const(2))))
      const rowsOf = (locals: readonly Local[], base: Local, rowBytes: Local): Code =>
        locals.map((local, index) => set(local, i32.add(get(base), i32.mul(get(rowBytes), i32.const(index)))))
      const first = left[0]!
      return [
        rowsOf(left, a!, aRow!),
        rowsOf(right, b!, bRow!),
        [...sums, ...highs].map((sum) => set(sum, f32x4.const(0))),
        upTo(8),
        loopPointer(
          first,
          get(end),
          32,
          step([(pointer) => v128.load(get(pointer)), (pointer) => v128.load(get(pointer), 16)], [sums, highs], 32),
        ),
        // Neighbours in memory are what the runtime joins into wider registers.
        cells.map(({ place }, index) => [
          v128.store(get(scratch!), get(sums[index]!), place),
          v128.store(get(scratch!), get(highs[index]!), place + 16),
        ]),
        cells.map(({ place }, index) =>
          set(sums[index]!, f32x4.add(v128.load(get(scratch!), place), v128.load(get(scratch!), place + 16))),
        ),
        upTo(4),
        loopPointer(first, get(end), 16, step([(pointer) => v128.load(get(pointer))], [sums], 16)),
        set(end, i32.add(get(a!), bytes(depth!))),
        loopPointer(first, get(end), 4, step([(pointer) => v128.first(v128.loadSplat(get(pointer)))], [sums], 4)),
        cells.map(({ target, lastOfRow }, index) => [
          set(total, f32x4.sum(sums[index]!)),
          when(get(accumulate!), set(total, f32.add(get(total), f32.load(get(c!), target)))),
          f32.store(get(c!), get(total), target),
          lastOfRow ? bump(c!, get(cRow!)) : [],
        ]),
      ]
    },
  )
}
