import { useLayoutEffect, useRef, type ReactNode, type Ref } from 'react'
import type { LabelItem } from '../../shared/contract/labels.ts'
import { ContentText } from '../data/ContentText.tsx'
import { Chip } from '../parts/Chip.tsx'
import { formatCount } from '../../shared/units.ts'
import { countWords, isEmpty } from './content.ts'
import type { Verdict } from './verdicts.ts'

interface AnswerViewProps {
  readonly item: LabelItem
  /** What is said of it, while it is being saved or when it was said before. */
  readonly chosen: Verdict | null
  readonly scroller: Ref<HTMLDivElement>
}

/** One answer, to be called good or bad by itself. */
export function AnswerView({ item, chosen, scroller }: AnswerViewProps): ReactNode {
  const text = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    text.current?.parentElement?.scrollTo(0, 0)
  }, [item.pairId])
  return (
    <section className="pair" aria-label="The answer" data-pair={item.pairId}>
      <div className="pair-heads alone">
        <div className="pair-head">
          <h2>Answer</h2>
          <span className="small text-3 nowrap">
            <span className="mono">{formatCount(countWords(item.a))}</span>{' '}
            {countWords(item.a) === 1 ? 'word' : 'words'}
          </span>
          {chosen === 'left' ? <Chip tone="good">good</Chip> : null}
          {chosen === 'right' ? <Chip tone="bad">bad</Chip> : null}
        </div>
      </div>
      <div className="pair-scroll" ref={scroller} tabIndex={0} role="group" aria-label="Text of the answer">
        <div ref={text} className="answer-alone">
          {isEmpty(item.a) ? <p className="text-3">This answer is empty.</p> : <ContentText value={item.a} />}
        </div>
      </div>
    </section>
  )
}
