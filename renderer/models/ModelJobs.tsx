import type { ReactNode } from 'react'
import type { ModelJob } from '../../shared/contract/models.ts'
import { formatBytes, formatDuration } from '../../shared/units.ts'
import { useCall, useMutate } from '../api/queries.ts'
import { Button } from '../parts/Button.tsx'
import { ProgressBar } from '../parts/ProgressBar.tsx'
import { Say } from '../parts/Say.tsx'

/** Additions in progress, and those that did not end well. */
export function ModelJobs(): ReactNode {
  const jobs = useCall('models.addJobs', {}).data ?? []
  const shown = jobs.filter((job) => job.state === 'running' || job.state === 'failed')
  if (shown.length === 0) return null
  return (
    <ul className="col plain-list" aria-label="Models being added">
      {shown.map((job) => (
        <li key={job.jobId}>
          <JobLine job={job} />
        </li>
      ))}
    </ul>
  )
}

export function JobLine({ job }: { readonly job: ModelJob }): ReactNode {
  const cancel = useMutate('models.cancelAdd', { invalidate: ['models.addJobs', 'models.addJob'] })
  if (job.state === 'failed')
    return (
      <Say tone="bad">
        <b>{job.name} was not added.</b> {job.error?.message} {job.error?.hint}
      </Say>
    )
  return (
    <div className="row">
      <b className="ellipsis">{job.name}</b>
      <span className="grow">
        <ProgressBar
          label={`${job.phase} ${job.name}`}
          value={job.totalBytes === 0 ? null : job.bytesDone / job.totalBytes}
        />
      </span>
      <span className="small mono text-2 nowrap">
        {job.phase === 'copying' ? 'copying' : 'reading for its hash'}, {formatBytes(job.bytesDone)} of{' '}
        {formatBytes(job.totalBytes)}
        {job.remainingMs === null ? '' : `, ${formatDuration(job.remainingMs)} left`}
      </span>
      <Button small disabled={cancel.isPending} onClick={() => cancel.mutate({ jobId: job.jobId })}>
        Cancel
      </Button>
    </div>
  )
}
