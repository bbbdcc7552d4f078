import { useDeferredValue, useRef, useState, type ReactNode } from 'react'
import type { DatasetDetail } from '../../../shared/contract/datasets.ts'
import type { SplitName } from '../../../shared/data-kinds.ts'
import { formatCount } from '../../../shared/units.ts'
import { useCall } from '../../api/queries.ts'
import { useCommands } from '../../frame/commands.ts'
import { Segmented } from '../../parts/Segmented.tsx'
import { DatasetActions } from '../DatasetActions.tsx'
import { DatasetTitle } from '../DatasetTitle.tsx'
import { DatasetWarnings } from '../DatasetWarnings.tsx'
import { RowCheck } from '../RowCheck.tsx'
import { DocumentList } from './DocumentList.tsx'
import { DocumentView } from './DocumentView.tsx'
import { QUERIES_SHOWN, QueryList } from './QueryList.tsx'
import { QueryView } from './QueryView.tsx'
import './rankings.css'

/** Queries and what was judged for them; documents and the queries they were judged for. */
export function RankingView({ detail }: { readonly detail: DatasetDetail }): ReactNode {
  const { datasetId } = detail
  const [looking, setLooking] = useState<'queries' | 'documents'>('queries')
  const [offset, setOffset] = useState(0)
  const [chosen, setChosen] = useState(0)
  const [search, setSearch] = useState('')
  const [side, setSide] = useState<SplitName | null>(null)
  const [docId, setDocId] = useState<string | null>(null)
  const searchField = useRef<HTMLInputElement>(null)
  const wanted = useDeferredValue(search)
  const queries = useCall(
    'rankings.queries',
    { datasetId, offset, limit: QUERIES_SHOWN, search: wanted, side },
    { keepPrevious: true },
  )
  const collection = useCall('rankings.collection', { datasetId })
  const rows = queries.data?.rows ?? []
  const total = queries.data?.total ?? detail.itemCount
  const row = rows[Math.min(chosen, rows.length - 1)]
  const documents = collection.data?.documents

  /** @param place among those that pass search and side */
  function goTo(place: number): void {
    const at = Math.min(Math.max(0, place), Math.max(0, total - 1))
    setOffset(at - (at % QUERIES_SHOWN))
    setChosen(at % QUERIES_SHOWN)
  }
  /** A query by its place in the data set, whatever was searched. */
  function openQuery(index: number): void {
    setLooking('queries')
    setSearch('')
    setSide(null)
    setOffset(index - (index % QUERIES_SHOWN))
    setChosen(index % QUERIES_SHOWN)
  }
  function narrow(change: () => void): void {
    change()
    setOffset(0)
    setChosen(0)
  }
  const ofQueries = looking === 'queries'
  useCommands([
    {
      id: 'data.previous',
      title: 'Previous query',
      group: 'Data',
      keys: ['up', 'k'],
      repeat: true,
      disabled: !ofQueries || offset + chosen === 0,
      run: () => goTo(offset + chosen - 1),
    },
    {
      id: 'data.next',
      title: 'Next query',
      group: 'Data',
      keys: ['down', 'j'],
      repeat: true,
      disabled: !ofQueries || offset + chosen + 1 >= total,
      run: () => goTo(offset + chosen + 1),
    },
    {
      id: 'data.search',
      title: ofQueries ? 'Search the queries' : 'Search the documents',
      group: 'Data',
      keys: ['/'],
      run: () => searchField.current?.focus(),
    },
  ])
  const { counts } = detail.split
  return (
    <div className="page">
      <header className="page-head">
        <div className="grow">
          <DatasetTitle detail={detail} />
          <p className="text-2">
            <span className="mono">{formatCount(detail.itemCount)}</span> queries:{' '}
            <span className="mono">{formatCount(counts.train)}</span> to train on,{' '}
            <span className="mono">{formatCount(counts.validation)}</span> to validate,{' '}
            <span className="mono">{formatCount(counts.test)}</span> to test.{' '}
            {documents === undefined ? (
              ''
            ) : documents === 0 ? (
              'Documents are given as features.'
            ) : (
              <>
                <span className="mono">{formatCount(documents)}</span> documents.
              </>
            )}
          </p>
        </div>
        <DatasetActions detail={detail} />
      </header>
      <DatasetWarnings datasetId={datasetId} />
      <div className="rankings">
        <div className="col gap-3">
          {documents === 0 ? null : (
            <Segmented<'queries' | 'documents'>
              title="What to look through"
              value={looking}
              choices={[
                { value: 'queries', label: 'Queries' },
                { value: 'documents', label: 'Documents' },
              ]}
              onChange={setLooking}
            />
          )}
          {ofQueries ? (
            <QueryList
              queries={queries}
              offset={offset}
              chosen={chosen}
              search={search}
              side={side}
              searchRef={searchField}
              onSearch={(text) => narrow(() => setSearch(text))}
              onSide={(next) => narrow(() => setSide(next))}
              onGo={goTo}
            />
          ) : (
            <DocumentList datasetId={datasetId} searchRef={searchField} chosen={docId} onChoose={setDocId} />
          )}
        </div>
        {ofQueries ? (
          row === undefined ? (
            <span />
          ) : (
            <QueryView detail={detail} index={row.index} documents={documents ?? null} />
          )
        ) : (
          <DocumentView datasetId={datasetId} docId={docId} onQuery={openQuery} />
        )}
      </div>
      {detail.rejectedRowCount + detail.warningCount > 0 ? <RowCheck detail={detail} /> : null}
    </div>
  )
}
