// A loop over a row of numbers, four at a time. It is written once and emitted twice: for whole vectors, and for what
// is left over, one number at a time.
import { type Code, f32x4, type FunctionScope, get, i32, i32x4, loopTo, type Local, multiplyAdd, set, v128 } from './assembler.ts'

export interface Lane {
  load(row: Local): Code
  store(row: Local, value: Code): Code
  /** What a sum may count of a value. */
  keep(value: Code): Code
}

export const bump = (local: Local, by: Code): Code => set(local, i32.add(get(local), by))
export const bytes = (count: Local): Code => i32.shl(get(count), i32.const(2))

/** Runs `body` over `widthBytes` of each row it loads. */
export function alongRow(offset: Local, widthBytes: Code, body: (lane: Lane) => Code): Code {
  const at = (row: Local): Code => i32.add(get(row), get(offset))
  const whole: Lane = { load: (row) => v128.load(at(row)), store: (row, value) => v128.store(at(row), value), keep: (value) => value }
  const single: Lane = { load: (row) => v128.loadSplat(at(row)), store: (row, value) => v128.storeFirst(at(row), value), keep: v128.first }
  return [
    set(offset, i32.const(0)),
    loopTo(offset, i32.sub(widthBytes, i32.const(12)), i32.const(16), body(whole)),
    loopTo(offset, widthBytes, i32.const(4), body(single)),
  ]
}

export type Exp = (x: Code) => Code

/** e^x to about one unit in the last place (the polynomial of Cephes' expf); between e^−87 and e^88. */
export function exponential(scope: FunctionScope, relaxed: boolean): Exp {
  const madd = multiplyAdd(relaxed)
  const x = scope.local('v128')
  const n = scope.local('v128')
  const p = scope.local('v128')
  const coefficients = [1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1]
  return (value) => [
    set(x, f32x4.min(f32x4.max(value, f32x4.const(-87)), f32x4.const(88))),
    set(n, f32x4.nearest(f32x4.mul(get(x), f32x4.const(Math.LOG2E)))),
    set(x, madd(get(n), f32x4.const(-0.693359375), get(x))), // ln 2 in two parts
    set(x, madd(get(n), f32x4.const(2.12194440e-4), get(x))),
    set(p, f32x4.const(1.9875691500e-4)),
    coefficients.map((coefficient) => set(p, madd(get(p), get(x), f32x4.const(coefficient)))),
    set(p, f32x4.add(madd(f32x4.mul(get(x), get(x)), get(p), get(x)), f32x4.const(1))),
    f32x4.mul(get(p), i32x4.shl(i32x4.add(i32x4.fromFloat(get(n)), i32x4.const(127)), 23)),
  ]
}
