import type { ReactNode } from 'react'
import type { CollectJob } from '../../shared/contract/segments.ts'
import { formatDuration } from '../../shared/units.ts'
import { useCall, useMutate } from '../api/queries.ts'
import { Button } from '../parts/Button.tsx'
import { ProgressBar } from '../parts/ProgressBar.tsx'
import { Say } from '../parts/Say.tsx'

const PHASES: Readonly<Record<CollectJob['phase'], string>> = {
  starting: 'starting',
  acting: 'acting',
  judging: 'judging',
  writing: 'writing',
}

/** Collections in progress, and the last ones that did not end well. */
export function CollectJobs(): ReactNode {
  const { data } = useCall('segments.collectJobs', {})
  const shown = (data ?? []).filter((job) => ['waiting', 'running', 'failed'].includes(job.state))
  if (shown.length === 0) return null
  return (
    <ul className="col plain-list">
      {shown.map((job) => (
        <li key={job.jobId}>
          <CollectProgress job={job} />
        </li>
      ))}
    </ul>
  )
}

/** How far a collection is, and its end; why it failed. */
export function CollectProgress({ job }: { readonly job: CollectJob }): ReactNode {
  const cancel = useMutate('segments.cancelCollecting', { invalidate: ['segments.collectJobs'] })
  if (job.state === 'failed')
    return (
      <Say tone="bad">
        <b>{job.name} was not collected.</b> {job.error?.message} {job.error?.hint}
      </Say>
    )
  const share = job.total === 0 ? 0 : job.done / job.total
  return (
    <div className="row">
      <b className="ellipsis">{job.name}</b>
      <span className="grow">
        <ProgressBar label={`Collection of ${job.name}`} value={job.state === 'waiting' ? 0 : share} />
      </span>
      <span className="small mono text-2 nowrap">
        {job.state === 'waiting' ? 'waits for the one before it' : PHASES[job.phase]}
        {job.state === 'running' ? `, ${Math.floor(100 * share)} %` : ''}
        {job.remainingMs === null ? '' : `, ${formatDuration(job.remainingMs)} left`}
      </span>
      <Button small onClick={() => cancel.mutate({ jobId: job.jobId })}>
        Cancel
      </Button>
    </div>
  )
}
