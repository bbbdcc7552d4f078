import type { ReactNode, Ref } from 'react'
import type { UseQueryResult } from '@tanstack/react-query'
import type { Output } from '../../../shared/contract.ts'
import type { SplitName } from '../../../shared/data-kinds.ts'
import type { AppError } from '../../../shared/errors.ts'
import { formatCount } from '../../../shared/units.ts'
import { JumpField } from '../../parts/JumpField.tsx'
import { Panel } from '../../parts/Panel.tsx'
import { PageTurner } from '../../parts/PageTurner.tsx'
import { SearchField } from '../../parts/SearchField.tsx'
import { ErrorNotice, Loading } from '../../parts/states.tsx'
import { SideSelect } from '../SideSelect.tsx'

export const QUERIES_SHOWN = 25

interface QueryListProps {
  readonly queries: UseQueryResult<Output<'rankings.queries'>, AppError>
  readonly offset: number
  /** On this page. */
  readonly chosen: number
  readonly search: string
  readonly side: SplitName | null
  readonly searchRef: Ref<HTMLInputElement>
  onSearch(text: string): void
  onSide(side: SplitName | null): void
  /** To a place among those that pass. */
  onGo(place: number): void
}

/** The queries that pass the search and the side, a page at a time. */
export function QueryList({
  queries,
  offset,
  chosen,
  search,
  side,
  searchRef,
  onSearch,
  onSide,
  onGo,
}: QueryListProps): ReactNode {
  const { data, error, refetch } = queries
  const rows = data?.rows ?? []
  const total = data?.total ?? 0
  return (
    <Panel
      title="Queries"
      flush
      actions={
        <span className="row gap-1">
          <JumpField
            index={rows.length === 0 ? null : offset + Math.min(chosen, rows.length - 1)}
            total={data === undefined ? null : total}
            label="Number of the query"
            onJump={onGo}
          />
          <PageTurner what="queries" offset={offset} size={QUERIES_SHOWN} total={total} onGo={onGo} />
        </span>
      }
    >
      <div className="list-tools">
        <SearchField
          ref={searchRef}
          label="Search the queries"
          placeholder="Search text and id"
          value={search}
          grows
          onChange={onSearch}
        />
        <SideSelect value={side} onChange={onSide} />
      </div>
      {error === null ? null : <ErrorNotice error={error} onRetry={() => void refetch()} />}
      {data === undefined ? (
        error === null ? (
          <Loading what="Reading the queries" />
        ) : null
      ) : rows.length === 0 ? (
        <p className="pad text-2">No query matches. Change the search or the side.</p>
      ) : (
        <ul className="pick-list plain-list">
          {rows.map((row, at) => (
            <li key={row.index}>
              <button type="button" aria-pressed={at === chosen} onClick={() => onGo(offset + at)}>
                <span className="two-lines">{row.text === '' ? 'no text' : row.text}</span>
                <span className="row small text-3">
                  <span className="mono ellipsis">{row.queryId}</span>
                  <span>{row.split}</span>
                  <span className="grow" />
                  <span className="nowrap" title="Documents with a grade above 0, of all that were judged">
                    <span className="mono">{formatCount(row.relevant)}</span> of{' '}
                    <span className="mono">{formatCount(row.judged)}</span> relevant
                  </span>
                </span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  )
}
