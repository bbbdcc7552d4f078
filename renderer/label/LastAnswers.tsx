import type { ReactNode } from 'react'
import { StickyNote } from 'lucide-react'
import type { LabelEvent } from '../../shared/contract/labels.ts'
import type { AnnotatorId, DatasetId } from '../../shared/domain.ts'
import { useCall } from '../api/queries.ts'
import { Section } from '../parts/Panel.tsx'
import { toVerdict, type Verdict } from './verdicts.ts'

interface LastAnswersProps {
  readonly datasetId: DatasetId
  readonly annotatorId: AnnotatorId
  /** Single answers were judged, good or bad. */
  readonly alone: boolean
  readonly currentId: string | null
  onOpen(pairId: string): void
}

const SHOWN = 8
const SHORT: { readonly [V in Verdict]: string } = {
  left: 'A',
  right: 'B',
  tie: 'tie',
  'both-bad': 'both bad',
  skip: 'skipped',
}

function shortAnswer(event: LabelEvent, alone: boolean): string {
  if (event.outcome === null) return '–'
  if (alone) return event.outcome === 'a' ? 'good' : event.outcome === 'b' ? 'bad' : 'skipped'
  const verdict = toVerdict(event.outcome, event.shownOrder ?? 'ab')
  const amount = event.strength === null ? '' : event.strength === 'slightly' ? ', a little' : `, ${event.strength}`
  return `${SHORT[verdict]}${verdict === 'left' || verdict === 'right' ? amount : ''}`
}

/** The answers just given; a click brings a pair back, to be read or answered anew. */
export function LastAnswers({ datasetId, annotatorId, alone, currentId, onOpen }: LastAnswersProps): ReactNode {
  const history = useCall('labels.history', { datasetId, annotatorId, limit: 40 }, { keepPrevious: true }).data
  const answers = history?.events.filter((event) => event.kind === 'answer' && event.inForce).slice(0, SHOWN) ?? []
  return (
    <Section title="Last answers">
      {answers.length === 0 ? (
        <p className="small text-2">Your answers will stand here; a click goes back to one.</p>
      ) : (
        <ul className="last-answers">
          {answers.map((event) => (
            <li key={event.labelId}>
              <button
                type="button"
                aria-current={event.pairId === currentId ? 'true' : undefined}
                onClick={() => onOpen(event.pairId)}
              >
                <span className="mono text-3">{event.pairIndex + 1}</span>
                <span className="ellipsis">{event.title}</span>
                {event.comment === '' ? null : (
                  <span title={event.comment}>
                    <StickyNote className="icon icon-s" aria-label={`with a note: ${event.comment}`} />
                  </span>
                )}
                <span className="text-2 nowrap">{shortAnswer(event, alone)}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </Section>
  )
}
