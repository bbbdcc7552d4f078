// Norms over a row's numbers, and their gradients.
import type { ModuleBuilder } from './assemble-module.ts'
import { type Code, f32, f32x4, get, i32, loopTo, type Local, multiplyAdd, set } from './assembler.ts'
import { alongRow, bump, bytes, type Lane } from './wasm-lanes.ts'

/** 1 / √(mean x² + ε) of the row at `x`, in all lanes of `inverse`. */
function inverseRoot(x: Local, width: Local, epsilon: Local, offset: Local, inverse: Local, relaxed: boolean): Code {
  const madd = multiplyAdd(relaxed)
  return [
    set(inverse, f32x4.const(0)),
    alongRow(offset, bytes(width), (lane) => set(inverse, madd(lane.keep(lane.load(x)), lane.load(x), get(inverse)))),
    set(
      inverse,
      f32x4.splat(
        f32.div(f32.const(1), f32.sqrt(f32.add(f32.div(f32x4.sum(inverse), f32.fromI32(get(width))), get(epsilon)))),
      ),
    ),
  ]
}

/** `rmsNorm(x, weight, y, rows, width, epsilon)` */
export function defineRmsNorm(module: ModuleBuilder, relaxed: boolean): number {
  return module.define(
    '',
    ['i32', 'i32', 'i32', 'i32', 'i32', 'f32'],
    null,
    (scope, x, weight, y, rows, width, epsilon) => {
      const row = scope.local('i32')
      const offset = scope.local('i32')
      const inverse = scope.local('v128')
      return [
        set(row, i32.const(0)),
        loopTo(row, get(rows!), i32.const(1), [
          inverseRoot(x!, width!, epsilon!, offset, inverse, relaxed),
          alongRow(offset, bytes(width!), (lane) =>
            lane.store(y!, f32x4.mul(f32x4.mul(lane.load(x!), get(inverse)), lane.load(weight!))),
          ),
          bump(x!, bytes(width!)),
          bump(y!, bytes(width!)),
        ]),
      ]
    },
  )
}

/** `rmsNormGrad(x, weight, dy, dx, dWeight, rows, width, epsilon)`; dWeight is added to. */
export function defineRmsNormGrad(module: ModuleBuilder, relaxed: boolean): number {
  const madd = multiplyAdd(relaxed)
  return module.define(
    '',
    ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'f32'],
    null,
    (scope, x, weight, dy, dx, dWeight, rows, width, epsilon) => {
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
          set(
            pull,
            f32x4.div(
              f32x4.mul(f32x4.splat(f32x4.sum(pull)), f32x4.mul(get(inverse), f32x4.mul(get(inverse), get(inverse)))),
              f32x4.splat(f32.fromI32(get(width!))),
            ),
          ),
          alongRow(offset, bytes(width!), (lane) =>
            lane.store(
              dx!,
              f32x4.sub(
                f32x4.mul(f32x4.mul(lane.load(dy!), lane.load(weight!)), get(inverse)),
                f32x4.mul(lane.load(x!), get(pull)),
              ),
            ),
          ),
          [x!, dy!, dx!].map((pointer) => bump(pointer, bytes(width!))),
        ]),
      ]
    },
  )
}

/** Mean of a row of a value, in all lanes of `mean`. */
function meanOf(mean: Local, width: Local, offset: Local, value: (lane: Lane) => Code): Code {
  return [
    set(mean, f32x4.const(0)),
    alongRow(offset, bytes(width), (lane) => set(mean, f32x4.add(get(mean), lane.keep(value(lane))))),
    set(mean, f32x4.splat(f32.div(f32x4.sum(mean), f32.fromI32(get(width))))),
  ]
}

/** Mean and 1 / √(variance + ε) of the row at `x`, in all lanes. */
function moments(
  x: Local,
  width: Local,
  epsilon: Local,
  offset: Local,
  mean: Local,
  inverse: Local,
  centred: Local,
): Code {
  return [
    meanOf(mean, width, offset, (lane) => lane.load(x)),
    meanOf(inverse, width, offset, (lane) => [
      set(centred, f32x4.sub(lane.load(x), get(mean))),
      f32x4.mul(get(centred), get(centred)),
    ]),
    set(inverse, f32x4.splat(f32.div(f32.const(1), f32.sqrt(f32.add(f32x4.lane(get(inverse), 0), get(epsilon)))))),
  ]
}

/** `layerNorm(x, weight, bias, y, rows, width, epsilon)` */
export function defineLayerNorm(module: ModuleBuilder, relaxed: boolean): number {
  const madd = multiplyAdd(relaxed)
  return module.define(
    '',
    ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'f32'],
    null,
    (scope, x, weight, bias, y, rows, width, epsilon) => {
      const [row, offset] = [scope.local('i32'), scope.local('i32')]
      const [mean, inverse, centred] = [scope.local('v128'), scope.local('v128'), scope.local('v128')]
      return [
        set(row, i32.const(0)),
        loopTo(row, get(rows!), i32.const(1), [
          moments(x!, width!, epsilon!, offset, mean, inverse, centred),
          alongRow(offset, bytes(width!), (lane) =>
            lane.store(
              y!,
              madd(f32x4.mul(f32x4.sub(lane.load(x!), get(mean)), get(inverse)), lane.load(weight!), lane.load(bias!)),
            ),
          ),
          bump(x!, bytes(width!)),
          bump(y!, bytes(width!)),
        ]),
      ]
    },
  )
}

/** `layerNormGrad(x, weight, dy, dx, dWeight, dBias, rows, width, epsilon)`; dWeight and dBias are added to. */
export function defineLayerNormGrad(module: ModuleBuilder, relaxed: boolean): number {
  const madd = multiplyAdd(relaxed)
  return module.define(
    '',
    [...Array<'i32'>(8).fill('i32'), 'f32'],
    null,
    (scope, x, weight, dy, dx, dWeight, dBias, rows, width, epsilon) => {
      const [row, offset] = [scope.local('i32'), scope.local('i32')]
      const [mean, inverse, centred, pull, along] = scope.locals('v128', 5)
      const normed = (lane: Lane): Code => f32x4.mul(f32x4.sub(lane.load(x!), get(mean)), get(inverse))
      const scaled = (lane: Lane): Code => f32x4.mul(lane.load(dy!), lane.load(weight!))
      return [
        set(row, i32.const(0)),
        loopTo(row, get(rows!), i32.const(1), [
          moments(x!, width!, epsilon!, offset, mean, inverse, centred),
          meanOf(pull, width!, offset, scaled),
          meanOf(along, width!, offset, (lane) => f32x4.mul(scaled(lane), normed(lane))),
          alongRow(offset, bytes(width!), (lane) => [
            set(centred, normed(lane)),
            lane.store(
              dx!,
              f32x4.mul(
                f32x4.sub(f32x4.sub(scaled(lane), get(pull)), f32x4.mul(get(centred), get(along))),
                get(inverse),
              ),
            ),
            lane.store(dWeight!, madd(lane.load(dy!), get(centred), lane.load(dWeight!))),
            lane.store(dBias!, f32x4.add(lane.load(dy!), lane.load(dBias!))),
          ]),
          [x!, dy!, dx!].map((pointer) => bump(pointer, bytes(width!))),
        ]),
      ]
    },
  )
}
