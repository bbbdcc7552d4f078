// AdamW and the norm of the gradients, over all variables as one job: a table tells each chunk where its numbers are.
import type { ModuleBuilder } from './assemble-module.ts'
import { f32x4, f64, f64x2, get, i32, type Local, multiplyAdd, set, v128 } from './assembler.ts'
import { alongRow, bytes } from './wasm-lanes.ts'
import { defineTask, type Task } from './wasm-tasks.ts'

export interface OptimizerTasks {
  /** (table, sums): a chunk's table entry is an address and a count; its sum of squares is a double */
  readonly squareSum: Task
  /** (table, scale, beta1, 1 − beta1, beta2, 1 − beta2, stepSize, correction2, epsilon); see `ADAM_WORDS` */
  readonly adamW: Task
}

/** A chunk's entry: addresses of weights, gradient, m, v and new weights, its count, and as a float what decay keeps. */
export const ADAM_WORDS = 7
export const SUM_WORDS = 2

export function defineOptimizer(module: ModuleBuilder, relaxed: boolean): OptimizerTasks {
  return { squareSum: defineSquareSum(module), adamW: defineAdam(module, relaxed) }
}

function defineSquareSum(module: ModuleBuilder): Task {
  return defineTask(module, ['i32', 'i32'], (scope, chunk, table, sums) => {
    const [entry, x, count, offset] = scope.locals('i32', 4)
    const [value, low, high] = [scope.local('v128'), scope.local('v128'), scope.local('v128')]
    const total = f64.add(f64x2.lane(get(low), 0), f64x2.lane(get(low), 1))
    return [
      set(entry, i32.add(get(table!), i32.mul(get(chunk), i32.const(SUM_WORDS * 4)))),
      set(x, i32.load(get(entry))),
      set(count, i32.load(get(entry), 4)),
      set(low, f64x2.const(0)),
      set(high, f64x2.const(0)),
      alongRow(offset, bytes(count), (lane) => [
        set(value, lane.keep(lane.load(x))),
        set(low, f64x2.add(get(low), f64x2.mul(f64x2.promoteLow(get(value)), f64x2.promoteLow(get(value))))),
        set(high, f64x2.add(get(high), f64x2.mul(f64x2.promoteHigh(value), f64x2.promoteHigh(value)))),
      ]),
      set(low, f64x2.add(get(low), get(high))),
      f64.store(i32.add(get(sums!), i32.shl(get(chunk), i32.const(3))), total),
    ]
  })
}

function defineAdam(module: ModuleBuilder, relaxed: boolean): Task {
  const madd = multiplyAdd(relaxed)
  return defineTask(
    module,
    ['i32', ...Array<'f32'>(8).fill('f32')],
    (scope, chunk, table, scale, beta1, rest1, beta2, rest2, stepSize, correction2, epsilon) => {
      const [entry, w, g, m, v, out, count, offset] = scope.locals('i32', 8)
      const [gradient, mean, square, keep] = scope.locals('v128', 4)
      const factors = [scale, beta1, rest1, beta2, rest2, stepSize, correction2, epsilon].map(
        (value) => [value!, scope.local('v128')] as const,
      )
      const all = (value: Local | undefined) => get(factors.find(([known]) => known === value)![1])
      return [
        set(entry, i32.add(get(table!), i32.mul(get(chunk), i32.const(ADAM_WORDS * 4)))),
        [w, g, m, v, out, count].map((local, word) => set(local, i32.load(get(entry), word * 4))),
        set(keep, v128.loadSplat(get(entry), 24)),
        factors.map(([value, lanes]) => set(lanes, f32x4.splat(get(value)))),
        alongRow(
          offset,
          bytes(count),
          (lane) => [
            set(gradient, f32x4.mul(lane.load(g), all(scale))),
            set(mean, madd(all(beta1), lane.load(m), f32x4.mul(all(rest1), get(gradient)))),
            set(square, madd(all(beta2), lane.load(v), f32x4.mul(f32x4.mul(all(rest2), get(gradient)), get(gradient)))),
            lane.store(m, get(mean)),
            lane.store(v, get(square)),
            lane.store(
              out,
              f32x4.sub(
                f32x4.mul(lane.load(w), get(keep)),
                f32x4.div(
                  f32x4.mul(all(stepSize), get(mean)),
                  madd(f32x4.sqrt(get(square)), all(correction2), all(epsilon)),
                ),
              ),
            ),
          ],
          scope,
        ),
      ]
    },
  )
}
