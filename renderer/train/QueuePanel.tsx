import type { ReactNode } from 'react'
import { ArrowDown, ArrowUp, Pause, Play, X } from 'lucide-react'
import { Link } from 'wouter'
import type { RunSummary } from '../../shared/contract/runs.ts'
import { isLive } from '../../shared/domain.ts'
import { useMutate } from '../api/queries.ts'
import { useSettings } from '../api/settings.ts'
import { Button } from '../parts/Button.tsx'
import { formatDuration } from '../../shared/units.ts'
import { Section } from '../parts/Panel.tsx'
import { ProgressBar } from '../parts/ProgressBar.tsx'
import { StatusMark } from '../parts/StatusMark.tsx'
import { showToast } from '../parts/toast.tsx'

/** What trains now and what waits, in order. */
export function QueuePanel({ runs }: { readonly runs: readonly RunSummary[] }): ReactNode {
  const paused = useSettings()?.queuePaused === true
  const fail = (error: Error): void => showToast(error.message, { tone: 'bad' })
  const pause = useMutate('queue.pause', { invalidate: ['settings.get'], onError: fail })
  const move = useMutate('queue.move', { invalidate: ['runs.list'], onError: fail })
  const stop = useMutate('runs.stop', { invalidate: ['runs.list'], onError: fail })
  const live = runs.filter((run) => isLive(run.state))
  const waiting = runs
    .filter((run) => run.state === 'queued')
    .toSorted((one, two) => (one.queuePosition ?? 0) - (two.queuePosition ?? 0))
  return (
    <Section
      title="Queue"
      note={waiting.length === 0 ? undefined : `${waiting.length} waiting`}
      actions={
        <Button small look="quiet" icon={paused ? Play : Pause} onClick={() => pause.mutate({ paused: !paused })}>
          {paused ? 'Go on' : 'Pause queue'}
        </Button>
      }
    >
      {paused ? <p className="small warn">Paused: nothing starts before it goes on.</p> : null}
      {live.length + waiting.length === 0 ? (
        <p className="small text-3">Empty. A run that is started begins at once.</p>
      ) : null}
      <ul className="queue">
        {live.map((run) => (
          <li key={run.runId}>
            <div className="queue-line">
              <StatusMark run={run} />
              <Link href={`/runs/${run.runId}`} className="mono ellipsis grow">
                {run.name} <span className="text-3">s{run.seed}</span>
              </Link>
              <span className="mono text-2 nowrap">
                {run.remainingMs === null ? run.phase : `${formatDuration(run.remainingMs)} left`}
              </span>
            </div>
            <ProgressBar
              value={run.totalSteps > 0 ? run.step / run.totalSteps : null}
              label={`Progress of ${run.name}`}
            />
          </li>
        ))}
        {waiting.map((run, at) => (
          <li key={run.runId}>
            <div className="queue-line">
              <StatusMark run={run} />
              <Link href={`/runs/${run.runId}`} className="mono ellipsis grow">
                {run.name} <span className="text-3">s{run.seed}</span>
              </Link>
              <Button
                small
                look="quiet"
                icon={ArrowUp}
                aria-label={`Move ${run.name}, seed ${run.seed}, up`}
                disabled={at === 0}
                onClick={() => move.mutate({ runId: run.runId, position: at })}
              />
              <Button
                small
                look="quiet"
                icon={ArrowDown}
                aria-label={`Move ${run.name}, seed ${run.seed}, down`}
                disabled={at === waiting.length - 1}
                onClick={() => move.mutate({ runId: run.runId, position: at + 2 })}
              />
              <Button
                small
                look="quiet"
                icon={X}
                aria-label={`Take ${run.name}, seed ${run.seed}, out of the queue`}
                onClick={() => stop.mutate({ runId: run.runId, mode: 'stop' })}
              />
            </div>
          </li>
        ))}
      </ul>
    </Section>
  )
}
