import type { ImportJob } from '../../../shared/contract/datasets.ts'
import type { DatasetId, JobId } from '../../../shared/domain.ts'
import { AppError } from '../../../shared/errors.ts'
import { KIND_WORDS } from '../../../shared/kind-words.ts'
import type { Client } from '../../../shared/rpc.ts'
import { formatBytes, formatCount, formatDuration } from '../../../shared/units.ts'
import { nullIfUnknown } from './connect.ts'

/** What begins an import, and what it made where it was there already. Called again, it makes nothing twice. */
export type BeginImport = () => Promise<{
  readonly jobId: ImportJob['jobId'] | null
  readonly datasetId: DatasetId | null
}>

/** Begins an import and waits for it, telling how far it is. One that went with the process it ran in begins again. */
export async function followImport(
  client: Client,
  begin: BeginImport,
  tell: (text: string) => void,
): Promise<DatasetId> {
  for (;;) {
    const { jobId, datasetId } = await begin()
    const made = jobId === null ? datasetId : await untilImported(client, jobId, tell)
    if (made !== null) return made
  }
}

/** Null when nobody knows the import any more. */
async function untilImported(client: Client, jobId: JobId, tell: (text: string) => void): Promise<DatasetId | null> {
  let toldMs = Date.now()
  for (;;) {
    const job = await nullIfUnknown(client.call('datasets.importJob', { jobId }))
    if (job === null) return null
    if (job.state === 'finished') return job.datasetId
    if (job.state === 'failed')
      throw new AppError({
        code: job.error?.code ?? 'dataset-invalid',
        message: job.error?.message ?? 'The import failed.',
        hint: job.error?.hint ?? 'Look at the file with `pairlab inspect`.',
        ...(job.error?.leftOut == null ? {} : { details: { leftOut: job.error.leftOut } }),
      })
    if (job.state === 'cancelled')
      throw new AppError({
        code: 'cancelled',
        message: 'The import was cancelled; nothing was kept.',
        hint: 'Start it again when you like.',
      })
    if (Date.now() - toldMs > 2000) {
      toldMs = Date.now()
      tell(describeProgress(job))
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

function describeProgress({ kind, bytesRead, totalBytes, rowsKept, startedAtMs, remainingMs }: ImportJob): string {
  if (totalBytes === 0)
    return `${formatCount(rowsKept)} ${KIND_WORDS[kind].items} after ${formatDuration(Date.now() - startedAtMs)}`
  const left = remainingMs === null ? '' : `, ${formatDuration(remainingMs)} left`
  return `${formatBytes(bytesRead)} of ${formatBytes(totalBytes)}, ${formatCount(rowsKept)} rows${left}`
}
