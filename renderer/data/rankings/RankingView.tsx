import { useState, type ReactNode } from 'react'
import { ArrowDown, ArrowUp } from 'lucide-react'
import type { DatasetDetail } from '../../shared/contract/datasets.ts'
import type { JudgedRow } from '../../shared/contract/rankings.ts'
import { useCall } from '../api/queries.ts'
import { useCommands } from '../frame/commands.ts'
import { Button } from '../parts/Button.tsx'
import { Chip } from '../parts/Chip.tsx'
import { Panel } from '../parts/Panel.tsx'
import { ErrorNotice, Loading } from '../parts/states.tsx'
import { formatCount } from '../../shared/units.ts'
import { DatasetActions } from './DatasetActions.tsx'
import { DatasetWarnings } from './DatasetWarnings.tsx'
import { RowCheck } from './RowCheck.tsx'

const PAGE = 25

/** Queries and the documents that were judged for them. */
export function RankingView({ detail }: { readonly detail: DatasetDetail }): ReactNode {
  const [offset, setOffset] = useState(0)
  const [chosen, setChosen] = useState(0)
  const { data, error, refetch } = useCall(
    'rankings.queries',
    { datasetId: detail.datasetId, offset, limit: PAGE },
    { keepPrevious: true },
  )
  const rows = data?.rows ?? []
  const row = rows[Math.min(chosen, rows.length - 1)]
  const total = data?.total ?? detail.itemCount
  const page = (by: number): void => {
    setOffset(Math.min(Math.max(0, offset + by), Math.max(0, total - 1)))
    setChosen(0)
  }
  const move = (by: number): void => {
    const next = chosen + by
    if (next < 0 && offset > 0) {
      setOffset(Math.max(0, offset - PAGE))
      setChosen(PAGE - 1)
    } else if (next >= rows.length && offset + rows.length < total) page(PAGE)
    else setChosen(Math.min(Math.max(0, next), Math.max(0, rows.length - 1)))
  }
  useCommands([
    {
      id: 'data.previous',
      title: 'Previous query',
      group: 'Data',
      keys: ['up', 'k'],
      repeat: true,
      disabled: offset + chosen === 0,
      run: () => move(-1),
    },
    {
      id: 'data.next',
      title: 'Next query',
      group: 'Data',
      keys: ['down', 'j'],
      repeat: true,
      disabled: offset + chosen + 1 >= total,
      run: () => move(1),
    },
  ])
  const { counts } = detail.split
  const tools = (
    <span className="row gap-1">
      <Button small icon={ArrowUp} aria-label="Earlier queries" disabled={offset === 0} onClick={() => page(-PAGE)} />
      <Button
        small
        icon={ArrowDown}
        aria-label="Later queries"
        disabled={offset + PAGE >= total}
        onClick={() => page(PAGE)}
      />
    </span>
  )
  return (
    <div className="page">
      <header className="page-head">
        <div className="grow">
          <div className="row wrap">
            <h1>{detail.name}</h1>
            <Chip>judged lists</Chip>
            <Chip title={detail.fingerprint}>
              snapshot <span className="mono">{detail.fingerprint.slice(0, 8)}</span>
            </Chip>
            {detail.licence === null ? null : <Chip>{detail.licence}</Chip>}
          </div>
          <p className="text-2">
            <span className="mono">{formatCount(detail.itemCount)}</span> queries:{' '}
            <span className="mono">{formatCount(counts.train)}</span> to train on,{' '}
            <span className="mono">{formatCount(counts.validation)}</span> to validate,{' '}
            <span className="mono">{formatCount(counts.test)}</span> to test.{' '}
            {data === undefined ? (
              ''
            ) : data.documents === 0 ? (
              'Documents are given as features.'
            ) : (
              <>
                <span className="mono">{formatCount(data.documents)}</span> documents.
              </>
            )}
          </p>
        </div>
        <DatasetActions detail={detail} />
      </header>
      <DatasetWarnings datasetId={detail.datasetId} />
      {error === null ? null : <ErrorNotice error={error} onRetry={() => void refetch()} />}
      {data === undefined && error === null ? <Loading what="Reading the queries" /> : null}
      {data === undefined ? null : (
        <div className="two">
          <Panel
            title="Queries"
            note={`${formatCount(offset + 1)} to ${formatCount(offset + rows.length)} of ${formatCount(total)}`}
            actions={tools}
            flush
          >
            <div className="table-scroll">
              <table className="table">
                <thead>
                  <tr>
                    <th scope="col">Id</th>
                    <th scope="col">Query</th>
                    <th scope="col">Side</th>
                    <th scope="col" className="num">
                      Relevant
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {rows.map((one, at) => (
                    <tr key={one.queryId} data-on={at === chosen} onClick={() => setChosen(at)}>
                      <td className="mono">{one.queryId}</td>
                      <td>
                        <button
                          type="button"
                          className="link-button query-button"
                          aria-pressed={at === chosen}
                          onClick={() => setChosen(at)}
                        >
                          {one.text === '' ? 'no text' : one.text}
                        </button>
                      </td>
                      <td className="text-2">{one.split ?? 'drawn'}</td>
                      <td className="num">
                        {one.judgments.filter((judged) => judged.grade > 0).length} of {one.judgments.length}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </Panel>
          {row === undefined ? null : <Judged row={row} />}
        </div>
      )}
      {detail.rejectedRowCount + detail.warningCount > 0 ? <RowCheck detail={detail} /> : null}
    </div>
  )
}

function Judged({ row }: { readonly row: JudgedRow }): ReactNode {
  return (
    <Panel title={`Judged for ${row.queryId}`} note={row.text} flush>
      <ul className="judged plain-list">
        {row.judgments.map((judged) => (
          <li key={judged.docId}>
            <span className="grade mono" data-relevant={judged.grade > 0} title={`Grade ${judged.grade}`}>
              {judged.grade}
            </span>
            <div className="grow">
              <div className="row judged-head">
                <b className="grow">
                  {judged.title === null || judged.title === '' ? (
                    <span className="mono">{judged.docId}</span>
                  ) : (
                    judged.title
                  )}
                </b>
                <span className="mono small text-3">{judged.docId}</span>
              </div>
              {judged.text === null ? null : <p className="small text-2 content-text judged-text">{judged.text}</p>}
            </div>
          </li>
        ))}
      </ul>
    </Panel>
  )
}
