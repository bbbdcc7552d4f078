import type { ReactNode } from 'react'
import { ArrowDown, ArrowUp } from 'lucide-react'
import type { JudgedOrder } from '../../../shared/contract/rankings.ts'
import type { DatasetId } from '../../../shared/domain.ts'
import { formatCount, formatNumber } from '../../../shared/units.ts'
import { DocumentRow } from './DocumentRow.tsx'

/** The first places of an order: rank, grade, score, and which documents another order has elsewhere. */
export function OrderList({
  datasetId,
  order,
  other,
  mine,
  open,
  features,
  onOpen,
}: {
  readonly datasetId: DatasetId
  readonly order: JudgedOrder
  /** The order it is set against; null where there is none. */
  readonly other: string | null
  /** What moved, moved here: its marks say whether up or down. */
  readonly mine: boolean
  readonly open: string | null
  readonly features: boolean
  onOpen(docId: string): void
}): ReactNode {
  return (
    <ol className="order-list plain-list">
      {order.rows.map((row) => (
        <DocumentRow
          key={row.docId}
          datasetId={datasetId}
          docId={row.docId}
          title={row.title === '' ? row.text : row.title}
          grade={row.grade}
          rank={row.rank}
          open={open === row.docId}
          readable={!features}
          onOpen={onOpen}
          note={
            <>
              <span className="nowrap">
                score <span className="mono">{formatNumber(row.score)}</span>
              </span>
              {other === null ? null : <Move rank={row.rank} otherRank={row.otherRank} other={other} mine={mine} />}
            </>
          }
        />
      ))}
    </ol>
  )
}

function Move({
  rank,
  otherRank,
  other,
  mine,
}: {
  readonly rank: number
  readonly otherRank: number | null
  readonly other: string
  readonly mine: boolean
}): ReactNode {
  if (otherRank === null)
    return (
      <span className="move" title={`${other} does not have it`}>
        not in {other}
      </span>
    )
  if (otherRank === rank) return null
  if (!mine)
    return (
      <span className="move" title={`In ${other} it has place ${otherRank}`}>
        {other} <span className="mono">{formatCount(otherRank)}</span>
      </span>
    )
  const up = otherRank > rank
  const Icon = up ? ArrowUp : ArrowDown
  return (
    <span className="move" data-up={up} title={`${up ? 'Up' : 'Down'} from place ${otherRank} of ${other}`}>
      <Icon className="icon icon-s" aria-label={up ? 'up' : 'down'} />
      <span className="mono">{formatCount(Math.abs(otherRank - rank))}</span> from{' '}
      <span className="mono">{formatCount(otherRank)}</span>
    </span>
  )
}
