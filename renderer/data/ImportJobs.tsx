import type { ReactNode } from 'react'
import { useCall, useMutate } from '../api/queries.ts'
import { Button } from '../parts/Button.tsx'
import { LeftOutList } from '../parts/LeftOutList.tsx'
import { ProgressBar } from '../parts/ProgressBar.tsx'
import { Say } from '../parts/Say.tsx'
import { formatBytes, formatCount, formatDuration } from '../../shared/units.ts'

/** Imports in progress, and the last ones that did not end well. */
export function ImportJobs(): ReactNode {
  const { data } = useCall('datasets.importJobs', {})
  const cancel = useMutate('datasets.cancelImport', { invalidate: ['datasets.importJobs'] })
  const shown = (data ?? []).filter((job) => job.state === 'running' || job.state === 'failed')
  if (shown.length === 0) return null
  return (
    <ul className="col plain-list">
      {shown.map((job) => (
        <li key={job.jobId}>
          {job.state === 'failed' ? (
            <Say tone="bad">
              <b>{job.name} was not imported.</b> {job.error?.message} {job.error?.hint}
              {job.error?.leftOut == null ? null : <LeftOutList found={job.error.leftOut} />}
            </Say>
          ) : (
            <div className="row">
              <b>{job.name}</b>
              <span className="grow">
                <ProgressBar
                  label={`Import of ${job.name}`}
                  value={job.totalBytes === 0 ? null : job.bytesRead / job.totalBytes}
                />
              </span>
              <span className="small mono text-2">
                {formatBytes(job.bytesRead)} of {formatBytes(job.totalBytes)}, {formatCount(job.rowsKept)} rows
                {job.rowsRejected > 0 ? `, ${formatCount(job.rowsRejected)} left out` : ''}
                {job.remainingMs === null ? '' : `, ${formatDuration(job.remainingMs)} left`}
              </span>
              <Button small onClick={() => cancel.mutate({ jobId: job.jobId })}>
                Cancel
              </Button>
            </div>
          )}
        </li>
      ))}
    </ul>
  )
}
