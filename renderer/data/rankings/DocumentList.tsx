import { useDeferredValue, useEffect, useState, type ReactNode, type Ref } from 'react'
import type { DatasetId } from '../../../shared/domain.ts'
import { formatCount } from '../../../shared/units.ts'
import { useCall } from '../../api/queries.ts'
import { Button } from '../../parts/Button.tsx'
import { Panel } from '../../parts/Panel.tsx'
import { PageTurner } from '../../parts/PageTurner.tsx'
import { SearchField } from '../../parts/SearchField.tsx'
import { ErrorNotice } from '../../parts/states.tsx'
import { CollectionWait } from './CollectionWait.tsx'

const SHOWN = 25

/** The documents of the collection, or those that hold what is searched. While none is chosen it chooses its first. */
export function DocumentList({
  datasetId,
  searchRef,
  chosen,
  onChoose,
}: {
  readonly datasetId: DatasetId
  readonly searchRef: Ref<HTMLInputElement>
  readonly chosen: string | null
  onChoose(docId: string): void
}): ReactNode {
  const [search, setSearch] = useState('')
  const [offset, setOffset] = useState(0)
  const wanted = useDeferredValue(search)
  const { data, error, refetch, isFetching } = useCall(
    'rankings.find',
    { datasetId, search: wanted, offset, limit: SHOWN },
    { keepPrevious: true },
  )
  const rows = data?.rows ?? []
  const total = data?.total ?? 0
  const first = rows[0]?.docId
  // As among the queries, one is open from the start.
  useEffect(() => {
    if (chosen === null && first !== undefined) onChoose(first)
  }, [chosen, first, onChoose])
  return (
    <Panel
      title="Documents"
      note={
        data === undefined || rows.length === 0
          ? undefined
          : `${formatCount(offset + 1)} to ${formatCount(offset + rows.length)} of ${formatCount(total)}`
      }
      flush
      actions={
        <span className="row gap-1">
          <PageTurner what="documents" offset={offset} size={SHOWN} total={total} onGo={setOffset} />
        </span>
      }
    >
      <div className="list-tools">
        <SearchField
          ref={searchRef}
          label="Search the documents"
          placeholder="Search text and id"
          value={search}
          grows
          onChange={(text) => {
            setSearch(text)
            setOffset(0)
          }}
        />
      </div>
      {error === null || error.code === 'cancelled' ? null : (
        <ErrorNotice error={error} onRetry={() => void refetch()} />
      )}
      {error?.code === 'cancelled' && !isFetching ? (
        <p className="pad text-2">
          The search was cancelled.{' '}
          <Button small onClick={() => void refetch()}>
            Search again
          </Button>
        </p>
      ) : null}
      {isFetching ? <CollectionWait datasetId={datasetId} what="Looking through the documents" /> : null}
      {data !== undefined && rows.length === 0 && !isFetching ? (
        <p className="pad text-2">No document holds “{wanted}”.</p>
      ) : (
        <ul className="pick-list plain-list">
          {rows.map((row) => (
            <li key={row.docId}>
              <button type="button" aria-pressed={row.docId === chosen} onClick={() => onChoose(row.docId)}>
                <span className="two-lines">{row.title === '' ? row.text : row.title}</span>
                <span className="small text-3 mono ellipsis">{row.docId}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  )
}
