// Kernels that pass over rows of numbers: softmax, norms, activations, rotations, copies and sums.
import { f32, f32x4, type Code, type FunctionScope, get, i32, loopTo, type Local, type ModuleBuilder, multiplyAdd, set, v128, when } from './assembler.ts'
import { alongRow, bump, bytes, exponential } from './wasm-lanes.ts'
import { type Argument, defineRowTask, type RowKernel, type Task } from './wasm-tasks.ts'

const integers = (count: number): Argument[] => Array<Argument>(count).fill('i32')

export const ROW_TASKS = ['rmsNorm', 'rmsNormGrad', 'swiGlu', 'swiGluGrad', 'rotary', 'expSum', 'logProbGrad', 'gatherRows', 'scatterRows'] as const
export type RowTasks = Readonly<Record<(typeof ROW_TASKS)[number], Task>>

/** Softmax and the cached attention's sums besides, which are called as they are. */
export interface RowFunctions {
  readonly softmax: number
  readonly softmaxGrad: number
  readonly dots: number
  readonly weightedSum: number
}

export function defineRowKernels(module: ModuleBuilder, relaxed: boolean): RowTasks & RowFunctions {
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
    rmsNorm: task({ kernel: defineNorm(module, relaxed), params: [...integers(5), 'f32'], rows: 3, moving: [0, 2] }),
    rmsNormGrad: task({ kernel: defineNormGrad(module, relaxed), params: [...integers(7), 'f32'], rows: 5, moving: [0, 2, 3], perChunk: [4] }),
    swiGlu: task({ kernel: defineSwiGlu(module, relaxed), params: integers(4), rows: 3, moving: [0, 1, 2] }),
    swiGluGrad: task({ kernel: defineSwiGluGrad(module, relaxed), params: integers(6), rows: 5, moving: [0, 1, 2, 3, 4] }),
    rotary: task({ kernel: defineRotary(module, relaxed), params: [...integers(8), 'f32'], rows: 5, moving: [0, 1, 4] }),
    expSum: task({ kernel: defineLogSum(module, relaxed), params: integers(5), rows: 1, moving: [0, 3, 4] }),
    logProbGrad: task({ kernel: defineLogProbGrad(module, relaxed), params: integers(6), rows: 4, moving: [0, 1, 2, 3] }),
    gatherRows: task({ kernel: gather, params: integers(7), rows: 3, moving: [1, 2] }),
    // By columns: rows of the result meet.
    scatterRows: task({ kernel: scatter, params: integers(7), rows: 4, moving: [0, 1] }),
  }
}

/** What row `first + row` sees of the keys from `from` on, as bytes past `from`: `start` … `end`. */
function seenRange(row: Local, first: Local, from: Local, width: Local, causal: Local, window: Local, start: Local, end: Local): Code {
  const place = i32.sub(i32.add(get(first), get(row)), get(from))
  return [
    set(end, i32.shl(i32.sub(get(width), get(from)), i32.const(2))),
    when(get(causal), set(end, i32.shl(i32.add(place, i32.const(1)), i32.const(2)))),
    set(start, i32.const(0)),
    when(get(window), set(start, i32.shl(i32.max(i32.const(0), i32.sub(place, i32.sub(get(window), i32.const(1)))), i32.const(2)))),
  ]
}

/** Zeros at `at` from one byte offset to another. */
function clear(at: Local, offset: Local, from: Code, to: Code): Code {
  return [set(offset, from), loopTo(offset, to, i32.const(4), f32.store(i32.add(get(at), get(offset)), f32.const(0)))]
}

/**
 * `softmax(scores, rowBytes, rows, first, from, width, causal, window, scale)`: in place, of the keys `from` … `width` that
 * a row sees, the first of which stands at `scores`; what it does not see becomes 0. A window of 0 has no end.
 */
function defineSoftmax(module: ModuleBuilder, relaxed: boolean): number {
  return module.define('', [...integers(8), 'f32'], null, (scope, scores, rowBytes, rows, first, from, width, causal, window, scale) => {
    const exp = exponential(scope, relaxed)
    const [row, offset, start, end, at, seen] = Array.from({ length: 6 }, () => scope.local('i32')) as [Local, Local, Local, Local, Local, Local]
    const [largest, sum, value] = Array.from({ length: 3 }, () => scope.local('v128')) as [Local, Local, Local]
    return [
      set(row, i32.const(0)),
      loopTo(row, get(rows!), i32.const(1), [
        seenRange(row, first!, from!, width!, causal!, window!, start, end),
        set(at, i32.add(get(scores!), get(start))),
        set(seen, i32.sub(get(end), get(start))),
        set(largest, f32x4.const(-3e38)),
        alongRow(offset, get(seen), (lane) => set(largest, f32x4.max(get(largest), lane.load(at)))),
        set(largest, f32x4.splat(f32x4.largest(largest))),
        set(sum, f32x4.const(0)),
        alongRow(offset, get(seen), (lane) => [
          set(value, exp(f32x4.mul(f32x4.sub(lane.load(at), get(largest)), f32x4.splat(get(scale!))))),
          lane.store(at, get(value)),
          set(sum, f32x4.add(get(sum), lane.keep(get(value)))),
        ]),
        set(sum, f32x4.splat(f32.div(f32.const(1), f32x4.sum(sum)))),
        alongRow(offset, get(seen), (lane) => lane.store(at, f32x4.mul(lane.load(at), get(sum)))),
        clear(scores!, offset, i32.const(0), get(start)),
        clear(scores!, offset, get(end), i32.shl(i32.sub(get(width!), get(from!)), i32.const(2))),
        bump(scores!, get(rowBytes!)),
      ]),
    ]
  })
}

/** `softmaxGrad(p, dp, rowBytes, rows, first, from, width, causal, window, scale)`: dp ← p (dp − Σ p dp) · scale where a row sees, else 0. */
function defineSoftmaxGrad(module: ModuleBuilder, relaxed: boolean): number {
  const madd = multiplyAdd(relaxed)
  return module.define('', [...integers(9), 'f32'], null, (scope, p, dp, rowBytes, rows, first, from, width, causal, window, scale) => {
    const [row, offset, start, end, at, gradient, seen] = Array.from({ length: 7 }, () => scope.local('i32')) as [Local, Local, Local, Local, Local, Local, Local]
    const sum = scope.local('v128')
    return [
      set(row, i32.const(0)),
      loopTo(row, get(rows!), i32.const(1), [
        seenRange(row, first!, from!, width!, causal!, window!, start, end),
        set(at, i32.add(get(p!), get(start))),
        set(gradient, i32.add(get(dp!), get(start))),
        set(seen, i32.sub(get(end), get(start))),
        set(sum, f32x4.const(0)),
        alongRow(offset, get(seen), (lane) => set(sum, madd(lane.keep(lane.load(at)), lane.load(gradient), get(sum)))),
        set(sum, f32x4.splat(f32x4.sum(sum))),
        alongRow(offset, get(seen), (lane) => lane.store(gradient, f32x4.mul(f32x4.mul(lane.load(at), f32x4.sub(lane.load(gradient), get(sum))), f32x4.splat(get(scale!))))),
        clear(dp!, offset, i32.const(0), get(start)),
        clear(dp!, offset, get(end), i32.shl(i32.sub(get(width!), get(from!)), i32.const(2))),
        bump(p!, get(rowBytes!)),
        bump(dp!, get(rowBytes!)),
      ]),
    ]
  })
}

/** 1 / √(mean x² + ε) of the row at `x`, in all lanes of `inverse`. */
function inverseRoot(x: Local, width: Local, epsilon: Local, offset: Local, inverse: Local, relaxed: boolean): Code {
  const madd = multiplyAdd(relaxed)
  return [
    set(inverse, f32x4.const(0)),
    alongRow(offset, bytes(width), (lane) => set(inverse, madd(lane.keep(lane.load(x)), lane.load(x), get(inverse)))),
    set(inverse, f32x4.splat(f32.div(f32.const(1), f32.sqrt(f32.add(f32.div(f32x4.sum(inverse), f32.fromI32(get(width))), get(epsilon)))))),
  ]
}

/** `rmsNorm(x, weight, y, rows, width, epsilon)` */
function defineNorm(module: ModuleBuilder, relaxed: boolean): number {
  return module.define('rmsNorm', ['i32', 'i32', 'i32', 'i32', 'i32', 'f32'], null, (scope, x, weight, y, rows, width, epsilon) => {
    const row = scope.local('i32')
    const offset = scope.local('i32')
    const inverse = scope.local('v128')
    return [
      set(row, i32.const(0)),
      loopTo(row, get(rows!), i32.const(1), [
        inverseRoot(x!, width!, epsilon!, offset, inverse, relaxed),
        alongRow(offset, bytes(width!), (lane) => lane.store(y!, f32x4.mul(f32x4.mul(lane.load(x!), get(inverse)), lane.load(weight!)))),
        bump(x!, bytes(width!)),
        bump(y!, bytes(width!)),
      ]),
    ]
  })
}

/** `rmsNormGrad(x, weight, dy, dx, dWeight, rows, width, epsilon)`; dWeight is added to. */
function defineNormGrad(module: ModuleBuilder, relaxed: boolean): number {
  const madd = multiplyAdd(relaxed)
  return module.define('rmsNormGrad', ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'f32'], null, (scope, x, weight, dy, dx, dWeight, rows, width, epsilon) => {
    const row = scope.local('i32')
    const offset = scope.local('i32')
    const [inverse, pull] = [scope.local('v128'), scope.local('v128')]
    return [
      set(row, i32.const(0)),
      loopTo(row, get(rows!), i32.const(1), [
        inverseRoot(x!, width!, epsilon!, offset, inverse, relaxed),
        set(pull, f32x4.const(0)),
        alongRow(offset, bytes(width!), (lane) => [
          set(pull, madd(lane.keep(f32x4.mul(lane.load(dy!), lane.load(weight!))), lane.load(x!), get(pull))),
          lane.store(dWeight!, madd(f32x4.mul(lane.load(dy!), lane.load(x!)), get(inverse), lane.load(dWeight!))),
        ]),
        // Σ dy w x · r³ / width
        set(pull, f32x4.div(f32x4.mul(f32x4.splat(f32x4.sum(pull)), f32x4.mul(get(inverse), f32x4.mul(get(inverse), get(inverse)))), f32x4.splat(f32.fromI32(get(width!))))),
        alongRow(offset, bytes(width!), (lane) =>
          lane.store(dx!, f32x4.sub(f32x4.mul(f32x4.mul(lane.load(dy!), lane.load(weight!)), get(inverse)), f32x4.mul(lane.load(x!), get(pull))))),
        [x!, dy!, dx!].map((pointer) => bump(pointer, bytes(width!))),
      ]),
    ]
  })
}

/** `swiGlu(gate, up, y, count)` */
function defineSwiGlu(module: ModuleBuilder, relaxed: boolean): number {
  return module.define('swiGlu', ['i32', 'i32', 'i32', 'i32'], null, (scope, gate, up, y, count) => {
    const exp = exponential(scope, relaxed)
    const offset = scope.local('i32')
    return alongRow(offset, bytes(count!), (lane) =>
      lane.store(y!, f32x4.mul(f32x4.div(lane.load(gate!), f32x4.add(f32x4.const(1), exp(f32x4.neg(lane.load(gate!))))), lane.load(up!))))
  })
}

/** `swiGluGrad(gate, up, dy, dGate, dUp, count)` */
function defineSwiGluGrad(module: ModuleBuilder, relaxed: boolean): number {
  const madd = multiplyAdd(relaxed)
  return module.define('swiGluGrad', ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'], null, (scope, gate, up, dy, dGate, dUp, count) => {
    const exp = exponential(scope, relaxed)
    const offset = scope.local('i32')
    const [g, sigma, silu] = [scope.local('v128'), scope.local('v128'), scope.local('v128')]
    return alongRow(offset, bytes(count!), (lane) => [
      set(g, lane.load(gate!)),
      set(sigma, f32x4.div(f32x4.const(1), f32x4.add(f32x4.const(1), exp(f32x4.neg(get(g)))))),
      set(silu, f32x4.mul(get(g), get(sigma))),
      lane.store(dUp!, f32x4.mul(lane.load(dy!), get(silu))),
      // SiLU′ = σ + SiLU (1 − σ)
      lane.store(dGate!, f32x4.mul(f32x4.mul(lane.load(dy!), lane.load(up!)), madd(get(silu), f32x4.sub(f32x4.const(1), get(sigma)), get(sigma)))),
    ])
  })
}

/** `rotary(x, y, cos, sin, positions, tokens, heads, half, sign)`; sign −1 turns back. */
function defineRotary(module: ModuleBuilder, relaxed: boolean): number {
  const madd = multiplyAdd(relaxed)
  return module.define('rotary', [...Array<'i32'>(8).fill('i32'), 'f32'], null, (scope, x, y, cos, sin, positions, tokens, heads, half, sign) => {
    const [token, head, offset, c, s, x2, y2] = Array.from({ length: 7 }, () => scope.local('i32')) as [Local, Local, Local, Local, Local, Local, Local]
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
  })
}

/** `expSum(logits, rows, width, largest, sums)`: each row's largest logit, and Σ e^(logit − largest). */
function defineLogSum(module: ModuleBuilder, relaxed: boolean): number {
  return module.define('expSum', ['i32', 'i32', 'i32', 'i32', 'i32'], null, (scope, logits, rows, width, largest, sums) => {
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
        alongRow(offset, bytes(width!), (lane) => set(sum, f32x4.add(get(sum), lane.keep(exp(f32x4.sub(lane.load(logits!), get(top))))))),
        f32.store(get(largest!), f32x4.lane(get(top), 0)),
        f32.store(get(sums!), f32x4.sum(sum)),
        bump(logits!, bytes(width!)),
        bump(largest!, i32.const(4)),
        bump(sums!, i32.const(4)),
      ]),
    ]
  })
}

/** `logProbGrad(logits, logSum, dy, dLogits, rows, width)`: −dy · softmax; the caller adds dy at the target. */
function defineLogProbGrad(module: ModuleBuilder, relaxed: boolean): number {
  return module.define('logProbGrad', ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'], null, (scope, logits, logSum, dy, dLogits, rows, width) => {
    const exp = exponential(scope, relaxed)
    const row = scope.local('i32')
    const offset = scope.local('i32')
    const [shift, factor] = [scope.local('v128'), scope.local('v128')]
    return [
      set(row, i32.const(0)),
      loopTo(row, get(rows!), i32.const(1), [
        set(shift, v128.loadSplat(get(logSum!))),
        set(factor, f32x4.neg(v128.loadSplat(get(dy!)))),
        alongRow(offset, bytes(width!), (lane) => lane.store(dLogits!, f32x4.mul(exp(f32x4.sub(lane.load(logits!), get(shift))), get(factor)))),
        bump(logits!, bytes(width!)),
        bump(dLogits!, bytes(width!)),
        bump(logSum!, i32.const(4)),
        bump(dy!, i32.const(4)),
      ]),
    ]
  })
}

/** `gatherRows(x, y, indices, count, width, xRowBytes, yRowBytes)`: y[i] ← x[indices[i]]. `scatterRows(…)`: y[indices[i]] += x[i]. */
function defineRowCopies(module: ModuleBuilder): readonly [number, number] {
  const define = (name: string, copy: (scope: FunctionScope, rows: { x: Local; y: Local; xRow: Local; yRow: Local; width: Local }, index: Code) => Code): number =>
    module.define(name, integers(7), null, (scope, x, y, indices, count, width, xRow, yRow) => {
      const item = scope.local('i32')
      return [
        set(item, i32.const(0)),
        loopTo(item, get(count!), i32.const(1), [copy(scope, { x: x!, y: y!, xRow: xRow!, yRow: yRow!, width: width! }, i32.load(get(indices!))), bump(indices!, i32.const(4))]),
      ]
    })
  return [
    define('gatherRows', (scope, { x, y, xRow, yRow, width }, index) => {
      const [from, offset] = [scope.local('i32'), scope.local('i32')]
      return [set(from, i32.add(get(x), i32.mul(index, get(xRow)))), alongRow(offset, bytes(width), (lane) => lane.store(y, lane.load(from))), bump(y, get(yRow))]
    }),
    define('scatterRows', (scope, { x, y, xRow, yRow, width }, index) => {
      const [to, offset] = [scope.local('i32'), scope.local('i32')]
      return [set(to, i32.add(get(y), i32.mul(index, get(yRow)))), alongRow(offset, bytes(width), (lane) => lane.store(to, f32x4.add(lane.load(to), lane.load(x)))), bump(x, get(xRow))]
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
  const weightedSum = module.define('', Array<'i32'>(6).fill('i32'), null, (scope, weights, row, rowBytes, count, width, y) => {
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
  })
  return [dots, weightedSum]
}
