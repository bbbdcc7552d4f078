import type { ReactNode } from 'react'
import { Hourglass, Pause } from 'lucide-react'
import { AppError, fromWire } from '../../shared/errors.ts'
import type { RunDetail } from '../../shared/contract/runs.ts'
import { useMutate } from '../api/queries.ts'
import { useSettings } from '../api/settings.ts'
import { Button } from '../parts/Button.tsx'
import { EmptyState, ErrorNotice } from '../parts/states.tsx'
import { showToast } from '../parts/toast.tsx'

/** The readable cause first: above everything else, with what to do. */
export function RunTrouble({ run }: { readonly run: RunDetail }): ReactNode {
  const error = run.error === null ? silent(run) : fromWire(run.error)
  return error === null ? null : <div className="run-trouble"><ErrorNotice error={error} /></div>
}

function silent(run: RunDetail): AppError | null {
  if (run.state === 'lost') {
    return new AppError({ code: 'trainer-failed', message: 'The training process fell silent and is gone.', hint: run.resumable ? 'Resume goes on from the last checkpoint.' : 'There is no checkpoint yet: clone the run and start again.' })
  }
  return null
}

/** What stands where the charts will be, until there is a point to draw. */
export function RunWaits({ run }: { readonly run: RunDetail }): ReactNode {
  const settings = useSettings()
  const changes = { invalidate: ['runs.list', 'runs.get'] as const, onError: (error: Error) => showToast(error.message, { tone: 'bad' }) }
  const move = useMutate('queue.move', changes)
  const stop = useMutate('runs.stop', changes)
  const pause = useMutate('queue.pause', { ...changes, invalidate: ['settings.get'] })
  if (run.state === 'queued') {
    const place = run.queuePosition ?? 1
    return (
      <EmptyState
        icon={settings?.queuePaused === true ? Pause : Hourglass}
        title={settings?.queuePaused === true ? 'The queue is paused' : `Waiting, place ${place} in the queue`}
        text={settings?.queuePaused === true ? 'No run starts before it goes on.' : 'It starts by itself when a slot is free.'}
        action={
          <>
            {settings?.queuePaused === true ? <Button look="primary" onClick={() => pause.mutate({ paused: false })}>Go on with the queue</Button> : null}
            {place > 1 ? <Button onClick={() => move.mutate({ runId: run.runId, position: 1 })}>Move to the front</Button> : null}
            <Button onClick={() => stop.mutate({ runId: run.runId, mode: 'stop' })}>Take it out of the queue</Button>
          </>
        }
      />
    )
  }
  if (run.state === 'starting') {
    const phases: Readonly<Record<string, string>> = {
      loading: 'Reading the data', tokenizer: 'Training the tokenizer', reference: 'Scoring the data with the reference', rewards: 'Scoring the data with the reward', saving: 'Saving',
    }
    return <EmptyState icon={Hourglass} title={phases[run.phase] ?? 'Starting'} text="The curves appear with the first step. The log below tells what happens." action={<Button onClick={() => stop.mutate({ runId: run.runId, mode: 'stop' })}>Stop</Button>} />
  }
  return <EmptyState title="This run has no curves" text="It ended before its first step." action={<a className="btn btn-normal" href={`#/train?from=${run.runId}`}>Clone with other settings</a>} />
}
