import { memo, useLayoutEffect, useRef, type ReactNode, type Ref } from 'react'
import type { Content } from '../../shared/data-kinds.ts'
import { Chip } from '../parts/Chip.tsx'
import { KeyCap } from '../parts/KeyCap.tsx'
import { formatCount } from '../../shared/units.ts'
import type { AlignedRow, Cell } from './align.ts'
import { alignItem, countWords, isEmpty, sidesOf, type ComparedItem } from './content.ts'
import type { Verdict } from './verdicts.ts'

interface PairViewProps {
  readonly item: ComparedItem
  readonly showDifferences: boolean
  /** The side in view as chosen, while it is being saved or when it was chosen before. */
  readonly chosen: Verdict | null
  readonly leftKey: string | undefined
  readonly rightKey: string | undefined
  readonly differencesKey: string | undefined
  readonly scroller: Ref<HTMLDivElement>
  onToggleDifferences(): void
}

/** Lines of both sides follow each other in the document: each says whose it is. */
const NAMES = { left: 'Answer A', right: 'Answer B' } as const

const UNMARKED = { shown: '', 'too-different': 'Too different to mark', 'too-long': 'Too long to mark' } as const

/** The two answers at equal size, line beside line, in one scroller: both sides move together because they are one. */
export function PairView({
  item,
  showDifferences,
  chosen,
  leftKey,
  rightKey,
  differencesKey,
  scroller,
  onToggleDifferences,
}: PairViewProps): ReactNode {
  const { left, right } = sidesOf(item)
  const alignment = alignItem(item)
  const lines = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    lines.current?.parentElement?.scrollTo(0, 0)
  }, [item.pairId])
  const marks = showDifferences && alignment.marks === 'shown'
  return (
    <section className="pair" aria-label="The two answers" data-pair={item.pairId}>
      <div className="pair-heads">
        <SideHead name={NAMES.left} content={left} keys={leftKey} chosen={chosen === 'left'} />
        <SideHead name={NAMES.right} content={right} keys={rightKey} chosen={chosen === 'right'}>
          <button
            type="button"
            className="differences-toggle"
            aria-pressed={showDifferences}
            onClick={onToggleDifferences}
          >
            {marks ? (
              <>
                <mark>Differences</mark> shown
              </>
            ) : showDifferences ? (
              UNMARKED[alignment.marks]
            ) : (
              'Differences hidden'
            )}
            {differencesKey === undefined ? null : <KeyCap keys={differencesKey} />}
          </button>
        </SideHead>
      </div>
      <div className="pair-scroll" ref={scroller} tabIndex={0} role="group" aria-label="Text of both answers">
        <div ref={lines} className="pair-lines" data-marks={marks}>
          {isEmpty(left) && isEmpty(right) ? null : <Rows rows={alignment.rows} />}
          {isEmpty(left) ? <EmptyAnswer side="left" /> : null}
          {isEmpty(right) ? <EmptyAnswer side="right" /> : null}
        </div>
      </div>
    </section>
  )
}

function SideHead({
  name,
  content,
  keys,
  chosen,
  children,
}: {
  readonly name: string
  readonly content: Content
  readonly keys: string | undefined
  readonly chosen: boolean
  readonly children?: ReactNode
}): ReactNode {
  return (
    <div className="pair-head">
      {keys === undefined ? null : <KeyCap keys={keys} />}
      <h2>{name}</h2>
      <span className="small text-3 nowrap">
        <span className="mono">{formatCount(countWords(content))}</span> {countWords(content) === 1 ? 'word' : 'words'}
      </span>
      {chosen ? <Chip tone="accent">chosen</Chip> : null}
      <span className="grow" />
      {children}
    </div>
  )
}

function EmptyAnswer({ side }: { readonly side: 'left' | 'right' }): ReactNode {
  return (
    <p role="group" aria-label={NAMES[side]} className={`pair-empty pair-empty-${side}`}>
      This answer is empty.
    </p>
  )
}

const Rows = memo(function Rows({ rows }: { readonly rows: readonly AlignedRow[] }): ReactNode {
  // Rows never move within a pair, and a pair's rows are drawn afresh.
  return rows.map((row, at) => (
    // eslint-disable-next-line react/no-array-index-key
    <div key={at} className="pair-row">
      <Side name={NAMES.left} cell={row.left} />
      <Side name={NAMES.right} cell={row.right} />
    </div>
  ))
})

function Side({ name, cell }: { readonly name: string; readonly cell: Cell | null }): ReactNode {
  if (cell === null) return <div className="line line-gap" />
  return (
    <div role="group" aria-label={name} className={`line ${cell.alone ? 'line-alone' : ''}`}>
      {cell.role === null ? null : <span className="turn">{cell.role}</span>}
      {cell.pieces.map((piece, at) =>
        piece.changed ? <mark key={`${at} ${piece.text}`}>{piece.text}</mark> : piece.text,
      )}
    </div>
  )
}
