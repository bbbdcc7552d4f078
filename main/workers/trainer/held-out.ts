import type { Extent } from './course.ts'

/** What a course is judged by: its validation side, and its test side where it has no other. */
export interface HeldOut<Side> {
  readonly side: Side
  readonly test: Side
}

/** @param isEmpty of the validation side */
export function heldOutOf<Side>(validation: Side, test: Side, isEmpty: boolean): HeldOut<Side> {
  return { side: isEmpty ? test : validation, test }
}

/**
 * Metrics of the held-out side, named `eval/…`, and at the end those of the test side, named `test/…`. The test side is
 * looked at once: what was chosen by the validation side is not judged by it.
 * @param measure names its metrics with the prefix it is given; `part`: a fixed share of the side is enough
 */
export async function measureHeldOut<Side>(
  { side, test }: HeldOut<Side>,
  extent: Extent,
  measure: (side: Side, prefix: 'eval' | 'test', part: boolean) => Promise<Readonly<Record<string, number>>>,
): Promise<Record<string, number>> {
  const metrics = { ...(await measure(side, 'eval', extent === 'part')) }
  if (extent === 'end' && side !== test) Object.assign(metrics, await measure(test, 'test', false))
  return metrics
}
