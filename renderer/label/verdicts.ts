import type { LabelItem } from '../../shared/contract/labels.ts'
import type { Outcome, Strength } from '../../shared/data-kinds.ts'

// What a person says of what is on the screen, and what it means of the pair as it is stored.

/** What a person says about the two sides as they stand on the screen. */
export type Verdict = 'left' | 'right' | 'tie' | 'both-bad' | 'skip'

export function toOutcome(verdict: Verdict, item: LabelItem): Outcome {
  if (verdict !== 'left' && verdict !== 'right') return verdict
  return (verdict === 'left') === (item.shownOrder === 'ab') ? 'a' : 'b'
}

export function toVerdict(outcome: Outcome, shownOrder: LabelItem['shownOrder']): Verdict {
  if (outcome !== 'a' && outcome !== 'b') return outcome
  return (outcome === 'a') === (shownOrder === 'ab') ? 'left' : 'right'
}

/** How strongly one side wins is a question only when one does, and there are two. */
export function strengthOf(verdict: Verdict, strength: Strength, item: LabelItem): Strength | null {
  if (item.b === null) return null
  return verdict === 'left' || verdict === 'right' ? strength : null
}

/** Of one answer alone: good (left), bad (right; the key for both bad says it too) or skipped; a tie says nothing. */
export function judgmentOf(verdict: Verdict): Verdict | null {
  return verdict === 'both-bad' ? 'right' : verdict === 'tie' ? null : verdict
}

const SAID: { readonly [V in Verdict]: string } = {
  left: 'A is better',
  right: 'B is better',
  tie: 'Tie',
  'both-bad': 'Both bad',
  skip: 'Skipped',
}

/** @param alone one answer was judged by itself */
export function describeAnswer(verdict: Verdict, strength: Strength | null, alone = false): string {
  if (alone && (verdict === 'left' || verdict === 'right')) return verdict === 'left' ? 'Good' : 'Bad'
  const amount = strength === null ? '' : strength === 'slightly' ? ', a little' : `, ${strength}`
  return `${SAID[verdict]}${amount}`
}
