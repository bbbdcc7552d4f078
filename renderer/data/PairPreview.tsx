import type { ReactNode } from 'react'
import { Check, X } from 'lucide-react'
import type { Content, Outcome } from '../../shared/data-kinds.ts'
import { Chip } from '../parts/Chip.tsx'
import { ContentText } from './ContentText.tsx'
import { wordCount } from './roles.ts'

interface PairPreviewProps {
  readonly prompt: Content
  readonly a: Content
  /** Null where an answer stands alone: the labels then call it good or bad. */
  readonly b: Content | null
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
    <div className="pair-preview">
      <div className="pair-prompt">
        <p className="small text-3">Prompt</p>
        <ContentText value={prompt} />
      </div>
      {b === null ? (
        <Side name="answer" value={a} verdict={winner === null ? null : (JUDGED[winner] ?? null)} />
      ) : (
        <div className="pair-sides">
          <Side name="answer 1" value={a} verdict={verdictOf('a', winner)} />
          <Side name="answer 2" value={b} verdict={verdictOf('b', winner)} />
        </div>
      )}
    </div>
  )
}

type SideVerdict = 'chosen' | 'rejected' | 'good' | 'bad' | 'tie' | 'both bad' | 'undecided'

/** What the labels of an answer that stands alone say. */
const JUDGED: Partial<Record<Outcome, SideVerdict>> = { a: 'good', b: 'bad', tie: 'undecided' }

function verdictOf(side: 'a' | 'b', winner: Outcome | null): SideVerdict | null {
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
  readonly verdict: SideVerdict | null
}): ReactNode {
  return (
    <div className="pair-side">
      <p className="row small text-3">
        {verdict === 'chosen' || verdict === 'good' ? (
          <Chip tone="good">
            <Check className="icon icon-s" aria-hidden="true" />
            {verdict}
          </Chip>
        ) : null}
        {verdict === 'rejected' || verdict === 'bad' ? (
          <Chip tone="bad">
            <X className="icon icon-s" aria-hidden="true" />
            {verdict}
          </Chip>
        ) : null}
        {verdict === 'tie' || verdict === 'both bad' || verdict === 'undecided' ? <Chip>{verdict}</Chip> : null}
        {name}, <span className="mono">{wordCount(value)}</span> {wordCount(value) === 1 ? 'word' : 'words'}
      </p>
      <ContentText value={value} />
    </div>
  )
}
