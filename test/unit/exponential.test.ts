import { expect, test } from 'vitest'
import { expOfNegative } from '../../main/core/learn/sampling/exponential.ts'

test('is the exponential, to the last digits', () => {
  let worst = 0
  for (let step = 0; step <= 700_000; step += 1) {
    const x = -step / 1000 - step / 7e7
    if (x < -708) break
    worst = Math.max(worst, Math.abs(expOfNegative(x) / Math.exp(x) - 1))
  }
  expect(worst).toBeLessThan(1e-15)
  expect([
    expOfNegative(0),
    expOfNegative(-0),
    expOfNegative(-1e-300),
    expOfNegative(-709),
    expOfNegative(Number.NEGATIVE_INFINITY),
    expOfNegative(Number.NaN),
  ]).toEqual([1, 1, 1, 0, 0, 0])
})
