// Products of few rows with a transposed B, which is read once: as it lies, or a few of its rows at a time widened from
// fewer bits into room that stays in the first-level cache. Either way a number of the result is the same sum.
import type { PackedForm } from '../../core/learn/models/packed.ts'
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
import { bump, bytes } from './wasm-lanes.ts'
import { defineTask, ownScratch, type Task } from './wasm-tasks.ts'
import { PACKED_FORMS } from './wasm-widen.ts'

/** More rows than these are multiplied through panels. */
export const MOST_STREAMED_ROWS = 12
/** Of a thread's own scratch space: two vectors a sum. */
export const SUMS_BYTES = 1024

/** Rows of A that go through together, and rows of the stored B: as many sums as fit in registers and hide their latency. */
const STREAM_GROUPS: readonly { readonly rows: number; readonly columns: number }[] = [
  { rows: 1, columns: 4 },
  { rows: 2, columns: 4 },
  { rows: 3, columns: 2 },
  { rows: 4, columns: 2 },
]
const STREAM_ROWS = STREAM_GROUPS.length
/** Rows of a packed B that are widened at a time. */
export const WIDENED_ROWS = 4

export interface StreamTasks {
  /** (a, aRowBytes, b, bRowBytes, c, cRowBytes, rows, columns, depth, accumulate, columnsPerChunk, scratch, scratchStride) */
  readonly plain: Task
  /**
   * (a, aRowBytes, b, groupsPerRow, c, cRowBytes, rows, columns, depth, groupBytes, columnsPerChunk, scratch, scratchStride)
   * with the sums' room and `WIDENED_ROWS` rows of B in each thread's scratch space
   */
  readonly packed: Readonly<Record<PackedForm, Task>>
}

/** Dot products of so many rows of A with one or with `several` rows of B. */
interface DotKernels {
  readonly several: number
  readonly count: number
  readonly single: number
}

/** @param wideners index of the function that widens each form */
export function defineStreams(
  module: ModuleBuilder,
  relaxed: boolean,
  wideners: Readonly<Record<PackedForm, number>>,
): StreamTasks {
  const kernels = STREAM_GROUPS.map(({ rows, columns }): DotKernels => ({
    several: defineDots(module, relaxed, rows, columns),
    count: columns,
    single: defineDots(module, relaxed, rows, 1),
  }))
  const packed = PACKED_FORMS.map((form) => [form, definePackedStream(module, kernels, wideners[form])] as const)
  return {
    plain: definePlainStream(module, kernels),
    packed: Object.fromEntries(packed) as Record<PackedForm, Task>, // one of each form
  }
}

/** All columns from `column` to `end`, by the kernels for as many rows as are `left`. */
function columnsOf(
  kernels: readonly DotKernels[],
  left: Local,
  column: Local,
  end: Local,
  dots: (kernel: number) => Code,
): Code {
  return kernels.map(({ several, count, single }, index) =>
    when(i32.eq(get(left), i32.const(index + 1)), [
      loopTo(column, i32.sub(get(end), i32.const(count - 1)), i32.const(count), dots(several)),
      loopTo(column, get(end), i32.const(1), dots(single)),
    ]),
  )
}

function definePlainStream(module: ModuleBuilder, kernels: readonly DotKernels[]): Task {
  return defineTask(
    module,
    Array<'i32'>(13).fill('i32'),
    (scope, chunk, a, aRow, b, bRow, c, cRow, rows, columns, depth, accumulate, perChunk, scratch, stride) => {
      const [first, end, row, left, column, own] = scope.locals('i32', 6)
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
          columnsOf(kernels, left, column, end, dots),
        ]),
      ]
    },
  )
}

function definePackedStream(module: ModuleBuilder, kernels: readonly DotKernels[], widener: number): Task {
  return defineTask(
    module,
    Array<'i32'>(13).fill('i32'),
    (scope, chunk, a, aRow, b, groups, c, cRow, rows, columns, depth, groupBytes, perChunk, scratch, stride) => {
      const [column, last, row, left, inner, width, own] = scope.locals('i32', 7)
      const widened = i32.add(get(own), i32.const(SUMS_BYTES))
      const dots = (kernel: number): Code =>
        call(
          kernel,
          i32.add(get(a!), i32.mul(get(row), get(aRow!))),
          get(aRow!),
          i32.add(widened, i32.mul(get(inner), bytes(depth!))),
          bytes(depth!),
          i32.add(
            i32.add(get(c!), i32.mul(get(row), get(cRow!))),
            i32.shl(i32.add(get(column), get(inner)), i32.const(2)),
          ),
          get(cRow!),
          get(depth!),
          i32.const(0),
          get(own),
        )
      return [
        set(own, ownScratch(scratch!, stride!)),
        set(column, i32.mul(get(chunk), get(perChunk!))),
        set(last, i32.min(get(columns!), i32.add(get(column), get(perChunk!)))),
        loopTo(column, get(last), i32.const(WIDENED_ROWS), [
          set(width, i32.min(i32.const(WIDENED_ROWS), i32.sub(get(last), get(column)))),
          call(
            widener,
            i32.add(get(b!), i32.mul(i32.mul(get(column), get(groups!)), get(groupBytes!))),
            widened,
            i32.mul(get(width), get(groups!)),
          ),
          set(row, i32.const(0)),
          loopTo(row, get(rows!), i32.const(STREAM_ROWS), [
            set(left, i32.min(i32.const(STREAM_ROWS), i32.sub(get(rows!), get(row)))),
            set(inner, i32.const(0)),
            columnsOf(kernels, left, inner, width, dots),
          ]),
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
