import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nearestIndex, smooth, thinIndices } from '../../renderer/charts/smoothing.ts'

describe('smooth', () => {
  test('matches the debiased average worked out by hand', () => {
    // keep ½: averages ½·2 = 1, ½·1 + ½·4 = 2.5, ½·2.5 + ½·0 = 1.25; weights ½, ¾, ⅞
    expect(smooth([2, 4, 0], 0.5)).toEqual([2, 2.5 / 0.75, 1.25 / 0.875])
  })

  test('leaves a constant exactly as it is, gaps included', () => {
    expect(smooth([0.1, null, 0.1, 0.1], 0.99)).toEqual([0.1, null, 0.1, 0.1])
  })

  test('skips what is missing: the rest is as if it had never been there', () => {
    const withGaps = smooth([1, null, 3, Number.NaN, 2], 0.6)
    expect(withGaps.filter((value) => value !== null)).toEqual(smooth([1, 3, 2], 0.6))
    expect([withGaps[1], withGaps[3]]).toEqual([null, null])
  })

  test('factor 0 changes nothing', () => {
    expect(smooth([3, 1, null], 0)).toEqual([3, 1, null])
  })

  test('stays between the lowest and the highest value so far', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 60 }),
        fc.double({ min: 0, max: 0.99, noNaN: true }),
        (values, factor) => {
          smooth(values, factor).forEach((value, at) => {
            const seen = values.slice(0, at + 1)
            const slack = 1e-9 * (1 + Math.max(...seen.map(Math.abs)))
            expect(value).toBeGreaterThanOrEqual(Math.min(...seen) - slack)
            expect(value).toBeLessThanOrEqual(Math.max(...seen) + slack)
          })
        },
      ),
    )
  })
})

describe('thinIndices', () => {
  test('keeps every point of a short curve', () => {
    expect(thinIndices([1, 2, 3], 100)).toEqual([0, 1, 2])
  })

  test('keeps ends and a single spike out of 100,000 points', () => {
    const values = Array.from({ length: 100_000 }, (_, at) => (at === 61_803 ? 1e6 : Math.sin(at / 50)))
    const kept = thinIndices(values, 800)
    expect(kept.length).toBeLessThanOrEqual(1000)
    expect(kept).toContain(61_803)
    expect([kept[0], kept.at(-1)]).toEqual([0, 99_999])
    expect(kept).toEqual(kept.toSorted((one, two) => one - two))
  })

  test('keeps the lowest and highest of every curve, and that something was missing', () => {
    fc.assert(
      fc.property(
        fc.array(fc.option(fc.integer({ min: -1000, max: 1000 }), { nil: null, freq: 8 }), {
          minLength: 50,
          maxLength: 400,
        }),
        (values) => {
          const kept = thinIndices(values, 40).map((at) => values[at] ?? null)
          const before = values.filter((value) => value !== null)
          const after = kept.filter((value) => value !== null)
          expect([Math.min(...after), Math.max(...after)]).toEqual([Math.min(...before), Math.max(...before)])
          expect(kept.includes(null)).toBe(values.includes(null))
        },
      ),
    )
  })
})

test('nearestIndex finds the nearest of a rising list', () => {
  expect([
    nearestIndex([], 1),
    nearestIndex([5], 1),
    nearestIndex([0, 10, 20], 14),
    nearestIndex([0, 10, 20], 16),
    nearestIndex([0, 10, 20], 99),
  ]).toEqual([-1, 0, 1, 2, 2])
})
