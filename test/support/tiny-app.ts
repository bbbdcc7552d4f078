import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { toText } from '../../shared/data-kinds.ts'
import { ENDED_STATES, type RunId, type RunState } from '../../shared/domain.ts'
import type { Client } from '../../shared/rpc.ts'
import type { RunRequestInput } from '../../shared/run-spec.ts'
import type { TrainingChanges } from '../../shared/training-config.ts'
import { waitUntil } from './make-app.ts'
import { tinyRows } from './tiny-run.ts'

/** Imports a few dozen pairs of short answers. */
export async function importTiny(client: Client, folder: string): Promise<string> {
  const file = path.join(folder, 'tiny.jsonl')
  writeFileSync(
    file,
    tinyRows(40, 0, 0)
      .map((row) => {
        const [chosen, rejected] = row.preferenceA! >= 0.5 ? [row.a, row.b] : [row.b, row.a]
        return `${JSON.stringify({ prompt: `${toText(row.prompt)} ${row.pairId}`, chosen, rejected })}\n`
      })
      .join(''),
  )
  const { jobId } = await client.call('datasets.import', { path: file, name: 'Tiny' })
  await waitUntil('the import', async () => (await client.call('datasets.importJob', { jobId })).state !== 'running')
  const job = await client.call('datasets.importJob', { jobId })
  if (job.datasetId === null) throw new Error(`the import ended as ${job.state}: ${job.error?.message ?? ''}`)
  return job.datasetId
}

export const TINY_TRAINING: TrainingChanges = {
  steps: 8,
  batchSize: 4,
  microBatchSize: 4,
  maxLength: 24,
  evalEvery: 4,
  checkpointEvery: 4,
  samplePrompts: 2,
  sampleTokens: 4,
}

export function tinyRequest(datasetId: string, changes: Partial<RunRequestInput> = {}): RunRequestInput {
  return {
    method: 'sft',
    training: TINY_TRAINING,
    model: { kind: 'new', preset: 'nano', tokenizer: { kind: 'byte' } },
    data: { datasetId: datasetId as never }, // an id from the import
    ...changes,
  }
}

export async function waitForState(
  client: Client,
  runId: RunId,
  states: readonly RunState[] = ENDED_STATES,
): Promise<RunState> {
  let state: RunState = 'queued'
  await waitUntil(`run ${runId} to be ${states.join(' or ')}`, async () => {
    state = (await client.call('runs.get', { runId })).state
    return states.includes(state)
  })
  return state
}
