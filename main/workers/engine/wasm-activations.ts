// Activations, number by number, and their gradients.
import type { FunctionScope, ModuleBuilder } from './assemble-module.ts'
import { type Code, f32x4, get, type Local, multiplyAdd, set, v128 } from './assembler.ts'
import { alongRow, bytes, type Exp, exponential } from './wasm-lanes.ts'

/** `swiGlu(gate, up, y, count)` */
export function defineSwiGlu(module: ModuleBuilder, relaxed: boolean): number {
  return module.define('', ['i32', 'i32', 'i32', 'i32'], null, (scope, gate, up, y, count) => {
    const exp = exponential(scope, relaxed)
    const offset = scope.local('i32')
    return alongRow(
      offset,
      bytes(count!),
      (lane) =>
        lane.store(
          y!,
          f32x4.mul(
            f32x4.div(lane.load(gate!), f32x4.add(scope.constant(1), exp(f32x4.neg(lane.load(gate!))))),
            lane.load(up!),
          ),
        ),
      scope,
    )
  })
}

/** `swiGluGrad(gate, up, dy, dGate, dUp, count)` */
export function defineSwiGluGrad(module: ModuleBuilder, relaxed: boolean): number {
  const madd = multiplyAdd(relaxed)
  return module.define(
    '',
    ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'],
    null,
    (scope, gate, up, dy, dGate, dUp, count) => {
      const exp = exponential(scope, relaxed)
      const offset = scope.local('i32')
      const [g, sigma, silu] = [scope.local('v128'), scope.local('v128'), scope.local('v128')]
      return alongRow(
        offset,
        bytes(count!),
        (lane) => [
          set(g, lane.load(gate!)),
          set(sigma, f32x4.div(scope.constant(1), f32x4.add(scope.constant(1), exp(f32x4.neg(get(g)))))),
          set(silu, f32x4.mul(get(g), get(sigma))),
          lane.store(dUp!, f32x4.mul(lane.load(dy!), get(silu))),
          // SiLU′ = σ + SiLU (1 − σ)
          lane.store(
            dGate!,
            f32x4.mul(
              f32x4.mul(lane.load(dy!), lane.load(up!)),
              madd(get(silu), f32x4.sub(scope.constant(1), get(sigma)), get(sigma)),
            ),
          ),
        ],
        scope,
      )
    },
  )
}

/** Numerical Recipes' Chebyshev fit of erfc, within 1.2e-7 of its own size: t e^(−z² + polynomial of t), t = 1 / (1 + z / 2). */
const ERFC = [
  0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196, 1.00002368,
  -1.26551223,
]

interface GeluLocals {
  readonly scope: FunctionScope
  readonly x: Local
  readonly z: Local
  readonly t: Local
  readonly p: Local
  readonly exp: Exp
}

function geluLocals(scope: FunctionScope, relaxed: boolean): GeluLocals {
  return {
    scope,
    x: scope.local('v128'),
    z: scope.local('v128'),
    t: scope.local('v128'),
    p: scope.local('v128'),
    exp: exponential(scope, relaxed),
  }
}

/** Φ(x) into `p`. */
function normalShare({ scope, x, z, t, p, exp }: GeluLocals, relaxed: boolean): Code {
  const madd = multiplyAdd(relaxed)
  return [
    set(z, f32x4.mul(f32x4.abs(get(x)), scope.constant(Math.SQRT1_2))),
    set(t, f32x4.div(scope.constant(1), madd(get(z), scope.constant(0.5), scope.constant(1)))),
    set(p, scope.constant(ERFC[0]!)),
    ERFC.slice(1).map((coefficient) => set(p, madd(get(p), get(t), scope.constant(coefficient)))),
    set(p, f32x4.mul(f32x4.mul(get(t), scope.constant(0.5)), exp(f32x4.sub(get(p), f32x4.mul(get(z), get(z)))))), // half of erfc(|x| / √2)
    set(p, v128.select(get(p), f32x4.sub(scope.constant(1), get(p)), f32x4.lt(get(x), scope.constant(0)))),
  ]
}

const TANH_SCALE = 2 * Math.sqrt(2 / Math.PI) // ½ (1 + tanh u) = σ(2u)
const TANH_CUBE = 0.044715

/** The tanh form's share of x, σ(2u), into `p`, and x² into `z`. */
function tanhShare({ scope, x, z, p, exp }: GeluLocals, relaxed: boolean): Code {
  const madd = multiplyAdd(relaxed)
  return [
    set(z, f32x4.mul(get(x), get(x))),
    set(
      p,
      f32x4.mul(
        f32x4.mul(get(x), scope.constant(-TANH_SCALE)),
        madd(get(z), scope.constant(TANH_CUBE), scope.constant(1)),
      ),
    ),
    set(p, f32x4.div(scope.constant(1), f32x4.add(scope.constant(1), exp(get(p))))),
  ]
}

/** `gelu(x, y, count)` in one of its forms. */
export function defineGelu(module: ModuleBuilder, relaxed: boolean, exact: boolean): number {
  return module.define('', ['i32', 'i32', 'i32'], null, (scope, x, y, count) => {
    const locals = geluLocals(scope, relaxed)
    const offset = scope.local('i32')
    return alongRow(
      offset,
      bytes(count!),
      (lane) => [
        set(locals.x, lane.load(x!)),
        exact ? normalShare(locals, relaxed) : tanhShare(locals, relaxed),
        lane.store(y!, f32x4.mul(get(locals.x), get(locals.p))),
      ],
      scope,
    )
  })
}

/** `geluGrad(x, dy, dx, count)` */
export function defineGeluGrad(module: ModuleBuilder, relaxed: boolean, exact: boolean): number {
  const madd = multiplyAdd(relaxed)
  return module.define('', ['i32', 'i32', 'i32', 'i32'], null, (scope, x, dy, dx, count) => {
    const locals = geluLocals(scope, relaxed)
    const { p, z, exp } = locals
    const offset = scope.local('i32')
    // Φ(x) + x φ(x)
    const slope = f32x4.mul(
      scope.constant(1 / Math.sqrt(2 * Math.PI)),
      exp(f32x4.mul(f32x4.mul(get(locals.x), get(locals.x)), scope.constant(-0.5))),
    )
    // p + x p (1 − p) (2u)′
    const inner = f32x4.mul(scope.constant(TANH_SCALE), madd(get(z), scope.constant(3 * TANH_CUBE), scope.constant(1)))
    return alongRow(
      offset,
      bytes(count!),
      (lane) => [
        set(locals.x, lane.load(x!)),
        exact ? normalShare(locals, relaxed) : tanhShare(locals, relaxed),
        lane.store(
          dx!,
          f32x4.mul(
            lane.load(dy!),
            exact
              ? madd(get(locals.x), slope, get(p))
              : madd(f32x4.mul(f32x4.mul(get(locals.x), get(p)), f32x4.sub(scope.constant(1), get(p))), inner, get(p)),
          ),
        ),
      ],
      scope,
    )
  })
}
