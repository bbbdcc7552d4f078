import fc from 'fast-check'
import { expect, test } from 'vitest'
import { thinPoints, type MetricPoint } from '../../main/app/store/metrics.ts'
import { meanInterval, wilson } from '../../main/workers/trainer/intervals.ts'

test('thinning keeps ends, order, spikes and the wanted size', () => {
  fc.assert(
    fc.property(
      fc.array(fc.option(fc.double({ min: -1e6, max: 1e6, noNaN: true })), { minLength: 1, maxLength: 400 }),
      fc.integer({ min: 10, max: 60 }),
      (values, most) => {
        const points = values.map((value, step): MetricPoint => [step, step, value])
        const kept = thinPoints(points, most)
        expect(kept.length).toBeLessThanOrEqual(Math.max(most, 0))
        expect([kept[0], kept.at(-1)]).toEqual([points[0], points.at(-1)])
        expect(kept.map((point) => point[0])).toEqual(kept.map((point) => point[0]).toSorted((a, b) => a - b))
        const real = (all: readonly MetricPoint[]): number[] =>
          all.flatMap((point) => (point[2] === null ? [] : [point[2]]))
        expect([Math.max(...real(kept)), Math.min(...real(kept))]).toEqual([
          Math.max(...real(points)),
          Math.min(...real(points)),
        ])
      },
    ),
  )
})

test('Wilson’s interval and the standard error are the textbook’s', () => {
  // Newcombe (1998), table I: 81 of 263 gives 0.2553 to 0.3662; 0 of 20 gives 0 to 0.1611.
  const { low, high } = wilson(81 / 263, 263)
  expect([low, high].map((value) => value.toFixed(4))).toEqual(['0.2553', '0.3662'])
  expect(wilson(0, 20).high.toFixed(4)).toBe('0.1611')
  const mean = meanInterval([1, 2, 3, 4])
  expect([mean.mean, mean.high - mean.mean].map((value) => value.toFixed(4))).toEqual([
    '2.5000',
    (1.959964 * Math.sqrt(5 / 3 / 4)).toFixed(4),
  ])
  expect(meanInterval([5]).low).toBeNaN()
})
