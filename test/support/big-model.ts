import { makeModelFolder } from './model-folder.ts'
import type { App } from '../../main/app/app.ts'
import { presetConfig, parameterCount, type DecoderConfig } from '../../main/core/learn/models/decoder.ts'
import type { RunRequestInput } from '../../shared/run-spec.ts'
import { inProcess } from '../../shared/rpc.ts'
import { waitUntil } from './make-app.ts'
import { importTiny, tinyRequest } from './tiny-app.ts'

/** A Llama of random weights, untied so that both tables are held. */
export function bigConfig(
  size: Pick<DecoderConfig, 'layers' | 'hidden' | 'heads' | 'feedForward' | 'vocabSize'>,
): DecoderConfig {
  return {
    ...presetConfig('nano', size.vocabSize),
    ...size,
    kvHeads: size.heads,
    headDim: size.hidden / size.heads,
    tiedEmbeddings: false,
  }
}

export interface LoraMemory {
  /** Of the weights as float32. */
  readonly weightBytes: number
  /** Largest resident memory of the training process, from its start to after its last checkpoint. */
  readonly peakBytes: number
  readonly state: string
  readonly runId: string
  readonly modelId: string
}

/** Makes the folder, adds it by link, and trains adapters beside it in a real training process. */
export async function trainLoraOn(
  app: App,
  folder: string,
  config: DecoderConfig,
  changes: Partial<RunRequestInput> = {},
): Promise<LoraMemory> {
  await makeModelFolder(folder, 7, config)
  return trainLoraBeside(app, folder, config, changes)
}

/** The same beside a model that is there. @param folder or a GGUF file */
export async function trainLoraBeside(
  app: App,
  folder: string,
  config: DecoderConfig,
  changes: Partial<RunRequestInput> = {},
): Promise<LoraMemory> {
  const client = inProcess(app.handlers)
  const { jobId } = await client.call('models.add', { source: { kind: 'folder', path: folder, place: 'link' } })
  await waitUntil('the model', async () => (await client.call('models.addJob', { jobId })).state !== 'running')
  const { modelId, error } = await client.call('models.addJob', { jobId })
  if (modelId === null) throw new Error(error?.message ?? 'the model was not added')
  const datasetId = await importTiny(client, app.dataFolder)
  const training = {
    adapt: 'lora',
    steps: 10,
    batchSize: 4,
    microBatchSize: 4,
    maxLength: 64,
    evalEvery: 5,
    evalPairs: 4,
    checkpointEvery: 5,
    samplePrompts: 1,
    sampleTokens: 4,
  } as const
  const request = tinyRequest(datasetId, {
    method: 'dpo',
    training,
    model: { kind: 'registered', modelId },
    engine: 'wasm',
    ...changes,
  })
  const runId = (await client.call('runs.start', { request })).runIds[0]!
  let state = 'queued'
  await waitUntil(
    'the run',
    async () => {
      state = (await client.call('runs.get', { runId })).state
      return ['finished', 'failed', 'lost', 'cancelled', 'interrupted'].includes(state)
    },
    3_600_000,
  )
  const run = await client.call('runs.get', { runId })
  return {
    weightBytes: 4 * parameterCount(config),
    peakBytes: Number(run.facts['peakBytes'] ?? 0),
    state: run.error === null ? state : `${state}: ${run.error.message}`,
    runId,
    modelId,
  }
}
