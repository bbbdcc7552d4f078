import { describe, expect, it } from 'vitest'
import { studentCdf, studentInterval, studentQuantile, welchInterval } from '../../shared/statistics/student.ts'
import { createRandom } from '../support/seeded.ts'

describe('studentQuantile', () => {
  // Two-sided 95 % points of the printed tables.
  it.each([
    [1, 12.7062047],
    [2, 4.30265273],
    [3, 3.18244631],
    [4, 2.77644511],
    [9, 2.26215716],
    [30, 2.04227246],
    [1000, 1.96233908],
  ])('%i degrees of freedom: %f', (df, expected) => {
    expect(studentQuantile(0.975, df)).toBeCloseTo(expected, 6)
    expect(studentCdf(expected, df)).toBeCloseTo(0.975, 8)
  })
})

describe('studentInterval', () => {
  it('is mean ± t·s/√n', () => {
    const bounds = studentInterval([1, 2, 3])
    expect(bounds?.low).toBeCloseTo(2 - 4.30265273 / Math.sqrt(3), 6)
    expect(bounds?.high).toBeCloseTo(2 + 4.30265273 / Math.sqrt(3), 6)
    expect(studentInterval([1])).toBeNull()
  })

  it('covers the mean of three normal draws about 95 times in 100', () => {
    const random = createRandom(11)
    const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
    let covered = 0
    for (let trial = 0; trial < 4000; trial += 1) {
      const bounds = studentInterval([normal(), normal(), normal()])
      if (bounds !== null && bounds.low <= 0 && bounds.high >= 0) covered += 1
    }
    expect(covered / 4000).toBeGreaterThan(0.935)
    expect(covered / 4000).toBeLessThan(0.965)
  })
})

describe('welchInterval', () => {
  it('agrees with a worked example', () => {
    // Standard errors² 1/3 each: df = 4, t = 2.776445.
    const bounds = welchInterval([2, 3, 4], [1, 2, 3])
    expect(bounds?.low).toBeCloseTo(1 - 2.77644511 * Math.sqrt(2 / 3), 6)
    expect(bounds?.high).toBeCloseTo(1 + 2.77644511 * Math.sqrt(2 / 3), 6)
  })
})
