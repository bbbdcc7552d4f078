import type { Value } from './vectors.ts'

/** |actual − expected| ≤ absolute + relative · |expected| */
export interface Tolerance {
  readonly absolute: number
  readonly relative: number
}

/** Plain double precision. The absolute part only lets rounding residues pass for 0. */
export const DOUBLE: Tolerance = { absolute: 1e-12, relative: 1e-9 }
/** Tensors are float32. */
export const SINGLE: Tolerance = { absolute: 1e-5, relative: 1e-4 }
export const SINGLE_LOOSE: Tolerance = { absolute: 1e-5, relative: 1e-3 }
export const EXACT: Tolerance = { absolute: 0, relative: 0 }

const LOOSE_TAGS: readonly string[] = ['long', 'large', 'extreme']

export function singleFor(tags: readonly string[]): Tolerance {
  return tags.some((tag) => LOOSE_TAGS.includes(tag)) ? SINGLE_LOOSE : SINGLE
}

export interface Comparison {
  readonly compared: number
  readonly wrong: number
  /** The worst difference, in words; null when all agree. */
  readonly worst: string | null
}

/** Compares two nested values of the same shape, leaf by leaf. */
export function compareValues(
  path: string,
  actual: Value | undefined,
  expected: Value,
  tolerance: Tolerance,
): Comparison {
  let compared = 0
  let wrong = 0
  let worst: { text: string; excess: number } | null = null
  const note = (text: string, excess: number): void => {
    wrong += 1
    if (worst === null || excess > worst.excess) worst = { text, excess }
  }
  const visit = (at: string, got: Value | undefined, want: Value): void => {
    if (Array.isArray(want)) {
      if (!Array.isArray(got) || got.length !== want.length)
        note(`${at} has ${Array.isArray(got) ? `${got.length} values` : 'no list'}, expected ${want.length}`, Infinity)
      else want.forEach((item, index) => visit(`${at}[${index}]`, got[index], item))
      return
    }
    if (typeof want === 'object' && want !== null) {
      const fields = typeof got === 'object' && got !== null ? (got as Readonly<Record<string, Value>>) : {}
      for (const [key, value] of Object.entries(want)) visit(`${at}.${key}`, fields[key], value as Value)
      return
    }
    compared += 1
    if (typeof want !== 'number' || typeof got !== 'number') {
      if (got !== want) note(`${at} = ${String(got)}, expected ${String(want)}`, Infinity)
      return
    }
    const excess = excessOf(got, want, tolerance)
    if (excess > 1) note(`${at} = ${got}, expected ${want}`, excess)
  }
  visit(path, actual, expected)
  return { compared, wrong, worst: worst === null ? null : (worst as { text: string }).text }
}

/** The difference in units of what is allowed; infinite when only one of the two is finite. */
function excessOf(got: number, want: number, { absolute, relative }: Tolerance): number {
  if (Number.isNaN(want)) return Number.isNaN(got) ? 0 : Infinity
  if (!Number.isFinite(want) || !Number.isFinite(got)) return got === want ? 0 : Infinity
  const difference = Math.abs(got - want)
  return difference === 0 ? 0 : difference / (absolute + relative * Math.abs(want))
}
