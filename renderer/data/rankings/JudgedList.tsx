import { useState, type ReactNode } from 'react'
import type { Output } from '../../../shared/contract.ts'
import type { JudgedOrder } from '../../../shared/contract/rankings.ts'
import type { DatasetId } from '../../../shared/domain.ts'
import { formatCount } from '../../../shared/units.ts'
import { useCall } from '../../api/queries.ts'
import { Button } from '../../parts/Button.tsx'
import { Panel } from '../../parts/Panel.tsx'
import { ErrorNotice } from '../../parts/states.tsx'
import { DocumentRow } from './DocumentRow.tsx'

const PAGE = 50

interface Shared {
  readonly datasetId: DatasetId
  readonly judgments: Output<'rankings.query'>['judgments']
  readonly features: boolean
  readonly bm25: JudgedOrder | null
  readonly run: JudgedOrder | null
  readonly open: string | null
  onOpen(docId: string): void
}

/** What was judged for a query, best grade first, with the place that each order gives it. */
export function JudgedList(shared: Shared): ReactNode {
  const { judgments } = shared
  const [pages, setPages] = useState(1)
  return (
    <Panel title="Judged" note={`${formatCount(judgments.length)}, best grade first`} flush>
      <ul className="order-list plain-list">
        {Array.from({ length: pages }, (_none, page) => (
          <JudgedPage key={page} {...shared} judgments={judgments.slice(page * PAGE, (page + 1) * PAGE)} />
        ))}
      </ul>
      {judgments.length > pages * PAGE ? (
        <div className="pad">
          <Button small onClick={() => setPages(pages + 1)}>
            Show more of {formatCount(judgments.length)}
          </Button>
        </div>
      ) : null}
    </Panel>
  )
}

function JudgedPage({ datasetId, judgments, features, bm25, run, open, onOpen }: Shared): ReactNode {
  const documents = useCall(
    'rankings.documents',
    { datasetId, docIds: judgments.map(({ docId }) => docId) },
    { enabled: !features && judgments.length > 0 },
  )
  const known = new Map(documents.data?.map((one) => [one.docId, one]))
  const places = [
    { name: 'BM25', order: bm25 },
    { name: 'run', order: run },
  ].map(({ name, order }) => ({
    name,
    of: order === null ? null : new Map(order.judged.map(({ docId, rank }) => [docId, rank])),
  }))
  return (
    <>
      {documents.error === null ? null : (
        <li>
          <ErrorNotice error={documents.error} onRetry={() => void documents.refetch()} />
        </li>
      )}
      {judgments.map(({ docId, grade }) => {
        const document = known.get(docId)
        return (
          <DocumentRow
            key={docId}
            datasetId={datasetId}
            docId={docId}
            title={document === undefined ? '' : document.title === '' ? document.text : document.title}
            grade={grade}
            rank={null}
            open={open === docId}
            readable={document !== undefined}
            onOpen={onOpen}
            note={
              <>
                {document === undefined && documents.data !== undefined ? <span>not in the collection</span> : null}
                {places.map(({ name, of }) =>
                  of === null ? null : (
                    <span key={name} className="nowrap" title={`Its place in the order of ${name}`}>
                      {name} <span className="mono">{formatCount(of.get(docId))}</span>
                    </span>
                  ),
                )}
              </>
            }
          />
        )
      })}
    </>
  )
}
