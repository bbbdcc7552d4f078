// A tensor as those know it who wait: what it looks like, and its number in TensorFlow once it is there.
import type { Attribute } from '../tensorflow-ops.ts'
import type { Looks } from './results-of.ts'

export interface Handle {
  real: number | null
  readonly shape: number[]
  readonly dtype: number
  /** Kept from JavaScript. */
  readonly values: Int32Array | null
  /** Of a variable. */
  readonly holds: Looks | null
  /** The stretch in which `place` counts, and the place: ≥ 0 a result, < 0 an argument. */
  stretch: number
  place: number
  dead: boolean
}

export function newHandle(shape: number[], dtype: number): Handle {
  return { real: null, shape, dtype, values: null, holds: null, stretch: 0, place: 0, dead: false }
}

/** What a variable is made to hold, from its attributes. */
export function variableOf(attributes: readonly Attribute[]): Looks | null {
  const value = (name: string): unknown => attributes.find((one) => one.name === name)?.value
  const [shape, dtype] = [value('shape'), value('dtype')]
  return Array.isArray(shape) && typeof dtype === 'number' ? { shape: shape as number[], dtype } : null
}

export function sameLooks(one: readonly Looks[], other: readonly Looks[]): boolean {
  return (
    one.length === other.length &&
    one.every(({ shape, dtype }, index) => dtype === other[index]!.dtype && sameNumbers(shape, other[index]!.shape))
  )
}

export function sayLooks(looks: readonly Looks[] | null): string {
  return looks === null
    ? 'nothing'
    : looks.map(({ shape, dtype }) => `[${shape.join(', ')}] of type ${dtype}`).join(', ')
}

export function sameNumbers(one: ArrayLike<number>, other: ArrayLike<number>): boolean {
  if (one.length !== other.length) return false
  for (let index = 0; index < one.length; index += 1) if (!Object.is(one[index], other[index])) return false
  return true
}
