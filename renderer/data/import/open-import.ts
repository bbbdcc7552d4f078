import type { Output } from '../../../shared/contract.ts'
import { takeDrop } from '../../api/given-folder.ts'
import { goTo } from '../../frame/location.ts'

/** The page on which a file or a folder is looked at before it is imported. */
export function openImport(path: string): void {
  goTo(`/data?import=${encodeURIComponent(path)}`)
}

/** Where a sample is seen: the data set, or the import that makes it, which the data set follows. */
export function samplePlace({ datasetId, jobId }: Output<'samples.open'>): string {
  if (datasetId !== null) return `/data/${datasetId}`
  return jobId === null ? '/data' : `/data?opening=${jobId}`
}

/** Opens that page for what was dropped; null where it was no file. @param onSent how many files of a folder are sent */
export function importDrop(
  transfer: DataTransfer,
  onSent: (sent: number, of: number) => void = () => undefined,
): Promise<void> | null {
  return takeDrop(transfer)?.(onSent).then(openImport) ?? null
}
