import fc from 'fast-check'
import { expect, test } from 'vitest'
import { thinPoints, type MetricPoint } from '../../main/app/store/metrics.ts'

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
