import { useState, type ReactNode } from 'react'
import type { RunSummary } from '../../shared/contract/runs.ts'
import { goTo } from '../frame/location.ts'
import { DataTable, type Column, type Sorting } from '../parts/DataTable.tsx'
import { NumberText } from '../parts/NumberText.tsx'
import { ProgressBar } from '../parts/ProgressBar.tsx'
import { RelativeTime } from '../parts/RelativeTime.tsx'
import { RunSwatch } from '../parts/RunSwatch.tsx'
import { StatusMark } from '../parts/StatusMark.tsx'
import { formatBytes, formatDuration } from '../../shared/units.ts'
import { isLive } from '../../shared/domain.ts'
import { MainMetric } from '../parts/MainMetric.tsx'
import { Spark } from './Spark.tsx'
import './runs.css'

const NAME: Column<RunSummary> = {
  id: 'name',
  title: 'Run',
  sortBy: (run) => `${run.name} ${run.seed}`,
  render: (run) => (
    <a className="row run-name" href={`#/runs/${run.runId}`} onClick={(event) => event.stopPropagation()}>
      <RunSwatch runId={run.runId} groupHash={run.groupHash} />
      <span className="mono bold ellipsis">{run.name}</span>
      <span className="mono text-3">s{run.seed}</span>
    </a>
  ),
}

const STATE: Column<RunSummary> = {
  id: 'state',
  title: 'Status',
  sortBy: (run) => run.state,
  render: (run) => (
    <span className="row">
      <StatusMark run={run} />
      {run.state === 'queued' && run.queuePosition !== null ? (
        <span className="text-3">#{run.queuePosition}</span>
      ) : null}
      {isLive(run.state) && run.totalSteps > 0 ? (
        <ProgressBar label={`Progress of ${run.name}`} width={64} value={run.step / run.totalSteps} />
      ) : null}
    </span>
  ),
}

const COLUMNS: readonly Column<RunSummary>[] = [
  NAME,
  STATE,
  { id: 'method', title: 'Method', sortBy: (run) => run.methodName, render: (run) => run.methodName },
  {
    id: 'data',
    title: 'Data set',
    sortBy: (run) => run.datasetName,
    render: (run) => <span className="ellipsis">{run.datasetName}</span>,
  },
  {
    id: 'spark',
    title: 'Main metric',
    render: (run) => (
      <MainMetric run={run}>
        <Spark run={run} />
      </MainMetric>
    ),
  },
  {
    id: 'value',
    title: 'Last',
    number: true,
    sortBy: (run) => run.mainValue,
    render: (run) => (
      <MainMetric run={run}>
        <NumberText value={run.mainValue} />
      </MainMetric>
    ),
  },
  {
    id: 'took',
    title: 'Took',
    number: true,
    sortBy: (run) => run.trainedMs,
    render: (run) => formatDuration(run.trainedMs),
  },
  {
    id: 'started',
    title: 'Started',
    sortBy: (run) => run.startedAtMs ?? run.createdAtMs,
    render: (run) =>
      run.state === 'queued' ? <span className="text-3">waiting</span> : <RelativeTime atMs={run.startedAtMs} />,
  },
]
const SIZE: Column<RunSummary> = {
  id: 'disk',
  title: 'Disk',
  number: true,
  sortBy: (run) => run.diskBytes,
  render: (run) => formatBytes(run.diskBytes),
}

interface RunsTableProps {
  readonly runs: readonly RunSummary[]
  /** With boxes to choose runs to compare. */
  readonly chosen?: ReadonlySet<string>
  onChoose?(chosen: ReadonlySet<string>): void
  readonly full?: boolean
}

export function RunsTable({ runs, chosen, onChoose, full = false }: RunsTableProps): ReactNode {
  const [sorting, setSorting] = useState<Sorting>({ column: 'started', descending: true })
  const toggle = (runId: string): void => {
    const next = new Set(chosen)
    if (!next.delete(runId)) next.add(runId)
    onChoose?.(next)
  }
  const box: Column<RunSummary> = {
    id: 'choose',
    title: <span className="hidden-visually">Chosen</span>,
    render: (run) => (
      <input
        type="checkbox"
        aria-label={`Choose ${run.name} seed ${run.seed}`}
        checked={chosen?.has(run.runId) === true}
        onClick={(event) => event.stopPropagation()}
        onChange={() => toggle(run.runId)}
      />
    ),
  }
  const columns = [...(onChoose === undefined ? [] : [box]), ...COLUMNS, ...(full ? [SIZE] : [])]
  return (
    <div className="table-scroll">
      <DataTable
        label="Runs"
        columns={columns}
        rows={runs}
        rowKey={(run) => run.runId}
        sorting={sorting}
        onSort={setSorting}
        isSelected={(run) => chosen?.has(run.runId) === true}
        onRowClick={(run) => goTo(`/runs/${run.runId}`)}
      />
    </div>
  )
}
