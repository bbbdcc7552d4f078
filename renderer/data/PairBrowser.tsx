import { useDeferredValue, useRef, useState, type ReactNode } from 'react'
import { ArrowDown, ArrowUp } from 'lucide-react'
import type { DatasetDetail } from '../../shared/contract/datasets.ts'
import type { Outcome } from '../../shared/data-kinds.ts'
import { useCall } from '../api/queries.ts'
import { useCommands } from '../frame/commands.ts'
import { Button } from '../parts/Button.tsx'
import { Chip } from '../parts/Chip.tsx'
import { JumpField } from '../parts/JumpField.tsx'
import { Panel } from '../parts/Panel.tsx'
import { Say } from '../parts/Say.tsx'
import { SearchField } from '../parts/SearchField.tsx'
import { ErrorNotice, Loading } from '../parts/states.tsx'
import { Notes } from './Notes.tsx'
import { PairPreview, majority } from './PairPreview.tsx'

const FILTERS = [
  ['all', 'all rows'],
  ['labeled', 'labeled'],
  ['unlabeled', 'not labeled'],
  ['disagreement', 'annotators differ'],
  ['noted', 'with a note'],
  ['empty-answer', 'an answer is empty'],
] as const
type Filter = (typeof FILTERS)[number][0]

/** One pair at a time, as Pairlab reads it, through the whole data set. */
export function PairBrowser({ detail }: { readonly detail: DatasetDetail }): ReactNode {
  const [offset, setOffset] = useState(0)
  const [search, setSearch] = useState('')
  const [only, setOnly] = useState<Filter>('all')
  const field = useRef<HTMLInputElement>(null)
  const wanted = useDeferredValue(search)
  const { data, error } = useCall(
    'datasets.rows',
    { datasetId: detail.datasetId, offset, limit: 1, search: wanted, only },
    { keepPrevious: true },
  )
  const row = data?.rows[0]
  const alone = detail.kind === 'unpaired-responses'
  const outcomeWords: Partial<Record<Outcome, string>> = alone ? { a: 'good', b: 'bad' } : { a: 'first', b: 'second' }
  const noun = alone ? 'answer' : 'pair'
  const total = data?.total ?? 0
  const move = (by: number): void => setOffset(Math.min(Math.max(0, total - 1), Math.max(0, offset + by)))
  useCommands([
    {
      id: 'data.previous',
      title: 'Previous row',
      group: 'Data',
      keys: ['up', 'k'],
      repeat: true,
      disabled: offset === 0,
      run: () => move(-1),
    },
    {
      id: 'data.next',
      title: 'Next row',
      group: 'Data',
      keys: ['down', 'j'],
      repeat: true,
      disabled: offset + 1 >= total,
      run: () => move(1),
    },
    { id: 'data.search', title: 'Search the text', group: 'Data', keys: ['/'], run: () => field.current?.focus() },
  ])
  const tools = (
    <span className="row wrap">
      <span className="row gap-1">
        <JumpField
          index={row === undefined ? null : offset}
          total={data === undefined ? null : total}
          label={`Number of the ${noun}`}
          onJump={setOffset}
        />
        <Button small icon={ArrowUp} aria-label="Previous row" disabled={offset === 0} onClick={() => move(-1)} />
        <Button small icon={ArrowDown} aria-label="Next row" disabled={offset + 1 >= total} onClick={() => move(1)} />
      </span>
      <select
        className="select select-small"
        aria-label="Which rows"
        value={only}
        onChange={(event) => {
          setOnly(event.target.value as Filter)
          setOffset(0)
        }}
      >
        {FILTERS.filter(([value]) => !alone || value !== 'empty-answer').map(([value, words]) => (
          <option key={value} value={value}>
            {words}
          </option>
        ))}
      </select>
      <SearchField
        ref={field}
        label="Search the text"
        placeholder="Search the text"
        value={search}
        onChange={(text) => {
          setSearch(text)
          setOffset(0)
        }}
      />
    </span>
  )
  return (
    <Panel
      title={alone ? 'Answers' : 'Pairs'}
      note={data !== undefined && total === 0 ? 'none match' : undefined}
      actions={tools}
      flush
    >
      {error === null ? null : <ErrorNotice error={error} />}
      {row === undefined ? (
        data === undefined ? (
          <Loading what={`Reading the ${noun}s`} />
        ) : (
          <p className="pad text-2">No {noun} matches. Change the search or the filter.</p>
        )
      ) : (
        <>
          <div className="pair-labels">
            {row.labels.length === 0 ? (
              <Say tone="info">Nobody has labeled this {noun}.</Say>
            ) : (
              <span className="row wrap">
                {row.labels.map((label) => (
                  <Chip key={label.annotator}>
                    {label.annotator}: {outcomeWords[label.outcome] ?? label.outcome}
                    {label.strength === null ? '' : `, ${label.strength}`}
                  </Chip>
                ))}
              </span>
            )}
            <span className="grow" />
            <span className="small text-3">
              line <span className="mono">{row.line}</span>, {row.split}
            </span>
          </div>
          <Notes labels={row.labels} />
          <PairPreview prompt={row.prompt} a={row.a} b={row.b} winner={majority(row.labels)} />
        </>
      )}
    </Panel>
  )
}
