import type { ReactNode } from 'react'
import type { DatasetId } from '../../../shared/domain.ts'
import { formatCount } from '../../../shared/units.ts'
import { useCall } from '../../api/queries.ts'
import { ErrorNotice } from '../../parts/states.tsx'
import { Grade } from './Grade.tsx'

/** A document in a list; a click opens its whole text below. */
export function DocumentRow({
  datasetId,
  docId,
  title,
  grade,
  rank,
  note,
  open,
  readable,
  onOpen,
}: {
  readonly datasetId: DatasetId
  readonly docId: string
  readonly title: string
  readonly grade: number | null
  /** Null in a list without places. */
  readonly rank: number | null
  readonly note: ReactNode
  readonly open: boolean
  /** False where it is not in the collection, or is features. */
  readonly readable: boolean
  onOpen(docId: string): void
}): ReactNode {
  return (
    <li data-open={open}>
      <button
        type="button"
        className="document-row"
        aria-expanded={readable ? open : undefined}
        disabled={!readable}
        onClick={() => onOpen(docId)}
      >
        {rank === null ? null : <span className="rank mono text-3">{formatCount(rank)}</span>}
        <Grade grade={grade} />
        <span className="document-head">
          <span className="two-lines">{title === '' ? <span className="mono">{docId}</span> : title}</span>
          <span className="row small text-3 document-note">
            {title === '' ? null : <span className="mono ellipsis">{docId}</span>}
            {note}
          </span>
        </span>
      </button>
      {open && readable ? <WholeText datasetId={datasetId} docId={docId} /> : null}
    </li>
  )
}

function WholeText({ datasetId, docId }: { readonly datasetId: DatasetId; readonly docId: string }): ReactNode {
  const { data, error } = useCall('rankings.document', { datasetId, docId })
  if (error !== null) return <ErrorNotice error={error} />
  if (data === undefined) return <p className="document-whole small text-3">Reading the document …</p>
  // A long one scrolls by itself, for keys too.
  return (
    <div className="document-whole" tabIndex={0} role="group" aria-label="Text of the document">
      <p className="small content-text">{data.text === '' ? 'It has no text.' : data.text}</p>
    </div>
  )
}
