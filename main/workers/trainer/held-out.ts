import type { OutcomesByMetric } from '../../base/run-folder/held-out-items.ts'
import type { Choice, Evaluation, Extent, HeldOutItems } from './course.ts'

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

/** Numbers of one side. */
export interface SideNumbers {
  /** Under the names they are logged by. */
  readonly metrics: Readonly<Record<string, number>>
  readonly items: OutcomesByMetric
}

export const NOTHING: SideNumbers = { metrics: {}, items: {} }

/** Both, of the same side. */
export function joined(one: SideNumbers, other: SideNumbers): SideNumbers {
  return { metrics: { ...one.metrics, ...other.metrics }, items: { ...one.items, ...other.items } }
}

/**
 * Metrics of the validation side, named `eval/…`, and at the end those of the test side, named `test/…`, which nothing is
 * chosen by.
 * @param measure names its metrics with the prefix it is given; `part`: a fixed share of the side is enough
 */
export async function measureHeldOut<Side>(
  { side, test }: HeldOut<Side>,
  extent: Extent,
  measure: (side: Side, prefix: 'eval' | 'test', part: boolean) => Promise<SideNumbers>,
): Promise<Required<Pick<Evaluation, 'metrics' | 'items'>>> {
  const part = extent === 'part' || extent === 'choice'
  const judged = extent === 'test' ? NOTHING : await measure(side, 'eval', part)
  const last = (extent === 'end' || extent === 'test') && side !== test ? await measure(test, 'test', false) : NOTHING
  return {
    metrics: { ...judged.metrics, ...last.metrics },
    items: sidesOf(part ? {} : judged.items, last.items),
  }
}

function sidesOf(judged: OutcomesByMetric, test: OutcomesByMetric): HeldOutItems {
  const has = (items: OutcomesByMetric): boolean => Object.keys(items).length > 0
  return { ...(has(judged) ? { eval: judged } : {}), ...(has(test) ? { test } : {}) }
}
