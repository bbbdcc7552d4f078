import type { ModuleBuilder } from './assemble-module.ts'
import { GROUPS, type PackedForm } from '../../core/learn/models/packed.ts'
import { type Code, f32x4, get, i32, i32x4, i8x16, loopTo, type Local, set, v128 } from './assembler.ts'
import { bump } from './wasm-lanes.ts'

export const PACKED_FORMS: readonly PackedForm[] = ['bfloat16', 'int8', 'int8x16', 'int4']

/** What a form is widened in: numbers and bytes of a unit. */
export const UNITS: Readonly<Record<PackedForm, { readonly numbers: number; readonly bytes: number }>> = {
  bfloat16: { numbers: 1, bytes: 2 },
  int4: { numbers: GROUPS.int4.numbers, bytes: GROUPS.int4.words * 4 },
  int8: { numbers: GROUPS.int8.numbers, bytes: GROUPS.int8.words * 4 },
  int8x16: { numbers: GROUPS.int8x16.numbers, bytes: GROUPS.int8x16.words * 4 },
}

/** `widen(x, y, count)`: bfloat16 at x into float32 at y, eight at a time and then one. */
function defineWiden(module: ModuleBuilder): number {
  return module.define('widen', ['i32', 'i32', 'i32'], null, (scope, x, y, count) => {
    const [at, words] = [scope.local('i32'), scope.local('v128')] as [Local, Local]
    const half = (part: (value: Code) => Code, offset: number): Code =>
      v128.store(get(y!), i32x4.shl(part(get(words)), 16), offset)
    return [
      set(at, i32.const(0)),
      loopTo(at, i32.sub(get(count!), i32.const(7)), i32.const(8), [
        set(words, v128.load(get(x!))),
        half(i32x4.extendLow, 0),
        half(i32x4.extendHigh, 16),
        bump(x!, i32.const(16)),
        bump(y!, i32.const(32)),
      ]),
      loopTo(at, get(count!), i32.const(1), [
        i32.store(get(y!), i32.shl(i32.load16(get(x!)), i32.const(16))),
        bump(x!, i32.const(2)),
        bump(y!, i32.const(4)),
      ]),
    ]
  })
}

/** Groups that share a scale and an offset, at x, into float32 at y: `(x, y, count of groups)`. Product and sum are rounded apart. */
function defineGroups(module: ModuleBuilder, name: string, form: keyof typeof GROUPS): number {
  const { numbers, words } = GROUPS[form]
  return module.define(name, ['i32', 'i32', 'i32'], null, (scope, x, y, count) => {
    const at = scope.local('i32')
    const [scale, offset, bytes, halves] = scope.locals('v128', 4)
    const four = (value: Code, place: number): Code =>
      v128.store(get(y!), f32x4.add(f32x4.mul(get(scale), f32x4.fromIntegers(value)), get(offset)), place)
    const sixteen = (place: number): Code =>
      [i8x16.extendLowSigned, i8x16.extendHighSigned].map((half, index) => [
        set(halves, half(get(bytes))),
        four(i32x4.extendLowSigned(get(halves)), place + index * 32),
        four(i32x4.extendHighSigned(get(halves)), place + index * 32 + 16),
      ])
    const packed = scope.local('v128')
    return [
      set(at, i32.const(0)),
      loopTo(at, get(count!), i32.const(1), [
        set(scale, v128.loadSplat(get(x!))),
        set(offset, v128.loadSplat(get(x!), 4)),
        form === 'int4'
          ? [
              set(packed, v128.load(get(x!), 8)),
              set(bytes, v128.and(get(packed), i8x16.splat(i32.const(15)))),
              sixteen(0),
              set(bytes, i8x16.shiftRight(get(packed), 4)),
              sixteen(64),
            ]
          : Array.from({ length: numbers / 16 }, (_none, part) => [
              set(bytes, v128.load(get(x!), 8 + 16 * part)),
              sixteen(64 * part),
            ]),
        bump(x!, i32.const(words * 4)),
        bump(y!, i32.const(numbers * 4)),
      ]),
    ]
  })
}

/** Of each form the function that widens it, `(x, y, count of units)`. */
export function defineWideners(module: ModuleBuilder): Record<PackedForm, number> {
  return {
    bfloat16: defineWiden(module),
    int4: defineGroups(module, 'widenInt4', 'int4'),
    int8: defineGroups(module, 'widenInt8', 'int8'),
    int8x16: defineGroups(module, 'widenInt8x16', 'int8x16'),
  }
}
