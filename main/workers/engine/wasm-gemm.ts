// Matrix product C (+)= A · B in the manner of Goto and van de Geijn (2008): B is copied into panels of some columns,
// and a tile of a few rows by one panel is held in registers while it runs down the shared dimension. Each number of
// C is summed in the order of the shared dimension whatever the tile, so that tiles and threads change no bit of it.
import type { FunctionScope, ModuleBuilder } from './assemble-module.ts'
import {
  type Code,
  f32,
  f32x4,
  f64,
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
import { bump } from './wasm-lanes.ts'

export interface TileShape {
  /** An even number. */
  readonly rows: number
  /** A multiple of 4. */
  readonly columns: number
}

/** What sixteen registers of 128 bits hold, and what as many of 256 do. */
export const NARROW_TILE: TileShape = { rows: 4, columns: 8 }
export const WIDE_TILE: TileShape = { rows: 6, columns: 16 }

const FLOAT_BYTES = 4
const bytes = (count: Code): Code => i32.shl(count, i32.const(2))

export interface GemmFunctions {
  readonly packPanels: number
  readonly packStrips: number
  readonly gemm: number
}

/**
 * Adds `packPanels` and `packStrips(x, rowBytes, columnBytes, target, depth, columns)`, which copy x [depth, columns]
 * into panels and strips as wide as the tile has columns and rows, and
 * `gemm(strips, a, aRowBytes, panels, panelBytes, c, cRowBytes, rows, columns, depth, accumulate, scratch)`.
 * With `strips`, A was transposed and lies in strips. `panelBytes` is from one panel to the next, `scratch` holds one tile.
 */
export function defineGemm(module: ModuleBuilder, relaxed: boolean, tile: TileShape): GemmFunctions {
  const packPanels = definePack(module, 'packPanels', tile.columns)
  const packStrips = definePack(module, 'packStrips', tile.rows)
  const gemm = module.define(
    'gemm',
    Array<'i32'>(12).fill('i32'),
    null,
    (scope, strips, a, aRow, panels, panelBytes, c, cRow, rows, columns, depth, accumulate, scratch) => {
      const args: GemmLocals = {
        a: a!,
        aRow: aRow!,
        panels: panels!,
        panelBytes: panelBytes!,
        c: c!,
        cRow: cRow!,
        rows: rows!,
        columns: columns!,
        depth: depth!,
        accumulate: accumulate!,
        scratch: scratch!,
      }
      const work = workLocals(scope, tile)
      return when(get(strips!), gemmLoops(args, work, relaxed, true), gemmLoops(args, work, relaxed, false))
    },
  )
  return { packPanels, packStrips, gemm }
}

interface GemmLocals {
  readonly a: Local
  readonly aRow: Local
  readonly panels: Local
  readonly panelBytes: Local
  readonly c: Local
  readonly cRow: Local
  readonly rows: Local
  readonly columns: Local
  readonly depth: Local
  readonly accumulate: Local
  readonly scratch: Local
}

type Work = ReturnType<typeof workLocals>

function workLocals(scope: FunctionScope, tile: TileShape) {
  const i32s = () => scope.local('i32')
  const v128s = () => scope.local('v128')
  const quarters = Array.from({ length: tile.columns / 4 }, (_, index) => index * 16) // byte offsets of a panel row's vectors
  return {
    tile,
    quarters,
    column: i32s(),
    row: i32s(),
    end: i32s(),
    panel: i32s(),
    b: i32s(),
    targetRow: i32s(),
    copyRow: i32s(),
    copyColumn: i32s(),
    pointers: Array.from({ length: tile.rows }, i32s),
    sums: Array.from({ length: tile.rows }, () => quarters.map(v128s)),
    right: quarters.map(v128s),
    splat: v128s(),
  }
}

function gemmLoops(args: GemmLocals, work: Work, relaxed: boolean, strips: boolean): Code {
  const { column, row, panel, tile } = work
  const compute = (count: number): Code => computeTile(args, work, relaxed, strips, count)
  return [
    set(column, i32.const(0)),
    set(panel, get(args.panels)),
    loopTo(column, get(args.columns), i32.const(tile.columns), [
      set(row, i32.const(0)),
      loopTo(row, i32.sub(get(args.rows), i32.const(tile.rows - 1)), i32.const(tile.rows), compute(tile.rows)),
      loopTo(row, i32.sub(get(args.rows), i32.const(1)), i32.const(2), compute(2)),
      loopTo(row, get(args.rows), i32.const(1), compute(1)),
      bump(panel, get(args.panelBytes)),
    ]),
  ]
}

/** `count` rows by one panel's columns of C, from row `row` and column `column`. */
function computeTile(args: GemmLocals, work: Work, relaxed: boolean, strips: boolean, count: number): Code {
  const { row, end, panel, b, pointers, sums, tile } = work
  const tileRows = Array.from({ length: count }, (_, index) => index)
  const strip = i32.mul(
    i32.div(get(row), i32.const(tile.rows)),
    i32.mul(get(args.depth), i32.const(tile.rows * FLOAT_BYTES)),
  )
  const lane = bytes(i32.remainder(get(row), i32.const(tile.rows)))
  const start = strips
    ? set(pointers[0]!, i32.add(get(args.a), i32.add(strip, lane)))
    : tileRows.map((index) =>
        set(pointers[index]!, i32.add(get(args.a), i32.mul(i32.add(get(row), i32.const(index)), get(args.aRow)))),
      )
  const panelRow = tile.columns * FLOAT_BYTES
  const step = (unrolled: number): Code => [
    Array.from({ length: unrolled }, (_, at) => multiplyStep(work, relaxed, strips, count, at)),
    strips
      ? bump(pointers[0]!, i32.const(unrolled * tile.rows * FLOAT_BYTES))
      : tileRows.map((index) => bump(pointers[index]!, i32.const(unrolled * FLOAT_BYTES))),
  ]
  return [
    start,
    tileRows.map((index) => sums[index]!.map((sum) => set(sum, f32x4.const(0)))),
    set(b, get(panel)),
    set(end, i32.add(get(panel), i32.mul(i32.and(get(args.depth), i32.const(-4)), i32.const(panelRow)))),
    loopPointer(b, get(end), 4 * panelRow, step(4)),
    set(end, i32.add(get(panel), i32.mul(get(args.depth), i32.const(panelRow)))),
    loopPointer(b, get(end), panelRow, step(1)),
    writeTile(args, work, tileRows),
  ]
}

/** One element of the shared dimension: a panel's row of B, one number of each row of A. */
function multiplyStep(work: Work, relaxed: boolean, strips: boolean, count: number, at: number): Code {
  const { b, right, splat, pointers, sums, quarters, tile } = work
  const madd = multiplyAdd(relaxed)
  const element = (index: number): Code =>
    strips
      ? v128.loadSplat(get(pointers[0]!), (at * tile.rows + index) * FLOAT_BYTES)
      : v128.loadSplat(get(pointers[index]!), at * FLOAT_BYTES)
  return [
    right.map((local, quarter) => set(local, v128.load(get(b), at * tile.columns * FLOAT_BYTES + quarters[quarter]!))),
    Array.from({ length: count }, (_, index) => [
      set(splat, element(index)),
      sums[index]!.map((sum, quarter) => set(sum, madd(get(splat), get(right[quarter]!), get(sum)))),
    ]),
  ]
}

/** Registers into C; a panel past C's last column goes by way of the scratch tile. */
function writeTile(args: GemmLocals, work: Work, tileRows: readonly number[]): Code {
  const { row, column, targetRow, sums, quarters, tile } = work
  const whole = i32.leS(i32.add(get(column), i32.const(tile.columns)), get(args.columns))
  // All loads of a row before its stores: only then may the runtime join neighbours into wider registers.
  const join = (index: number): Code =>
    sums[index]!.map((sum, quarter) => set(sum, f32x4.add(get(sum), v128.load(get(targetRow), quarters[quarter]!))))
  const write = (index: number, base: Local, offset: number): Code =>
    sums[index]!.map((sum, quarter) => v128.store(get(base), get(sum), offset + quarters[quarter]!))
  return [
    set(targetRow, i32.add(i32.add(get(args.c), i32.mul(get(row), get(args.cRow))), bytes(get(column)))),
    when(
      whole,
      when(
        get(args.accumulate),
        tileRows.map((index) => [join(index), write(index, targetRow, 0), bump(targetRow, get(args.cRow))]),
        tileRows.map((index) => [write(index, targetRow, 0), bump(targetRow, get(args.cRow))]),
      ),
      [
        tileRows.map((index) => write(index, args.scratch, index * tile.columns * FLOAT_BYTES)),
        copyPart(args, work, tileRows.length),
      ],
    ),
  ]
}

function copyPart(args: GemmLocals, work: Work, count: number): Code {
  const { copyRow, copyColumn, targetRow, column, tile } = work
  const from = i32.add(
    get(args.scratch),
    i32.add(i32.mul(get(copyRow), i32.const(tile.columns * FLOAT_BYTES)), bytes(get(copyColumn))),
  )
  const to = i32.add(get(targetRow), bytes(get(copyColumn)))
  return [
    set(copyRow, i32.const(0)),
    loopTo(copyRow, i32.const(count), i32.const(1), [
      set(copyColumn, i32.const(0)),
      loopTo(
        copyColumn,
        i32.sub(get(args.columns), get(column)),
        i32.const(1),
        when(get(args.accumulate), f32.store(to, f32.add(f32.load(to), f32.load(from))), f32.store(to, f32.load(from))),
      ),
      bump(targetRow, get(args.cRow)),
    ]),
  ]
}

/** x [depth, columns], of any strides, into panels [column / size, depth, size] with zeros past the last column. */
function definePack(module: ModuleBuilder, name: string, size: number): number {
  const quarters = Array.from({ length: Math.floor(size / 4) }, (_, index) => index * 16)
  return module.define(
    name,
    Array<'i32'>(6).fill('i32'),
    null,
    (scope, x, rowBytes, columnBytes, target, depth, columns) => {
      const [column, k, lane, from, to, width, other] = scope.locals('i32', 7)
      const block = scope.locals('v128', 8)
      const eachRow = (body: Code): Code =>
        loopTo(k, get(depth!), i32.const(1), [
          body,
          bump(from, get(rowBytes!)),
          bump(to, i32.const(size * FLOAT_BYTES)),
        ])
      const half = size % 4 === 2 ? f64.store(get(to), f64.load(get(from), size * 4 - 8), size * 4 - 8) : []
      const wide = eachRow([
        quarters.map((offset, index) => set(block[index]!, v128.load(get(from), offset))),
        quarters.map((offset, index) => v128.store(get(to), get(block[index]!), offset)),
        half,
      ])
      // Strips are only made of rows that lie together.
      const strided =
        size % 4 !== 0
          ? []
          : [
              loopTo(k, i32.sub(get(depth!), i32.const(3)), i32.const(4), [
                set(other, get(from)),
                quarters.map((offset) => transposeFour(block, other, columnBytes!, to, offset, size * FLOAT_BYTES)),
                bump(from, i32.const(16)),
                bump(to, i32.const(4 * size * FLOAT_BYTES)),
              ]),
              eachRow(
                Array.from({ length: size }, (_, index) =>
                  f32.store(
                    get(to),
                    f32.load(i32.add(get(from), i32.mul(get(columnBytes!), i32.const(index)))),
                    index * FLOAT_BYTES,
                  ),
                ),
              ),
            ]
      const partial = eachRow([
        quarters.map((offset) => v128.store(get(to), f32x4.const(0), offset)),
        size % 4 === 2 ? f64.store(get(to), f64.const(0), size * 4 - 8) : [],
        set(lane, i32.const(0)),
        loopTo(
          lane,
          get(width),
          i32.const(1),
          f32.store(
            i32.add(get(to), bytes(get(lane))),
            f32.load(i32.add(get(from), i32.mul(get(lane), get(columnBytes!)))),
          ),
        ),
      ])
      return [
        set(to, get(target!)),
        set(column, i32.const(0)),
        loopTo(column, get(columns!), i32.const(size), [
          set(width, i32.sub(get(columns!), get(column))),
          set(from, i32.add(get(x!), i32.mul(get(column), get(columnBytes!)))),
          set(k, i32.const(0)),
          when(
            i32.ltS(get(width), i32.const(size)),
            partial,
            when(i32.gtS(get(columnBytes!), i32.const(FLOAT_BYTES)), strided, wide),
          ),
        ]),
      ]
    },
  )
}

/** Four numbers from each of four columns, `stride` bytes apart from `from` on (which moves past them), into four rows at `to`. */
function transposeFour(
  block: readonly Local[],
  from: Local,
  stride: Local,
  to: Local,
  offset: number,
  rowBytes: number,
): Code {
  const [a, b, c, d, ab, cd, abHigh, cdHigh] = block as [Local, Local, Local, Local, Local, Local, Local, Local]
  const store = (row: number, value: Code): Code => v128.store(get(to), value, row * rowBytes + offset)
  return [
    [a, b, c, d].map((local) => [set(local, v128.load(get(from))), bump(from, get(stride))]),
    set(ab, f32x4.zipLow(get(a), get(b))),
    set(cd, f32x4.zipLow(get(c), get(d))),
    set(abHigh, f32x4.zipHigh(get(a), get(b))),
    set(cdHigh, f32x4.zipHigh(get(c), get(d))),
    store(0, f32x4.joinLow(get(ab), get(cd))),
    store(1, f32x4.joinHigh(get(ab), get(cd))),
    store(2, f32x4.joinLow(get(abHigh), get(cdHigh))),
    store(3, f32x4.joinHigh(get(abHigh), get(cdHigh))),
  ]
}
