import type { ReactNode } from 'react'
import { Lock, Unplug } from 'lucide-react'
import { Link } from 'wouter'
import { isLive } from '../../shared/domain.ts'
import type { RunSummary } from '../../shared/contract/runs.ts'
import { useConnection } from '../api/events.ts'
import { useCall } from '../api/queries.ts'
import { formatBytes, formatCount, formatDuration } from '../../shared/units.ts'
import { ProgressBar } from '../parts/ProgressBar.tsx'
import { StatusMark } from '../parts/StatusMark.tsx'

const DISK_EVERY_MS = 60_000

function RunningRun({ run }: { readonly run: RunSummary }): ReactNode {
  return (
    <Link href={`/runs/${run.runId}`}>
      <StatusMark run={run} />
      <span className="mono">{run.name}</span>
      <ProgressBar value={run.totalSteps > 0 ? run.step / run.totalSteps : null} label={`Progress of ${run.name}`} />
      <span className="mono">
        {formatCount(run.step)} / {formatCount(run.totalSteps)}
      </span>
      {run.remainingMs === null ? null : <span>{formatDuration(run.remainingMs)} left</span>}
    </Link>
  )
}

export function StatusBar(): ReactNode {
  const info = useCall('system.info', {}, { refetchIntervalMs: DISK_EVERY_MS }).data
  const runs = useCall('runs.list', {}).data ?? []
  const connection = useConnection()
  const overview = useCall('engines.list', {}).data
  const chosen = overview?.chosen.training
  const engine = overview?.engines.find((one) => one.name === chosen?.name)
  const live = runs.filter((run) => isLive(run.state))
  const queued = runs.filter((run) => run.state === 'queued').length
  const folder = info?.dataFolder.split(/[\\/]/).findLast((part) => part !== '')
  return (
    <footer className="foot" aria-label="Status">
      <Link
        href="/settings"
        title={chosen === undefined ? undefined : `What a run gets that names no engine: ${chosen.why}`}
      >
        Engine <b>{chosen?.name ?? '–'}</b>
        <span className="foot-wide">{engine === undefined || engine.device === '' ? '' : ` · ${engine.device}`}</span>
      </Link>
      {live[0] === undefined ? <span>No run in progress</span> : <RunningRun run={live[0]} />}
      {live.length > 1 ? <Link href="/runs">and {live.length - 1} more</Link> : null}
      <Link href="/runs">
        Queue <span className="mono">{queued}</span>
      </Link>
      <span className="grow" />
      {connection === 'lost' ? (
        <span
          className="bad"
          role="alert"
          title="Start Pairlab again on the same data folder and this tab goes on with it; where it got another address: pairlab serve --open"
        >
          <Unplug className="icon icon-s" aria-hidden="true" /> Pairlab does not answer; trying again
        </span>
      ) : null}
      <span className="foot-wide" title={info?.dataFolder}>
        Data folder <b>{folder ?? '–'}</b> · <span className="mono">{formatBytes(info?.dataBytes)}</span> used
      </span>
      <span>
        <span className="mono">{formatBytes(info?.diskFreeBytes)}</span> free
      </span>
      <span
        title={info === undefined ? undefined : `Every connection Pairlab can make:\n${info.connections.join('\n')}`}
      >
        <Lock className="icon icon-s" aria-hidden="true" /> Offline
      </span>
    </footer>
  )
}
