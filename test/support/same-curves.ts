import { expect } from 'vitest'
import { allEvents, metricsByStep } from './tiny-run.ts'

/** Each number of the first run folder within 2·10⁻³ of the second's, relative where it is larger than one. */
export function expectSameCurves(actual: string, expected: string, names: readonly string[], steps: number): void {
  const [own, wanted] = [metricsByStep(allEvents(actual)), metricsByStep(allEvents(expected))]
  for (const name of names) {
    expect(Object.keys(own[name]!), name).toHaveLength(steps)
    for (const [step, value] of Object.entries(wanted[name]!))
      expect(Math.abs(own[name]![Number(step)]! - value!), `${name} at step ${step}`).toBeLessThanOrEqual(
        2e-3 * Math.max(1, Math.abs(value!)),
      )
  }
}
