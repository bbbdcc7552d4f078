import type { Outcome } from '../../../shared/data-kinds.ts'

/** Answers that say something about the two sides, in the order of the codes used here. */
export const COUNTING = ['a', 'b', 'tie', 'both-bad'] as const
export type Counting = (typeof COUNTING)[number]

/**
 * The answer that more people gave than any other; a tie when the sides are even. "Both bad" counts only where nobody
 * said more, as it does for training. Null without an answer that counts.
 */
export function majorityOf(outcomes: readonly Outcome[]): Counting | null {
  const counts = { a: 0, b: 0, tie: 0, 'both-bad': 0 }
  for (const outcome of outcomes) if (outcome !== 'skip') counts[outcome] += 1
  if (counts.a + counts.b + counts.tie === 0) return counts['both-bad'] > 0 ? 'both-bad' : null
  if (counts.a > counts.b && counts.a > counts.tie) return 'a'
  if (counts.b > counts.a && counts.b > counts.tie) return 'b'
  return 'tie'
}
