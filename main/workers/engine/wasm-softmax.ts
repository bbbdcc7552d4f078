// Softmax over what each query sees, and its gradient, in place.
import type { ModuleBuilder } from './assemble-module.ts'
import { type Code, f32, f32x4, get, i32, loopTo, type Local, multiplyAdd, set, when } from './assembler.ts'
import { alongRow, bump, exponential } from './wasm-lanes.ts'

/** What row `first + row` sees of the keys from `from` on, as bytes past `from`: `start` … `end`. */
function seenRange(
  row: Local,
  first: Local,
  from: Local,
  width: Local,
  causal: Local,
  window: Local,
  start: Local,
  end: Local,
): Code {
  const place = i32.sub(i32.add(get(first), get(row)), get(from))
  return [
    set(end, i32.shl(i32.sub(get(width), get(from)), i32.const(2))),
    when(get(causal), set(end, i32.shl(i32.add(place, i32.const(1)), i32.const(2)))),
    set(start, i32.const(0)),
    when(
      get(window),
      set(start, i32.shl(i32.max(i32.const(0), i32.sub(place, i32.sub(get(window), i32.const(1)))), i32.const(2))),
    ),
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
export function defineSoftmax(module: ModuleBuilder, relaxed: boolean): number {
  return module.define(
    '',
    [...Array<'i32'>(8).fill('i32'), 'f32'],
    null,
    (scope, scores, rowBytes, rows, first, from, width, causal, window, scale) => {
      const exp = exponential(scope, relaxed)
      const [row, offset, start, end, at, seen] = scope.locals('i32', 6)
      const [largest, sum, value, factor] = scope.locals('v128', 4)
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
          set(factor, f32x4.splat(get(scale!))),
          alongRow(
            offset,
            get(seen),
            (lane) => [
              set(value, exp(f32x4.mul(f32x4.sub(lane.load(at), get(largest)), get(factor)))),
              lane.store(at, get(value)),
              set(sum, f32x4.add(get(sum), lane.keep(get(value)))),
            ],
            scope,
          ),
          set(sum, f32x4.splat(f32.div(f32.const(1), f32x4.sum(sum)))),
          alongRow(offset, get(seen), (lane) => lane.store(at, f32x4.mul(lane.load(at), get(sum))), scope),
          clear(scores!, offset, i32.const(0), get(start)),
          clear(scores!, offset, get(end), i32.shl(i32.sub(get(width!), get(from!)), i32.const(2))),
          bump(scores!, get(rowBytes!)),
        ]),
      ]
    },
  )
}

/** `softmaxGrad(p, dp, rowBytes, rows, first, from, width, causal, window, scale)`: dp ← p (dp − Σ p dp) · scale where a row sees, else 0. */
export function defineSoftmaxGrad(module: ModuleBuilder, relaxed: boolean): number {
  const madd = multiplyAdd(relaxed)
  return module.define(
    '',
    [...Array<'i32'>(9).fill('i32'), 'f32'],
    null,
    (scope, p, dp, rowBytes, rows, first, from, width, causal, window, scale) => {
      const [row, offset, start, end, at, gradient, seen] = scope.locals('i32', 7)
      const sum = scope.local('v128')
      return [
        set(row, i32.const(0)),
        loopTo(row, get(rows!), i32.const(1), [
          seenRange(row, first!, from!, width!, causal!, window!, start, end),
          set(at, i32.add(get(p!), get(start))),
          set(gradient, i32.add(get(dp!), get(start))),
          set(seen, i32.sub(get(end), get(start))),
          set(sum, f32x4.const(0)),
          alongRow(offset, get(seen), (lane) =>
            set(sum, madd(lane.keep(lane.load(at)), lane.load(gradient), get(sum))),
          ),
          set(sum, f32x4.splat(f32x4.sum(sum))),
          alongRow(
            offset,
            get(seen),
            (lane) =>
              lane.store(
                gradient,
                f32x4.mul(f32x4.mul(lane.load(at), f32x4.sub(lane.load(gradient), get(sum))), f32x4.splat(get(scale!))),
              ),
            scope,
          ),
          clear(dp!, offset, i32.const(0), get(start)),
          clear(dp!, offset, get(end), i32.shl(i32.sub(get(width!), get(from!)), i32.const(2))),
          bump(p!, get(rowBytes!)),
          bump(dp!, get(rowBytes!)),
        ]),
      ]
    },
  )
}
