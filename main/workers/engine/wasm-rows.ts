// Kernels that pass over rows of numbers, as tasks; rotations, log-probs, copies and sums are written here.
import type { PackedForm } from '../../core/learn/models/packed.ts'
import type { FunctionScope, ModuleBuilder } from './assemble-module.ts'
import { f32, f32x4, type Code, get, i32, loopTo, type Local, multiplyAdd, set, v128 } from './assembler.ts'
import { alongRow, bump, bytes, exponential } from './wasm-lanes.ts'
import { defineGelu, defineGeluGrad, defineSwiGlu, defineSwiGluGrad } from './wasm-activations.ts'
import { defineLayerNorm, defineLayerNormGrad, defineRmsNorm, defineRmsNormGrad } from './wasm-norms.ts'
import { defineSoftmax, defineSoftmaxGrad } from './wasm-softmax.ts'
import { type Argument, defineRowTask, type RowKernel, type Task } from './wasm-tasks.ts'

const integers = (count: number): Argument[] => Array<Argument>(count).fill('i32')

export const ROW_TASKS = [
  'rmsNorm',
  'rmsNormGrad',
  'layerNorm',
  'layerNormGrad',
  'swiGlu',
  'swiGluGrad',
  'geluExact',
  'geluTanh',
  'geluExactGrad',
  'geluTanhGrad',
  'rotary',
  'expSum',
  'logProbGrad',
  'gatherRows',
  'scatterRows',
  'add',
  'widen',
  'widenInt4',
  'widenInt8',
  'widenInt8x16',
] as const
export type RowTasks = Readonly<Record<(typeof ROW_TASKS)[number], Task>>

/** Softmax and the cached attention's sums besides, which are called as they are. */
export interface RowFunctions {
  readonly softmax: number
  readonly softmaxGrad: number
  readonly dots: number
  readonly weightedSum: number
}

export function defineRowKernels(
  module: ModuleBuilder,
  relaxed: boolean,
  wideners: Readonly<Record<PackedForm, number>>,
): RowTasks & RowFunctions {
  const softmax = defineSoftmax(module, relaxed)
  const softmaxGrad = defineSoftmaxGrad(module, relaxed)
  const [dots, weightedSum] = defineRowSums(module, relaxed)
  const [gather, scatter] = defineRowCopies(module)
  const task = (kernel: RowKernel): Task => defineRowTask(module, kernel)
  return {
    softmax,
    softmaxGrad,
    dots,
    weightedSum,
    rmsNorm: task({ kernel: defineRmsNorm(module, relaxed), params: [...integers(5), 'f32'], rows: 3, moving: [0, 2] }),
    rmsNormGrad: task({
      kernel: defineRmsNormGrad(module, relaxed),
      params: [...integers(7), 'f32'],
      rows: 5,
      moving: [0, 2, 3],
      perChunk: [4],
    }),
    layerNorm: task({
      kernel: defineLayerNorm(module, relaxed),
      params: [...integers(6), 'f32'],
      rows: 4,
      moving: [0, 3],
    }),
    layerNormGrad: task({
      kernel: defineLayerNormGrad(module, relaxed),
      params: [...integers(8), 'f32'],
      rows: 6,
      moving: [0, 2, 3],
      perChunk: [4, 5],
    }),
    swiGlu: task({ kernel: defineSwiGlu(module, relaxed), params: integers(4), rows: 3, moving: [0, 1, 2] }),
    swiGluGrad: task({
      kernel: defineSwiGluGrad(module, relaxed),
      params: integers(6),
      rows: 5,
      moving: [0, 1, 2, 3, 4],
    }),
    geluExact: task({ kernel: defineGelu(module, relaxed, true), params: integers(3), rows: 2, moving: [0, 1] }),
    geluTanh: task({ kernel: defineGelu(module, relaxed, false), params: integers(3), rows: 2, moving: [0, 1] }),
    geluExactGrad: task({
      kernel: defineGeluGrad(module, relaxed, true),
      params: integers(4),
      rows: 3,
      moving: [0, 1, 2],
    }),
    geluTanhGrad: task({
      kernel: defineGeluGrad(module, relaxed, false),
      params: integers(4),
      rows: 3,
      moving: [0, 1, 2],
    }),
    rotary: task({
      kernel: defineRotary(module, relaxed),
      params: [...integers(8), 'f32'],
      rows: 5,
      moving: [0, 1, 4],
    }),
    expSum: task({ kernel: defineLogSum(module, relaxed), params: integers(5), rows: 1, moving: [0, 3, 4] }),
    logProbGrad: task({
      kernel: defineLogProbGrad(module, relaxed),
      params: integers(6),
      rows: 4,
      moving: [0, 1, 2, 3],
    }),
    gatherRows: task({ kernel: gather, params: integers(7), rows: 3, moving: [1, 2] }),
    add: task({ kernel: defineAdd(module), params: integers(4), rows: 3, moving: [0, 1, 2] }),
    widen: task({ kernel: wideners.bfloat16, params: integers(3), rows: 2, moving: [0, 1] }),
    widenInt4: task({ kernel: wideners.int4, params: integers(3), rows: 2, moving: [0, 1] }),
    widenInt8: task({ kernel: wideners.int8, params: integers(3), rows: 2, moving: [0, 1] }),
    widenInt8x16: task({ kernel: wideners.int8x16, params: integers(3), rows: 2, moving: [0, 1] }),
    // By columns: rows of the result meet.
    scatterRows: task({ kernel: scatter, params: integers(7), rows: 4, moving: [0, 1] }),
  }
}

/** `rotary(x, y, cos, sin, positions, tokens, heads, half, sign)`; sign −1 turns back. */
function defineRotary(module: ModuleBuilder, relaxed: boolean): number {
  const madd = multiplyAdd(relaxed)
  return module.define(
    'rotary',
    [...Array<'i32'>(8).fill('i32'), 'f32'],
    null,
    (scope, x, y, cos, sin, positions, tokens, heads, half, sign) => {
      const [token, head, offset, c, s, x2, y2] = scope.locals('i32', 7)
      const turn = scope.local('v128')
      const rowOf = (table: Local): Code => i32.add(get(table), i32.mul(i32.load(get(positions!)), bytes(half!)))
      return [
        set(token, i32.const(0)),
        loopTo(token, get(tokens!), i32.const(1), [
          set(c, rowOf(cos!)),
          set(s, rowOf(sin!)),
          set(head, i32.const(0)),
          loopTo(head, get(heads!), i32.const(1), [
            set(x2, i32.add(get(x!), bytes(half!))),
            set(y2, i32.add(get(y!), bytes(half!))),
            alongRow(offset, bytes(half!), (lane) => [
              set(turn, f32x4.mul(lane.load(s), f32x4.splat(get(sign!)))),
              lane.store(y!, f32x4.sub(f32x4.mul(lane.load(x!), lane.load(c)), f32x4.mul(lane.load(x2), get(turn)))),
              lane.store(y2, madd(lane.load(x2), lane.load(c), f32x4.mul(lane.load(x!), get(turn)))),
            ]),
            bump(x!, i32.shl(bytes(half!), i32.const(1))),
            bump(y!, i32.shl(bytes(half!), i32.const(1))),
          ]),
          bump(positions!, i32.const(4)),
        ]),
      ]
    },
  )
}

/** `expSum(logits, rows, width, largest, sums)`: each row's largest logit, and Σ e^(logit − largest). */
function defineLogSum(module: ModuleBuilder, relaxed: boolean): number {
  return module.define(
    'expSum',
    ['i32', 'i32', 'i32', 'i32', 'i32'],
    null,
    (scope, logits, rows, width, largest, sums) => {
      const exp = exponential(scope, relaxed)
      const row = scope.local('i32')
      const offset = scope.local('i32')
      const [top, sum] = [scope.local('v128'), scope.local('v128')]
      return [
        set(row, i32.const(0)),
        loopTo(row, get(rows!), i32.const(1), [
          set(top, f32x4.const(-3e38)),
          alongRow(offset, bytes(width!), (lane) => set(top, f32x4.max(get(top), lane.load(logits!)))),
          set(top, f32x4.splat(f32x4.largest(top))),
          set(sum, f32x4.const(0)),
          alongRow(offset, bytes(width!), (lane) =>
            set(sum, f32x4.add(get(sum), lane.keep(exp(f32x4.sub(lane.load(logits!), get(top)))))),
          ),
          f32.store(get(largest!), f32x4.lane(get(top), 0)),
          f32.store(get(sums!), f32x4.sum(sum)),
          bump(logits!, bytes(width!)),
          bump(largest!, i32.const(4)),
          bump(sums!, i32.const(4)),
        ]),
      ]
    },
  )
}

/** `logProbGrad(logits, logSum, dy, dLogits, rows, width)`: −dy · softmax; the caller adds dy at the target. */
function defineLogProbGrad(module: ModuleBuilder, relaxed: boolean): number {
  return module.define(
    'logProbGrad',
    ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'],
    null,
    (scope, logits, logSum, dy, dLogits, rows, width) => {
      const exp = exponential(scope, relaxed)
      const row = scope.local('i32')
      const offset = scope.local('i32')
      const [shift, factor] = [scope.local('v128'), scope.local('v128')]
      return [
        set(row, i32.const(0)),
        loopTo(row, get(rows!), i32.const(1), [
          set(shift, v128.loadSplat(get(logSum!))),
          set(factor, f32x4.neg(v128.loadSplat(get(dy!)))),
          alongRow(
            offset,
            bytes(width!),
            (lane) => lane.store(dLogits!, f32x4.mul(exp(f32x4.sub(lane.load(logits!), get(shift))), get(factor))),
            scope,
          ),
          bump(logits!, bytes(width!)),
          bump(dLogits!, bytes(width!)),
          bump(logSum!, i32.const(4)),
          bump(dy!, i32.const(4)),
        ]),
      ]
    },
  )
}

/** `add(x, y, sum, count)` */
function defineAdd(module: ModuleBuilder): number {
  return module.define('', integers(4), null, (scope, x, y, sum, count) => {
    const offset = scope.local('i32')
    return alongRow(offset, bytes(count!), (lane) => lane.store(sum!, f32x4.add(lane.load(x!), lane.load(y!))), scope)
  })
}

/** `gatherRows(x, y, indices, count, width, xRowBytes, yRowBytes)`: y[i] ← x[indices[i]]. `scatterRows(…)`: y[indices[i]] += x[i]. */
function defineRowCopies(module: ModuleBuilder): readonly [number, number] {
  const define = (
    name: string,
    copy: (
      scope: FunctionScope,
      rows: { x: Local; y: Local; xRow: Local; yRow: Local; width: Local },
      index: Code,
    ) => Code,
  ): number =>
    module.define(name, integers(7), null, (scope, x, y, indices, count, width, xRow, yRow) => {
      const item = scope.local('i32')
      return [
        set(item, i32.const(0)),
        loopTo(item, get(count!), i32.const(1), [
          copy(scope, { x: x!, y: y!, xRow: xRow!, yRow: yRow!, width: width! }, i32.load(get(indices!))),
          bump(indices!, i32.const(4)),
        ]),
      ]
    })
  return [
    define('gatherRows', (scope, { x, y, xRow, yRow, width }, index) => {
      const [from, offset] = [scope.local('i32'), scope.local('i32')]
      return [
        set(from, i32.add(get(x), i32.mul(index, get(xRow)))),
        alongRow(offset, bytes(width), (lane) => lane.store(y, lane.load(from))),
        bump(y, get(yRow)),
      ]
    }),
    define('scatterRows', (scope, { x, y, xRow, yRow, width }, index) => {
      const [to, offset] = [scope.local('i32'), scope.local('i32')]
      return [
        set(to, i32.add(get(y), i32.mul(index, get(yRow)))),
        alongRow(offset, bytes(width), (lane) => lane.store(to, f32x4.add(lane.load(to), lane.load(x)))),
        bump(x, get(xRow)),
      ]
    }),
  ]
}

/** `dots(x, rows, rowBytes, count, width, y)`: y[i] ← x · row i. `weightedSum(weights, rows, rowBytes, count, width, y)`: y ← Σ weight · row. */
function defineRowSums(module: ModuleBuilder, relaxed: boolean): readonly [number, number] {
  const madd = multiplyAdd(relaxed)
  const dots = module.define('', Array<'i32'>(6).fill('i32'), null, (scope, x, row, rowBytes, count, width, y) => {
    const [item, offset, sum] = [scope.local('i32'), scope.local('i32'), scope.local('v128')]
    return [
      set(item, i32.const(0)),
      loopTo(item, get(count!), i32.const(1), [
        set(sum, f32x4.const(0)),
        alongRow(offset, bytes(width!), (lane) => set(sum, madd(lane.keep(lane.load(x!)), lane.load(row!), get(sum)))),
        f32.store(get(y!), f32x4.sum(sum)),
        bump(row!, get(rowBytes!)),
        bump(y!, i32.const(4)),
      ]),
    ]
  })
  const weightedSum = module.define(
    '',
    Array<'i32'>(6).fill('i32'),
    null,
    (scope, weights, row, rowBytes, count, width, y) => {
      const [item, offset, weight] = [scope.local('i32'), scope.local('i32'), scope.local('v128')]
      return [
        alongRow(offset, bytes(width!), (lane) => lane.store(y!, f32x4.const(0))),
        set(item, i32.const(0)),
        loopTo(item, get(count!), i32.const(1), [
          set(weight, v128.loadSplat(get(weights!))),
          alongRow(offset, bytes(width!), (lane) => lane.store(y!, madd(get(weight), lane.load(row!), lane.load(y!)))),
          bump(row!, get(rowBytes!)),
          bump(weights!, i32.const(4)),
        ]),
      ]
    },
  )
  return [dots, weightedSum]
}
