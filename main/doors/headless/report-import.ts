import type { DatasetSummary } from '../../../shared/contract/datasets.ts'
import type { Client } from '../../../shared/rpc.ts'
import { formatCount } from '../../../shared/units.ts'
import { describeImport, readImportOutcome } from './import-outcome.ts'
import type { Output } from './output.ts'

interface ImportWords {
  /** What the data set holds, in one line. */
  readonly counts: string
  /** The command that goes on from here. */
  readonly next: string
  /** What the file is made of; rows if nothing is said. */
  readonly of?: string
}

/** An import's answer. */
export async function reportImport(
  client: Client,
  detail: DatasetSummary,
  out: Output,
  { counts, next, of = 'rows' }: ImportWords,
): Promise<void> {
  const outcome = await readImportOutcome(client, detail)
  const leftOut = `${formatCount(detail.rejectedRowCount)} ${of} left out, ${formatCount(detail.warningCount)} warnings`
  const ends = [`Id ${detail.datasetId}, fingerprint ${detail.fingerprint.slice(0, 12)}`, `Next: ${next}`]
  out.result({ ...detail, ...outcome }, describeImport(`${detail.name}: ${counts}; ${leftOut}`, outcome, ends))
}
