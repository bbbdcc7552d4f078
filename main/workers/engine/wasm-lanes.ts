// A loop over a row of numbers, four at a time. It is written once and emitted twice: for whole vectors, and for what
// is left over, one number at a time.
import type { FunctionScope } from './assemble-module.ts'
import { type Code, f32x4, get, i32, i32x4, loopTo, type Local, multiplyAdd, set, v128 } from './assembler.ts'

export interface Lane {
  load(row: Local): Code
  store(row: Local, value: Code): Code
  /** What a sum may count of a value. */
  keep(value: Code): Code
}

export const bump = (local: Local, by: Code): Code => set(local, i32.add(get(local), by))
export const bytes = (count: Local): Code => i32.shl(get(count), i32.const(2))

/**
 * Runs `body` over `widthBytes` of each row it loads. With a scope, whole vectors go two by two, and what a pair stores
 * is stored after both are done: only then may the runtime join them into wider registers.
 */
export function alongRow(offset: Local, widthBytes: Code, body: (lane: Lane) => Code, scope?: FunctionScope): Code {
  const at = (row: Local): Code => i32.add(get(row), get(offset))
  const whole: Lane = {
    load: (row) => v128.load(at(row)),
    store: (row, value) => v128.store(at(row), value),
    keep: (value) => value,
  }
  const single: Lane = {
    load: (row) => v128.loadSplat(at(row)),
    store: (row, value) => v128.storeFirst(at(row), value),
    keep: v128.first,
  }
  return [
    set(offset, i32.const(0)),
    scope === undefined
      ? []
      : loopTo(offset, i32.sub(widthBytes, i32.const(28)), i32.const(32), pairOf(scope, offset, body)),
    loopTo(offset, i32.sub(widthBytes, i32.const(12)), i32.const(16), body(whole)),
    loopTo(offset, widthBytes, i32.const(4), body(single)),
  ]
}

/** Addresses are worked out once for both halves: the runtime knows neighbours by that. */
function pairOf(scope: FunctionScope, offset: Local, body: (lane: Lane) => Code): Code {
  const addresses = new Map<Local, Local>()
  const at = (row: Local): Code => {
    const known = addresses.get(row) ?? scope.local('i32')
    addresses.set(row, known)
    return get(known)
  }
  const stores: Code[][] = []
  const half = (shift: number): Code => {
    let count = 0
    return body({
      load: (row) => v128.load(at(row), shift),
      store(row, value) {
        const result = scope.local('v128')
        ;(stores[count] ??= []).push(v128.store(at(row), get(result), shift))
        count += 1
        return set(result, value)
      },
      keep: (value) => value,
    })
  }
  const both = [half(0), half(16), stores]
  return [[...addresses].map(([row, address]) => set(address, i32.add(get(row), get(offset)))), both]
}

export type Exp = (x: Code) => Code

/** Added to a small number, it leaves the nearest integer in the last bits. */
const ROUNDER = 12_582_912 // 1.5 · 2²³

/** e^x to about one unit in the last place (the polynomial of Cephes' expf); between e^−87 and e^88. */
export function exponential(scope: FunctionScope, relaxed: boolean): Exp {
  const madd = multiplyAdd(relaxed)
  const [x, n, p, power] = scope.locals('v128', 4)
  const coefficients = [1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1]
  return (value) => [
    set(x, f32x4.min(f32x4.max(value, scope.constant(-87)), scope.constant(88))),
    set(power, madd(get(x), scope.constant(Math.LOG2E), scope.constant(ROUNDER))),
    set(n, f32x4.sub(get(power), scope.constant(ROUNDER))),
    set(x, madd(get(n), scope.constant(-0.693359375), get(x))), // ln 2 in two parts
    set(x, madd(get(n), scope.constant(2.1219444e-4), get(x))),
    set(p, scope.constant(1.98756915e-4)),
    coefficients.map((coefficient) => set(p, madd(get(p), get(x), scope.constant(coefficient)))),
    set(p, f32x4.add(madd(f32x4.mul(get(x), get(x)), get(p), get(x)), scope.constant(1))),
    f32x4.mul(get(p), i32x4.add(i32x4.shl(get(power), 23), i32x4.const(127 * 2 ** 23))), // 2ⁿ: the integer in the last bits becomes the exponent
  ]
}
