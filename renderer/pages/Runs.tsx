import { useState, type ReactNode } from 'react'
import { ChartNoAxesCombined, SlidersHorizontal, Waypoints } from 'lucide-react'
import { runStates } from '../../shared/domain.ts'
import { useCall, useMutate } from '../api/queries.ts'
import { useSettings } from '../api/settings.ts'
import { useCommands } from '../frame/commands.ts'
import { useCrumbs } from '../frame/crumbs.tsx'
import { goTo } from '../frame/location.ts'
import { Button } from '../parts/Button.tsx'
import { Panel } from '../parts/Panel.tsx'
import { EmptyState, ErrorNotice, Loading } from '../parts/states.tsx'
import { formatBytes, formatCount } from '../../shared/units.ts'
import { RunsTable } from '../runs/RunsTable.tsx'

export function Runs(): ReactNode {
  const { data, error, refetch } = useCall('runs.list', {})
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const [search, setSearch] = useState('')
  const [state, setState] = useState('')
  useCrumbs([{ label: 'Runs' }])
  const compare = (): void => goTo(`/compare?runs=${[...chosen].join(',')}`)
  useCommands([
    {
      id: 'runs.compare',
      title: 'Compare the chosen runs',
      group: 'Runs',
      keys: ['c'],
      disabled: chosen.size === 0,
      run: compare,
    },
  ])
  if (error !== null)
    return (
      <div className="page">
        <ErrorNotice error={error} onRetry={() => void refetch()} />
      </div>
    )
  if (data === undefined) return <Loading what="Reading the runs" />
  if (data.length === 0)
    return (
      <EmptyState
        icon={Waypoints}
        title="No run yet"
        text="A run trains one method on one data set with one seed. Start several seeds at once, and Pairlab can say what the differences mean."
        action={
          <a className="btn btn-primary" href="#/train">
            Start a run
          </a>
        }
      />
    )
  const words = search.toLowerCase()
  const shown = data.filter(
    (run) =>
      (state === '' || run.state === state) &&
      `${run.name} ${run.methodName} ${run.datasetName} ${run.note}`.toLowerCase().includes(words),
  )
  const diskBytes = data.reduce((sum, run) => sum + run.diskBytes, 0)
  return (
    <div className="page">
      <header className="page-head">
        <div className="grow">
          <h1>Runs</h1>
          <p className="text-2">
            <span className="mono">{formatCount(data.length)}</span> runs,{' '}
            <span className="mono">{formatBytes(diskBytes)}</span> on disk
          </p>
        </div>
        <QueueSwitch />
        <Button icon={SlidersHorizontal} onClick={() => goTo('/train')}>
          New run
        </Button>
        <Button look="primary" icon={ChartNoAxesCombined} keys="c" disabled={chosen.size === 0} onClick={compare}>
          Compare{chosen.size > 0 ? ` ${chosen.size}` : ''}
        </Button>
      </header>
      <Panel
        flush
        title="All runs"
        note={
          shown.length === data.length ? undefined : `${formatCount(shown.length)} of ${formatCount(data.length)} shown`
        }
        actions={
          <span className="row">
            <Button
              small
              look="quiet"
              onClick={() => setChosen(new Set(chosen.size === shown.length ? [] : shown.map((run) => run.runId)))}
            >
              {chosen.size === shown.length && chosen.size > 0 ? 'Choose none' : 'Choose all'}
            </Button>
            <select
              className="select select-small"
              aria-label="Status"
              value={state}
              onChange={(event) => setState(event.target.value)}
            >
              <option value="">any status</option>
              {runStates.map((value) => (
                <option key={value} value={value}>
                  {value}
                </option>
              ))}
            </select>
            <input
              className="input input-small"
              type="search"
              placeholder="Filter"
              aria-label="Filter the runs"
              value={search}
              onChange={(event) => setSearch(event.target.value)}
            />
          </span>
        }
      >
        <RunsTable runs={shown} chosen={chosen} onChoose={setChosen} full />
      </Panel>
    </div>
  )
}

function QueueSwitch(): ReactNode {
  const settings = useSettings()
  const pause = useMutate('queue.pause', { invalidate: ['settings.get', 'runs.list'] })
  if (settings === undefined) return null
  return (
    <Button disabled={pause.isPending} onClick={() => pause.mutate({ paused: !settings.queuePaused })}>
      {settings.queuePaused ? 'Go on with the queue' : 'Pause the queue'}
    </Button>
  )
}
