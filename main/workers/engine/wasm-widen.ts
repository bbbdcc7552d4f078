import type { ModuleBuilder } from './assemble-module.ts'
import { type Code, get, i32, i32x4, loopTo, type Local, set, v128 } from './assembler.ts'
import { bump } from './wasm-lanes.ts'

/** `widen(x, y, count)`: bfloat16 at x into float32 at y, eight at a time and then one. */
export function defineWiden(module: ModuleBuilder): number {
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
