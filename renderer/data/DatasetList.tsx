import { useRef, useState, type ReactNode } from 'react'
import { Database, Waypoints } from 'lucide-react'
import type { DatasetSummary } from '../../shared/contract/datasets.ts'
import { dataKinds, type DataKind } from '../../shared/data-kinds.ts'
import type { JobId } from '../../shared/domain.ts'
import { useCall, useMutate } from '../api/queries.ts'
import { CollectJobs } from '../collect/CollectJobs.tsx'
import { useCommands } from '../frame/commands.ts'
import { useCrumbs } from '../frame/crumbs.tsx'
import { goTo, useGoOn } from '../frame/location.ts'
import { Button } from '../parts/Button.tsx'
import { DataTable, type Column, type Sorting } from '../parts/DataTable.tsx'
import { Panel } from '../parts/Panel.tsx'
import { RelativeTime } from '../parts/RelativeTime.tsx'
import { SearchField } from '../parts/SearchField.tsx'
import { EmptyState, ErrorNotice, Loading } from '../parts/states.tsx'
import { KIND_WORDS } from '../../shared/kind-words.ts'
import { formatCount } from '../../shared/units.ts'
import { ImportBox } from './ImportBox.tsx'
import { ImportJobs } from './ImportJobs.tsx'
import { samplePlace } from './import/open-import.ts'
import { useOpened } from './import/use-opened.ts'

const COLUMNS: readonly Column<DatasetSummary>[] = [
  {
    id: 'name',
    title: 'Name',
    sortBy: (row) => row.name,
    render: (row) => (
      <a className="bold" href={`#/data/${row.datasetId}`}>
        {row.name}
      </a>
    ),
  },
  {
    id: 'kind',
    title: 'Kind',
    sortBy: (row) => KIND_WORDS[row.kind].name,
    render: (row) => <span className="nowrap">{KIND_WORDS[row.kind].name}</span>,
  },
  {
    id: 'holds',
    title: 'Holds',
    number: true,
    sortBy: (row) => row.itemCount,
    render: (row) => `${formatCount(row.itemCount)} ${KIND_WORDS[row.kind].items}`,
  },
  {
    id: 'prompts',
    title: 'Prompts',
    number: true,
    sortBy: (row) => row.promptCount,
    render: (row) => (KIND_WORDS[row.kind].groups === 'prompts' ? formatCount(row.promptCount) : '–'),
  },
  {
    id: 'labeled',
    title: 'Labeled',
    number: true,
    sortBy: (row) => row.labeledCount,
    render: (row) => (KIND_WORDS[row.kind].labeled ? formatCount(row.labeledCount) : '–'),
  },
  {
    id: 'labels',
    title: 'Labels',
    number: true,
    sortBy: (row) => row.labelCount,
    render: (row) => (KIND_WORDS[row.kind].labeled ? formatCount(row.labelCount) : '–'),
  },
  {
    id: 'annotators',
    title: 'Annotators',
    render: (row) => <span className="ellipsis">{row.annotators.join(', ') || '–'}</span>,
  },
  {
    id: 'left',
    title: 'Rows left out',
    number: true,
    sortBy: (row) => row.rejectedRowCount,
    render: (row) => (row.rejectedRowCount === 0 ? '–' : formatCount(row.rejectedRowCount)),
  },
  {
    id: 'created',
    title: 'Imported',
    sortBy: (row) => row.createdAtMs,
    render: (row) => <RelativeTime atMs={row.createdAtMs} />,
  },
]

/** @param opening import whose data set opens once it is there */
export function DatasetList({ opening }: { readonly opening: JobId | null }): ReactNode {
  useOpened(useCall('datasets.importJob', { jobId: opening ?? ('' as JobId) }, { enabled: opening !== null }).data)
  const [sorting, setSorting] = useState<Sorting>({ column: 'created', descending: true })
  const [search, setSearch] = useState('')
  const [kind, setKind] = useState<DataKind | null>(null)
  const field = useRef<HTMLInputElement>(null)
  const { data, error, refetch } = useCall('datasets.list', {})
  const words = search.trim().toLowerCase()
  const shown = data?.filter(
    (row) =>
      (kind === null || row.kind === kind) &&
      [row.name, row.source, row.datasetId].some((text) => text.toLowerCase().includes(words)),
  )
  useCommands([
    {
      id: 'data.search',
      title: 'Search the data sets',
      group: 'Data',
      keys: ['/'],
      disabled: data === undefined || data.length === 0,
      run: () => field.current?.focus(),
    },
  ])
  useCrumbs([{ label: 'Data' }])
  return (
    <div className="page">
      <header className="page-head">
        <div className="grow">
          <h1>Data sets</h1>
          <p className="text-2">
            What people compare, and what they judged. Records never change once imported; labels are added, never
            overwritten.
          </p>
        </div>
        <Button icon={Waypoints} onClick={() => goTo('/data?collect=')}>
          Collect in a world
        </Button>
      </header>
      <ImportJobs />
      <CollectJobs />
      {error === null ? null : <ErrorNotice error={error} onRetry={() => void refetch()} />}
      {data === undefined && error === null ? <Loading what="Reading the data sets" /> : null}
      {data !== undefined && data.length === 0 ? (
        <EmptyState
          icon={Database}
          title="No data set yet"
          text="Import a file of preference pairs, or open the sample: 993 real answer pairs that three people judged."
          action={<SampleButton />}
        />
      ) : null}
      {data !== undefined && data.length > 0 ? (
        <Panel flush>
          <div className="list-tools">
            <SearchField
              ref={field}
              label="Search the data sets"
              placeholder="Search name and source"
              value={search}
              onChange={setSearch}
            />
            <select
              className="select select-small"
              aria-label="Kind of data"
              value={kind ?? ''}
              onChange={(event) => setKind(event.target.value === '' ? null : (event.target.value as DataKind))} // the options below
            >
              <option value="">all kinds</option>
              {dataKinds
                .filter((one) => one === kind || data.some((row) => row.kind === one))
                .map((one) => (
                  <option key={one} value={one}>
                    {KIND_WORDS[one].name}
                  </option>
                ))}
            </select>
            <span className="grow" />
            <span className="small text-3">
              <span className="mono">{formatCount(shown?.length)}</span> of{' '}
              <span className="mono">{formatCount(data.length)}</span>
            </span>
          </div>
          {shown?.length === 0 ? (
            <p className="pad text-2">No data set matches. Change the search or the kind.</p>
          ) : null}
          <div className="table-scroll" hidden={shown?.length === 0}>
            <DataTable
              label="Data sets"
              columns={COLUMNS}
              rows={shown ?? []}
              rowKey={(row) => row.datasetId}
              sorting={sorting}
              onSort={setSorting}
              onRowClick={(row) => goTo(`/data/${row.datasetId}`)}
            />
          </div>
        </Panel>
      ) : null}
      <Panel title="Import">
        <ImportBox keys="i" />
      </Panel>
    </div>
  )
}

/** Opens the bundled sample, importing it the first time. */
export function SampleButton({
  keys,
  primary = true,
}: {
  readonly keys?: string
  readonly primary?: boolean
}): ReactNode {
  const { data } = useCall('samples.list', {})
  const sample = data?.[0]
  const goOn = useGoOn()
  const open = useMutate('samples.open', {
    invalidate: ['datasets.list', 'samples.list', 'datasets.importJobs'],
    onSuccess: (opened) => void goOn(samplePlace(opened)),
  })
  if (sample === undefined) return null
  return (
    <>
      <Button
        look={primary ? 'primary' : 'normal'}
        keys={keys}
        disabled={open.isPending}
        onClick={() => open.mutate({ sampleId: sample.sampleId })}
      >
        Open the sample
      </Button>
      {open.error === null ? null : <ErrorNotice error={open.error} />}
    </>
  )
}
