import { useDeferredValue, useEffect, useRef, useState, type ReactNode } from 'react'
import type { DatasetDetail } from '../../shared/contract/datasets.ts'
import type { TextRow } from '../../shared/contract/texts.ts'
import type { SplitName } from '../../shared/data-kinds.ts'
import { formatCount, formatNumber } from '../../shared/units.ts'
import { useCall } from '../api/queries.ts'
import { useCommands } from '../frame/commands.ts'
import { Chip } from '../parts/Chip.tsx'
import { JumpField } from '../parts/JumpField.tsx'
import { Panel } from '../parts/Panel.tsx'
import { PageTurner } from '../parts/PageTurner.tsx'
import { SearchField } from '../parts/SearchField.tsx'
import { ErrorNotice, Loading } from '../parts/states.tsx'
import { SideSelect } from './SideSelect.tsx'

const PAGE = 20

/** Texts as they are, a page at a time: query, what belongs to it and what does not; two texts with their score; or lines. */
export function TextBrowser({ detail }: { readonly detail: DatasetDetail }): ReactNode {
  const [place, setPlace] = useState(0)
  const offset = place - (place % PAGE)
  const [search, setSearch] = useState('')
  const [side, setSide] = useState<SplitName | null>(null)
  const field = useRef<HTMLInputElement>(null)
  const list = useRef<HTMLOListElement>(null)
  const wanted = useDeferredValue(search)
  const { data, error, refetch } = useCall(
    'texts.rows',
    { datasetId: detail.datasetId, offset, limit: PAGE, search: wanted, side },
    { keepPrevious: true },
  )
  const rows = data?.rows ?? []
  const total = data?.total ?? 0
  const go = (to: number): void => setPlace(Math.min(Math.max(0, to), Math.max(0, total - 1)))
  useEffect(() => {
    if (place > 0) list.current?.children[place % PAGE]?.scrollIntoView({ block: 'nearest' })
  }, [place, data])
  useCommands([
    {
      id: 'data.previous',
      title: 'Earlier texts',
      group: 'Data',
      keys: ['up', 'k'],
      disabled: offset === 0,
      run: () => go(offset - PAGE),
    },
    {
      id: 'data.next',
      title: 'Later texts',
      group: 'Data',
      keys: ['down', 'j'],
      disabled: offset + PAGE >= total,
      run: () => go(offset + PAGE),
    },
    { id: 'data.search', title: 'Search the texts', group: 'Data', keys: ['/'], run: () => field.current?.focus() },
  ])
  const tools = (
    <span className="row wrap">
      <span className="row gap-1">
        <JumpField
          index={rows.length === 0 ? null : place}
          total={data === undefined ? null : total}
          label="Number of the item"
          onJump={go}
        />
        <PageTurner what="texts" offset={offset} size={PAGE} total={total} onGo={go} />
      </span>
      <SideSelect
        value={side}
        onChange={(next) => {
          setSide(next)
          setPlace(0)
        }}
      />
      <SearchField
        ref={field}
        label="Search the texts"
        placeholder="Search the text"
        value={search}
        onChange={(text) => {
          setSearch(text)
          setPlace(0)
        }}
      />
    </span>
  )
  return (
    <Panel title="Texts" actions={tools} flush>
      {error === null ? null : <ErrorNotice error={error} onRetry={() => void refetch()} />}
      {data === undefined ? (
        error === null ? (
          <Loading what="Reading the texts" />
        ) : null
      ) : rows.length === 0 ? (
        <p className="pad text-2">Nothing matches. Change the search or the side.</p>
      ) : (
        <ol ref={list} className="text-items plain-list">
          {rows.map((row, at) => (
            <TextItem key={row.index} row={row} chosen={place > 0 && at === place % PAGE} />
          ))}
        </ol>
      )}
    </Panel>
  )
}

function TextItem({ row, chosen }: { readonly row: TextRow; readonly chosen: boolean }): ReactNode {
  const { data } = row
  return (
    <li aria-current={chosen}>
      <p className="row small text-3">
        <span className="mono">{formatCount(row.index + 1)}</span>
        <span className="mono ellipsis">{row.itemId}</span>
        {data.form === 'scored-pair' ? (
          <Chip title="0 unrelated, 1 the same">
            score <span className="mono">{formatNumber(data.score)}</span>
          </Chip>
        ) : null}
        {data.form === 'triple' && data.source !== null ? <Chip>{data.source}</Chip> : null}
        <span className="grow" />
        <span className="nowrap">
          line <span className="mono">{formatCount(row.line)}</span>, {row.split}
        </span>
      </p>
      <dl className="text-parts">
        {partsOf(data).map(({ name, text, tone }, at) => (
          <div key={at} data-tone={tone}>
            <dt className="small text-3">{name}</dt>
            <dd className="content-text">{text}</dd>
          </div>
        ))}
      </dl>
    </li>
  )
}

interface Part {
  readonly name: string
  readonly text: string
  readonly tone?: 'near' | 'far'
}

function partsOf(data: TextRow['data']): Part[] {
  if (data.form === 'text') return [{ name: 'text', text: data.text }]
  if (data.form === 'scored-pair')
    return [
      { name: 'first', text: data.first },
      { name: 'second', text: data.second },
    ]
  return [
    { name: 'query', text: data.query },
    { name: 'belongs to it', text: data.positive, tone: 'near' },
    ...data.negatives.map((text): Part => ({ name: 'does not', text, tone: 'far' })),
  ]
}
