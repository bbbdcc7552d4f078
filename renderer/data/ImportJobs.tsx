import type { ReactNode } from 'react'
import { useCall } from '../api/queries.ts'
import { ImportFailure, ImportProgress } from './import/ImportProgress.tsx'

/** Imports in progress, and the last ones that did not end well. */
export function ImportJobs(): ReactNode {
  const { data } = useCall('datasets.importJobs', {})
  const shown = (data ?? []).filter((job) => job.state === 'running' || job.state === 'failed')
  if (shown.length === 0) return null
  return (
    <ul className="col plain-list">
      {shown.map((job) => (
        <li key={job.jobId}>{job.state === 'failed' ? <ImportFailure job={job} /> : <ImportProgress job={job} />}</li>
      ))}
    </ul>
  )
}
