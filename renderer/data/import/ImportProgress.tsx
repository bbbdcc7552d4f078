import type { ReactNode } from 'react'
import type { ImportJob } from '../../../shared/contract/datasets.ts'
import { KIND_WORDS } from '../../../shared/kind-words.ts'
import { formatBytes, formatCount, formatDuration } from '../../../shared/units.ts'
import { useMutate } from '../../api/queries.ts'
import { Button } from '../../parts/Button.tsx'
import { LeftOutList } from '../../parts/LeftOutList.tsx'
import { ProgressBar } from '../../parts/ProgressBar.tsx'
import { Say } from '../../parts/Say.tsx'

/** How far an import is, and the way to end it. */
export function ImportProgress({ job }: { readonly job: ImportJob }): ReactNode {
  const cancel = useMutate('datasets.cancelImport', { invalidate: ['datasets.importJobs'] })
  const { name, kind, bytesRead, totalBytes, rowsKept, rowsRejected, remainingMs } = job
  return (
    <div className="row">
      <b>{name}</b>
      <span className="grow">
        <ProgressBar label={`Import of ${name}`} value={totalBytes === 0 ? null : bytesRead / totalBytes} />
      </span>
      <span className="small mono text-2">
        {totalBytes === 0
          ? `${formatCount(rowsKept)} ${KIND_WORDS[kind].items} so far`
          : `${formatBytes(bytesRead)} of ${formatBytes(totalBytes)}, ${formatCount(rowsKept)} rows`}
        {rowsRejected > 0 ? `, ${formatCount(rowsRejected)} left out` : ''}
        {remainingMs === null ? '' : `, ${formatDuration(remainingMs)} left`}
      </span>
      <Button small disabled={cancel.isPending} onClick={() => cancel.mutate({ jobId: job.jobId })}>
        Cancel
      </Button>
    </div>
  )
}

/** Why nothing was imported. */
export function ImportFailure({ job: { name, error } }: { readonly job: ImportJob }): ReactNode {
  return (
    <Say tone="bad">
      <b>{name} was not imported.</b> {error?.message} {error?.hint}
      {error?.leftOut == null ? null : <LeftOutList found={error.leftOut} />}
    </Say>
  )
}
