import { useState, type ReactNode } from 'react'
import { Hourglass, Pause } from 'lucide-react'
import { AppError, fromWire } from '../../shared/errors.ts'
import type { RunDetail } from '../../shared/contract/runs.ts'
import { isLive } from '../../shared/domain.ts'
import { useMutate } from '../api/queries.ts'
import { useSettings } from '../api/settings.ts'
import { Button } from '../parts/Button.tsx'
import { EmptyState, ErrorNotice } from '../parts/states.tsx'
import { showToast } from '../parts/toast.tsx'
import { StopDialog } from './StopDialog.tsx'
import { waitingWords } from './waiting-words.ts'

/** The readable cause first: above everything else, with what to do. */
export function RunTrouble({ run }: { readonly run: RunDetail }): ReactNode {
  const error = run.error === null ? silent(run) : fromWire(run.error)
  return error === null ? null : (
    <div className="run-trouble">
      <ErrorNotice error={error} />
    </div>
  )
}

function silent(run: RunDetail): AppError | null {
  if (run.state === 'lost') {
    return new AppError({
      code: 'trainer-failed',
      message: 'The training process fell silent and is gone.',
      hint: run.resumable
        ? 'Resume goes on from the last checkpoint.'
        : 'There is no checkpoint yet: clone the run and start again.',
    })
  }
  return null
}

/** What stands where the charts will be, until there is a point to draw. */
export function RunWaits({ run }: { readonly run: RunDetail }): ReactNode {
  const settings = useSettings()
  const [stopping, setStopping] = useState(false)
  const changes = {
    invalidate: ['runs.list', 'runs.get'] as const,
    onError: (error: Error) => showToast(error.message, { tone: 'bad' }),
  }
  const move = useMutate('queue.move', changes)
  const stop = useMutate('runs.stop', changes)
  const pause = useMutate('queue.pause', { ...changes, invalidate: ['settings.get'] })
  const paused = settings?.queuePaused === true
  const words = waitingWords(run, paused)
  const stopNow = (): void => stop.mutate({ runId: run.runId, mode: 'stop' })
  if (run.state === 'queued') {
    return (
      <EmptyState
        icon={paused ? Pause : Hourglass}
        {...words}
        action={
          <>
            {paused ? (
              <Button look="primary" onClick={() => pause.mutate({ paused: false })}>
                Go on with the queue
              </Button>
            ) : null}
            {(run.queuePosition ?? 1) > 1 ? (
              <Button onClick={() => move.mutate({ runId: run.runId, position: 1 })}>Move to the front</Button>
            ) : null}
            <Button onClick={stopNow}>Take it out of the queue</Button>
          </>
        }
      />
    )
  }
  if (isLive(run.state))
    return (
      <EmptyState
        icon={Hourglass}
        {...words}
        action={
          <>
            <Button onClick={() => setStopping(true)}>Stop …</Button>
            {stopping ? <StopDialog run={run} onClose={() => setStopping(false)} /> : null}
          </>
        }
      />
    )
  return (
    <EmptyState
      {...words}
      action={
        <a className="btn btn-normal" href={`#/train?from=${run.runId}`}>
          Clone with other settings
        </a>
      }
    />
  )
}
