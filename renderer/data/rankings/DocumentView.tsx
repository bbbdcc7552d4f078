import type { ReactNode } from 'react'
import type { DatasetId } from '../../../shared/domain.ts'
import { formatCount } from '../../../shared/units.ts'
import { useCall } from '../../api/queries.ts'
import { Panel } from '../../parts/Panel.tsx'
import { ErrorNotice, Loading } from '../../parts/states.tsx'
import { Grade } from './Grade.tsx'

/** A document whole, and the queries for which it was judged. Nothing until the list beside it has chosen one. */
export function DocumentView({
  datasetId,
  docId,
  onQuery,
}: {
  readonly datasetId: DatasetId
  readonly docId: string | null
  onQuery(index: number): void
}): ReactNode {
  const { data, error, refetch } = useCall(
    'rankings.document',
    { datasetId, docId: docId ?? '' },
    { enabled: docId !== null },
  )
  if (docId === null) return null
  if (error !== null) return <ErrorNotice error={error} onRetry={() => void refetch()} />
  if (data === undefined) return <Loading what="Reading the document" />
  return (
    <div className="col gap-4">
      <Panel title={data.title === '' ? <span className="mono">{docId}</span> : data.title} note={docId}>
        <p className="content-text document-text">{data.text === '' ? 'It has no text.' : data.text}</p>
      </Panel>
      <Panel
        title="Judged for"
        note={data.judgedFor.length === 0 ? undefined : formatCount(data.judgedFor.length)}
        flush
      >
        {data.judgedFor.length === 0 ? (
          <p className="pad text-2">No query’s judges looked at it.</p>
        ) : (
          <ul className="pick-list plain-list">
            {data.judgedFor.map((one) => (
              <li key={one.index}>
                <button type="button" onClick={() => onQuery(one.index)}>
                  <span className="row">
                    <Grade grade={one.grade} />
                    <span className="two-lines grow">{one.text}</span>
                    <span className="small text-3 mono">{one.queryId}</span>
                  </span>
                </button>
              </li>
            ))}
          </ul>
        )}
      </Panel>
    </div>
  )
}
