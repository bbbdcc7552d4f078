import type { DatasetDetail, DatasetSummary } from '../../../shared/contract/datasets.ts'
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

/** An import's answer, in the words of what the data set holds. */
export async function reportDataset(client: Client, detail: DatasetDetail, out: Output): Promise<void> {
  await reportImport(client, detail, out, await wordsOf(client, detail))
}

async function wordsOf(client: Client, detail: DatasetDetail): Promise<ImportWords> {
  const { datasetId, kind, itemCount, promptCount, labelCount, labeledCount, balance } = detail
  const { train, validation, test } = detail.split.counts
  const sides = `(${train} to train on, ${validation} to validate, ${test} to test)`
  switch (kind) {
    case 'response-pairs':
      return {
        counts: `${formatCount(itemCount)} pairs, ${formatCount(promptCount)} prompts, ${formatCount(labelCount)} labels`,
        next: `pairlab label ${datasetId}   or   pairlab train dpo --data ${datasetId}`,
      }
    case 'unpaired-responses':
      return {
        counts: `${formatCount(itemCount)} single answers to ${formatCount(promptCount)} prompts, ${formatCount(balance.a)} good, ${formatCount(balance.b)} bad, ${formatCount(balance.unlabeled)} without a label`,
        next: `pairlab label ${datasetId} --annotator <name>   or   pairlab train kto --data ${datasetId}`,
      }
    case 'contrast-groups':
      return {
        counts: `${formatCount(itemCount)} items ${sides}`,
        of: 'lines',
        next: `pairlab train language-model --data ${datasetId}   then   pairlab train grace --data ${datasetId} --model run:<its id>`,
      }
    case 'segment-pairs':
      return {
        counts: `${formatCount(itemCount)} pairs of segments, ${formatCount(labeledCount)} judged`,
        of: 'lines',
        next: `pairlab train cpl --data ${datasetId}`,
      }
    case 'rankings': {
      const { documents } = await client.call('rankings.collection', { datasetId })
      return {
        counts: `${formatCount(itemCount)} queries ${sides}, ${documents === 0 ? 'documents as features' : `${formatCount(documents)} documents`}`,
        next: `pairlab train infonce --data ${datasetId} --model networks --preset features`,
      }
    }
  }
}

async function reportImport(
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
