import type { ReactNode } from 'react'
import { Check, X } from 'lucide-react'
import type { Content, Outcome } from '../../shared/data-kinds.ts'
import { Chip } from '../parts/Chip.tsx'
import { ContentText } from './ContentText.tsx'
import { wordCount } from './roles.ts'

interface PairPreviewProps {
  readonly prompt: Content
  readonly a: Content
  readonly b: Content
  /** Which side won by majority; null when nobody has decided. */
  readonly winner: Outcome | null
}

/** The outcome most annotators gave; a split is a tie. */
export function majority(labels: readonly { readonly outcome: Outcome }[]): Outcome | null {
  const votes = new Map<Outcome, number>()
  for (const { outcome } of labels) if (outcome !== 'skip') votes.set(outcome, (votes.get(outcome) ?? 0) + 1)
  const [first, second] = [...votes].toSorted((one, two) => two[1] - one[1])
  if (first === undefined) return null
  return second !== undefined && second[1] === first[1] ? 'tie' : first[0]
}

export function PairPreview({ prompt, a, b, winner }: PairPreviewProps): ReactNode {
  return (
    <div className="pair">
      <div className="pair-prompt">
        <p className="small text-3">Prompt</p>
        <ContentText value={prompt} />
      </div>
      <div className="pair-sides">
        <Side name="answer 1" value={a} verdict={verdictOf('a', winner)} />
        <Side name="answer 2" value={b} verdict={verdictOf('b', winner)} />
      </div>
    </div>
  )
}

function verdictOf(side: 'a' | 'b', winner: Outcome | null): 'chosen' | 'rejected' | 'tie' | 'both bad' | null {
  if (winner === null || winner === 'skip') return null
  if (winner === 'tie') return 'tie'
  if (winner === 'both-bad') return 'both bad'
  return winner === side ? 'chosen' : 'rejected'
}

function Side({
  name,
  value,
  verdict,
}: {
  readonly name: string
  readonly value: Content
  readonly verdict: ReturnType<typeof verdictOf>
}): ReactNode {
  return (
    <div className="pair-side">
      <p className="row small text-3">
        {verdict === 'chosen' ? (
          <Chip tone="good">
            <Check className="icon icon-s" aria-hidden="true" />
            chosen
          </Chip>
        ) : null}
        {verdict === 'rejected' ? (
          <Chip tone="bad">
            <X className="icon icon-s" aria-hidden="true" />
            rejected
          </Chip>
        ) : null}
        {verdict === 'tie' || verdict === 'both bad' ? <Chip>{verdict}</Chip> : null}
        {name}, <span className="mono">{wordCount(value)}</span> words
      </p>
      <ContentText value={value} />
    </div>
  )
}
