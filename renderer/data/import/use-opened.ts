import { useEffect } from 'react'
import type { ImportJob } from '../../../shared/contract/datasets.ts'
import { goTo } from '../../frame/location.ts'

/** The data set opens as soon as it is there, and says that it has just come in. */
export function useOpened(job: ImportJob | undefined): void {
  const made = job?.state === 'finished' ? job.datasetId : null
  const jobId = job?.jobId
  const isCancelled = job?.state === 'cancelled'
  useEffect(() => {
    if (made !== null && jobId !== undefined) goTo(`/data/${made}?imported=${jobId}`)
    else if (isCancelled) goTo('/data')
  }, [made, jobId, isCancelled])
}
