// The matrix product as two jobs: B into panels, then blocks of C.
import type { ModuleBuilder } from './assemble-module.ts'
import { call, type Code, get, i32, loopTo, set, when } from './assembler.ts'
import { defineGemm, type GemmFunctions, type TileShape } from './wasm-gemm.ts'
import { bytes } from './wasm-lanes.ts'
import { defineTask, ownScratch, type Task } from './wasm-tasks.ts'

/** Rows of B in one set of panels: a panel stays in the first-level cache. */
export const BLOCK_DEPTH = 256
/** Rows of A that stay in the second-level cache while the panels pass. A multiple of every tile's rows. */
const BLOCK_ROWS = 72
/** Of a thread's own scratch space: a tile, then the strips of a block of A. */
export const TILE_BYTES = 1024
export const STRIPS_BYTES = BLOCK_ROWS * BLOCK_DEPTH * 4

export interface ProductTasks extends GemmFunctions {
  /** (x, rowBytes, columnBytes, target, depth, columns, columnsPerChunk, paddedColumns) */
  readonly pack: Task
  /** (a, aRowBytes, aTransposed, panels, paddedColumns, c, cRowBytes, rows, columns, depth, accumulate, rowsPerChunk, columnChunks, columnsPerChunk, scratch, scratchStride) */
  readonly multiply: Task
}

export function defineProduct(module: ModuleBuilder, relaxed: boolean, tile: TileShape): ProductTasks {
  const gemm = defineGemm(module, relaxed, tile)
  return {
    ...gemm,
    pack: definePackTask(module, gemm),
    multiply: defineMultiplyTask(module, gemm, tile),
  }
}

/** Every `BLOCK_DEPTH` rows of B have panels of their own, one set after the other. */
function definePackTask(module: ModuleBuilder, { packPanels }: GemmFunctions): Task {
  return defineTask(
    module,
    Array<'i32'>(8).fill('i32'),
    (scope, chunk, x, rowBytes, columnBytes, target, depth, columns, perChunk, padded) => {
      const [first, count, from, size] = scope.locals('i32', 4)
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
      const [row, rowEnd, column, count, from, size, high, own, panel, target, add] = scope.locals('i32', 11)
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
