import { type ReactNode } from 'react'
import type { RunDetail } from '../../shared/contract/runs.ts'
import { useMutate } from '../api/queries.ts'
import { goTo } from '../frame/location.ts'
import { Button } from '../parts/Button.tsx'
import { Dialog } from '../parts/Dialog.tsx'
import { formatBytes } from '../../shared/units.ts'
import { showToast } from '../parts/toast.tsx'

/** Asks before a run goes to the trash. */
export function DeleteDialog({ run, onClose }: { readonly run: RunDetail; onClose(): void }): ReactNode {
  const remove = useMutate('runs.delete', {
    invalidate: ['runs.list'],
    onSuccess() {
      showToast(`${run.name} is in the trash.`)
      goTo('/runs')
    },
    onError: (error) => showToast(error.message, { tone: 'bad' }),
  })
  return (
    <Dialog
      title={`Delete ${run.name}?`}
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>Keep it</Button>
          <Button look="danger" disabled={remove.isPending} onClick={() => remove.mutate({ runId: run.runId })}>
            Move to the trash
          </Button>
        </>
      }
    >
      <p>
        Its folder, <span className="mono">{formatBytes(run.diskBytes)}</span> with {run.checkpoints.length}{' '}
        checkpoints, moves to the data folder’s <code>trash</code>. Runs that started from it keep their own weights.
      </p>
    </Dialog>
  )
}
