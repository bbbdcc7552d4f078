import type { ReactNode } from 'react'
import type { RunSummary } from '../../shared/contract/runs.ts'
import { formatCount } from '../../shared/units.ts'
import { useMutate } from '../api/queries.ts'
import { Button } from '../parts/Button.tsx'
import { Dialog } from '../parts/Dialog.tsx'
import { showToast } from '../parts/toast.tsx'

/** Before steps are thrown away: what would be lost, and the way that loses nothing. */
export function StopDialog({ run, onClose }: { readonly run: RunSummary; onClose(): void }): ReactNode {
  const stop = useMutate('runs.stop', {
    invalidate: ['runs.list', 'runs.get'],
    onError: (error) => showToast(error.message, { tone: 'bad' }),
    onSuccess: onClose,
  })
  return (
    <Dialog
      title={`Stop ${run.name} without saving?`}
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>Go on</Button>
          <Button disabled={stop.isPending} onClick={() => stop.mutate({ runId: run.runId, mode: 'stop-and-save' })}>
            Save, then stop
          </Button>
          <Button
            look="danger"
            disabled={stop.isPending}
            onClick={() => stop.mutate({ runId: run.runId, mode: 'stop' })}
          >
            Stop without saving
          </Button>
        </>
      }
    >
      <p>
        It is at step <span className="mono">{formatCount(run.step)}</span> of{' '}
        <span className="mono">{formatCount(run.totalSteps)}</span>. What it learned since its last checkpoint would be
        lost; the checkpoints that are there stay.
      </p>
    </Dialog>
  )
}
