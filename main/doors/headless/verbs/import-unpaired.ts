import { randomUUID } from 'node:crypto'
import type { Client } from '../../../../shared/rpc.ts'
import { formatCount } from '../../../../shared/units.ts'
import { reportImport } from '../report-import.ts'
import type { Output } from '../output.ts'
import { resolveGiven } from '../../../base/files/given-path.ts'

/** Whether the names of the columns say so; a file that cannot be read is told of by the import. */
export async function holdsSingleAnswers(client: Client, file: string): Promise<boolean> {
  if (/^sample(:|$)/.test(file)) return false
  const found = await client.call('datasets.inspect', { path: resolveGiven(file), limit: 1 }).catch(() => null)
  return found != null && found.unpaired !== null
}

export async function importUnpaired(
  client: Client,
  file: string,
  options: { readonly name?: string; readonly licence?: string },
  out: Output,
): Promise<void> {
  const { datasetId } = await client.call('unpaired.import', {
    path: resolveGiven(file),
    name: options.name ?? '',
    licence: options.licence ?? null,
    clientKey: randomUUID(),
  })
  const detail = await client.call('datasets.get', { datasetId })
  await reportImport(client, detail, out, {
    counts: `${formatCount(detail.itemCount)} single answers to ${formatCount(detail.promptCount)} prompts, ${formatCount(detail.balance.a)} good, ${formatCount(detail.balance.b)} bad, ${formatCount(detail.balance.unlabeled)} without a label`,
    next: `pairlab label ${detail.datasetId} --annotator <name>   or   pairlab train kto --data ${detail.datasetId}`,
  })
}
