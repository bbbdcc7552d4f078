import type { Choice, Extent } from './course.ts'

/** What a course is judged by: its validation side, and its test side where it has no other. */
export interface HeldOut<Side> {
  readonly side: Side
  readonly test: Side
}

/** @param isEmpty of the validation side */
export function heldOutOf<Side>(validation: Side, test: Side, isEmpty: boolean): HeldOut<Side> {
  return { side: isEmpty ? test : validation, test }
}

/** @param items of the validation side   @param seen of them at most, in between */
export function choiceOf<Side>({ side, test }: HeldOut<Side>, items: number, seen: number): Choice {
  if (side === test) return 'none'
  return items <= seen ? 'alike' : 'part'
}

/**
 * Metrics of the validation side, named `eval/…`, and at the end those of the test side, named `test/…`, which nothing is
 * chosen by.
 * @param measure names its metrics with the prefix it is given; `part`: a fixed share of the side is enough
 */
export async function measureHeldOut<Side>(
  { side, test }: HeldOut<Side>,
  extent: Extent,
  measure: (side: Side, prefix: 'eval' | 'test', part: boolean) => Promise<Readonly<Record<string, number>>>,
): Promise<Record<string, number>> {
  return {
    ...(extent === 'test' ? {} : await measure(side, 'eval', extent === 'part' || extent === 'choice')),
    ...((extent === 'end' || extent === 'test') && side !== test ? await measure(test, 'test', false) : {}),
  }
}
