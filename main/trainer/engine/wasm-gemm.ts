// Matrix product C (+)= A · B in the manner of Goto and van de Geijn (2008): B is copied into panels eight columns
// wide, and a block of four rows by eight columns is held in registers while it runs down the shared dimension.
import { type Code, f32, f32x4, type FunctionScope, get, i32, loopTo, type Local, type ModuleBuilder, multiplyAdd, set, v128, when } from './assembler.ts'

export const PANEL_COLUMNS = 8
export const TILE_ROWS = 4
/** Rows of A that stay in the second-level cache while the panels pass. */
const BLOCK_ROWS = 64
const FLOAT_BYTES = 4
const PANEL_ROW_BYTES = PANEL_COLUMNS * FLOAT_BYTES
const STRIP_ROW_BYTES = TILE_ROWS * FLOAT_BYTES

const bytes = (count: Code): Code => i32.shl(count, i32.const(2))
const bump = (local: Local, by: Code): Code => set(local, i32.add(get(local), by))

/**
 * Adds `packPanels` and `packStrips(x, rowBytes, columnBytes, target, depth, columns)`, which copy x [depth, columns]
 * into panels of eight and strips of four columns, and
 * `gemm(strips, a, aRowBytes, panels, c, cRowBytes, rows, columns, depth, accumulate, scratch)`.
 * With `strips`, A was transposed and lies in strips. `scratch` holds 32 floats.
 */
export function defineGemm(module: ModuleBuilder, relaxed: boolean): void {
  definePack(module, 'packPanels', PANEL_COLUMNS)
  definePack(module, 'packStrips', TILE_ROWS)
  module.define('gemm', Array<'i32'>(11).fill('i32'), null, (scope, strips, a, aRow, panels, c, cRow, rows, columns, depth, accumulate, scratch) => {
    const args: GemmLocals = { a: a!, aRow: aRow!, panels: panels!, c: c!, cRow: cRow!, rows: rows!, columns: columns!, depth: depth!, accumulate: accumulate!, scratch: scratch! }
    const work = workLocals(scope)
    return when(get(strips!), gemmLoops(args, work, relaxed, true), gemmLoops(args, work, relaxed, false))
  })
}

interface GemmLocals {
  readonly a: Local
  readonly aRow: Local
  readonly panels: Local
  readonly c: Local
  readonly cRow: Local
  readonly rows: Local
  readonly columns: Local
  readonly depth: Local
  readonly accumulate: Local
  readonly scratch: Local
}

type Work = ReturnType<typeof workLocals>

function workLocals(scope: FunctionScope) {
  const i32s = () => scope.local('i32')
  const v128s = () => scope.local('v128')
  return {
    block: i32s(), blockEnd: i32s(), column: i32s(), row: i32s(), k: i32s(), panel: i32s(), b: i32s(), target: i32s(), targetRow: i32s(), copyRow: i32s(), copyColumn: i32s(),
    pointers: Array.from({ length: TILE_ROWS }, i32s),
    left: Array.from({ length: TILE_ROWS }, v128s), right: Array.from({ length: TILE_ROWS }, v128s),
    b0: v128s(), b1: v128s(), splat: v128s(),
  }
}

function gemmLoops(args: GemmLocals, work: Work, relaxed: boolean, strips: boolean): Code {
  const { block, blockEnd, column, row, panel } = work
  const tile = (count: number): Code => computeTile(args, work, relaxed, strips, count)
  return [
    set(block, i32.const(0)),
    loopTo(block, get(args.rows), i32.const(BLOCK_ROWS), [
      set(blockEnd, i32.min(get(args.rows), i32.add(get(block), i32.const(BLOCK_ROWS)))),
      set(column, i32.const(0)),
      set(panel, get(args.panels)),
      loopTo(column, get(args.columns), i32.const(PANEL_COLUMNS), [
        set(row, get(block)),
        loopTo(row, i32.sub(get(blockEnd), i32.const(TILE_ROWS - 1)), i32.const(TILE_ROWS), tile(TILE_ROWS)),
        loopTo(row, get(blockEnd), i32.const(1), tile(1)),
        bump(panel, i32.mul(get(args.depth), i32.const(PANEL_ROW_BYTES))),
      ]),
    ]),
  ]
}

/** `count` rows by eight columns of C, from row `row` and column `column`. */
function computeTile(args: GemmLocals, work: Work, relaxed: boolean, strips: boolean, count: number): Code {
  const { row, k, panel, b, pointers, left, right } = work
  const tileRows = Array.from({ length: count }, (_, index) => index)
  const lane = bytes(i32.and(get(row), i32.const(TILE_ROWS - 1)))
  const strip = i32.mul(i32.and(get(row), i32.const(-TILE_ROWS)), bytes(get(args.depth)))
  const start = strips
    ? set(pointers[0]!, i32.add(get(args.a), i32.add(strip, lane)))
    : tileRows.map((index) => set(pointers[index]!, i32.add(get(args.a), i32.mul(i32.add(get(row), i32.const(index)), get(args.aRow)))))
  const zero = tileRows.map((index) => [set(left[index]!, f32x4.const(0)), set(right[index]!, f32x4.const(0))])
  const step = (unrolled: number): Code => [
    Array.from({ length: unrolled }, (_, at) => multiplyStep(work, relaxed, strips, count, at)),
    bump(b, i32.const(unrolled * PANEL_ROW_BYTES)),
    strips ? bump(pointers[0]!, i32.const(unrolled * STRIP_ROW_BYTES)) : tileRows.map((index) => bump(pointers[index]!, i32.const(unrolled * FLOAT_BYTES))),
  ]
  return [
    start,
    zero,
    set(b, get(panel)),
    set(k, i32.const(0)),
    loopTo(k, i32.sub(get(args.depth), i32.const(3)), i32.const(4), step(4)),
    loopTo(k, get(args.depth), i32.const(1), step(1)),
    writeTile(args, work, tileRows),
  ]
}

/** One element of the shared dimension: eight numbers of B, one of each row of A. */
function multiplyStep(work: Work, relaxed: boolean, strips: boolean, count: number, at: number): Code {
  const { b, b0, b1, splat, pointers, left, right } = work
  const madd = multiplyAdd(relaxed)
  const element = (index: number): Code =>
    strips ? v128.loadSplat(get(pointers[0]!), at * STRIP_ROW_BYTES + index * FLOAT_BYTES) : v128.loadSplat(get(pointers[index]!), at * FLOAT_BYTES)
  return [
    set(b0, v128.load(get(b), at * PANEL_ROW_BYTES)),
    set(b1, v128.load(get(b), at * PANEL_ROW_BYTES + 16)),
    Array.from({ length: count }, (_, index) => [
      set(splat, element(index)),
      set(left[index]!, madd(get(splat), get(b0), get(left[index]!))),
      set(right[index]!, madd(get(splat), get(b1), get(right[index]!))),
    ]),
  ]
}

/** Registers into C; a panel past C's last column goes by way of the scratch block. */
function writeTile(args: GemmLocals, work: Work, tileRows: readonly number[]): Code {
  const { row, column, target, targetRow, left, right } = work
  const whole = i32.leS(i32.add(get(column), i32.const(PANEL_COLUMNS)), get(args.columns))
  const joined = (value: Local, offset: number): Code => f32x4.add(get(value), v128.load(get(targetRow), offset))
  const each = (write: (index: number) => Code): Code => tileRows.map((index) => [write(index), bump(targetRow, get(args.cRow))])
  return [
    set(target, i32.add(i32.add(get(args.c), i32.mul(get(row), get(args.cRow))), bytes(get(column)))),
    set(targetRow, get(target)),
    when(
      whole,
      when(
        get(args.accumulate),
        each((index) => [v128.store(get(targetRow), joined(left[index]!, 0)), v128.store(get(targetRow), joined(right[index]!, 16), 16)]),
        each((index) => [v128.store(get(targetRow), get(left[index]!)), v128.store(get(targetRow), get(right[index]!), 16)]),
      ),
      [
        tileRows.map((index) => [v128.store(get(args.scratch), get(left[index]!), index * PANEL_ROW_BYTES), v128.store(get(args.scratch), get(right[index]!), index * PANEL_ROW_BYTES + 16)]),
        copyPart(args, work, tileRows.length),
      ],
    ),
  ]
}

function copyPart(args: GemmLocals, work: Work, count: number): Code {
  const { copyRow, copyColumn, targetRow, column } = work
  const from = i32.add(get(args.scratch), i32.add(i32.mul(get(copyRow), i32.const(PANEL_ROW_BYTES)), bytes(get(copyColumn))))
  const to = i32.add(get(targetRow), bytes(get(copyColumn)))
  return [
    set(copyRow, i32.const(0)),
    loopTo(copyRow, i32.const(count), i32.const(1), [
      set(copyColumn, i32.const(0)),
      loopTo(copyColumn, i32.sub(get(args.columns), get(column)), i32.const(1), when(
        get(args.accumulate),
        f32.store(to, f32.add(f32.load(to), f32.load(from))),
        f32.store(to, f32.load(from)),
      )),
      bump(targetRow, get(args.cRow)),
    ]),
  ]
}

/** x [depth, columns], of any strides, into panels [column / size, depth, size] with zeros past the last column. */
function definePack(module: ModuleBuilder, name: string, size: number): void {
  const quarters = Array.from({ length: size / 4 }, (_, index) => index * 16)
  module.define(name, Array<'i32'>(6).fill('i32'), null, (scope, x, rowBytes, columnBytes, target, depth, columns) => {
    const [column, k, lane, from, to, width] = Array.from({ length: 6 }, () => scope.local('i32')) as [Local, Local, Local, Local, Local, Local]
    const eachRow = (body: Code): Code => [
      set(from, i32.add(get(x!), i32.mul(get(column), get(columnBytes!)))),
      set(k, i32.const(0)),
      loopTo(k, get(depth!), i32.const(1), [body, bump(from, get(rowBytes!)), bump(to, i32.const(size * FLOAT_BYTES))]),
    ]
    const wide = eachRow(quarters.map((offset) => v128.store(get(to), v128.load(get(from), offset), offset)))
    const strided = eachRow(Array.from({ length: size }, (_, index) =>
      f32.store(get(to), f32.load(i32.add(get(from), i32.mul(get(columnBytes!), i32.const(index)))), index * FLOAT_BYTES)))
    const partial = eachRow([
      quarters.map((offset) => v128.store(get(to), f32x4.const(0), offset)),
      set(lane, i32.const(0)),
      loopTo(lane, get(width), i32.const(1), f32.store(i32.add(get(to), bytes(get(lane))), f32.load(i32.add(get(from), i32.mul(get(lane), get(columnBytes!)))))),
    ])
    return [
      set(to, get(target!)),
      set(column, i32.const(0)),
      loopTo(column, get(columns!), i32.const(size), [
        set(width, i32.sub(get(columns!), get(column))),
        when(i32.ltS(get(width), i32.const(size)), partial, when(i32.gtS(get(columnBytes!), i32.const(FLOAT_BYTES)), strided, wide)),
      ]),
    ]
  })
}
