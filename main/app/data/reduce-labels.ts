import type { Outcome, Strength } from '../../../shared/data-kinds.ts'

export interface AnswerInForce {
  readonly annotatorId: string
  readonly outcome: Outcome
  readonly strength: Strength | null
}

export type ReducedLabels =
  | {
      readonly kind: 'preference'
      readonly preferenceA: number
      readonly strength: number
      readonly labelCount: number
    }
  | { readonly kind: 'both-bad'; readonly labelCount: number }
  | { readonly kind: 'none' }

/** How strong a preference each word states, of 1; a source that gives none is taken at its word. */
export const STRENGTH_VALUE: Readonly<Record<Strength, number>> = { slightly: 1 / 3, clearly: 2 / 3, far: 1 }

/**
 * Several people's answers as one soft preference: a = 1, b = 0, tie = ½. `mean` keeps how far they differ;
 * `majority` is the side with more answers than any other, ½ when there is none. Skips and "both bad" say nothing
 * about which is better and are left out; a pair with nothing else has no preference.
 */
export function reduceLabels(answers: readonly AnswerInForce[], aggregation: 'mean' | 'majority'): ReducedLabels {
  const counts = { a: 0, b: 0, tie: 0 }
  let bothBad = 0
  let strengthSum = 0
  for (const answer of answers) {
    if (answer.outcome === 'skip') continue
    if (answer.outcome === 'both-bad') {
      bothBad += 1
      continue
    }
    counts[answer.outcome] += 1
    strengthSum += answer.strength === null ? 1 : STRENGTH_VALUE[answer.strength]
  }
  const labelCount = counts.a + counts.b + counts.tie
  if (labelCount === 0) return bothBad > 0 ? { kind: 'both-bad', labelCount: bothBad } : { kind: 'none' }
  const preferenceA = aggregation === 'mean' ? (counts.a + counts.tie / 2) / labelCount : majority(counts)
  return { kind: 'preference', preferenceA, strength: strengthSum / labelCount, labelCount }
}

function majority(counts: { readonly a: number; readonly b: number; readonly tie: number }): number {
  if (counts.a > counts.b && counts.a > counts.tie) return 1
  if (counts.b > counts.a && counts.b > counts.tie) return 0
  return 0.5
}
