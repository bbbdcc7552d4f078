import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { embedPlain } from '../../main/core/learn/embed/contrast.ts'
import { decoderFrom } from '../../main/core/learn/models/decoder.ts'
import { decoderConfigOf } from '../../main/core/learn/models/hf-config.ts'
import { loadTokenizer } from '../../main/core/learn/tokens/tokenizer.ts'
import { tagsFormat } from '../../main/core/learn/tokens/tags-format.ts'
import { openModelFiles } from '../../main/core/models/checkpoint-files.ts'
import { embedWith, openEmbedder } from '../../main/core/models/embedder-folder.ts'
import { openAnyModel } from '../../main/core/models/folder.ts'
import { openEngine } from '../../main/workers/engine/choose.ts'
import type { RunId } from '../../shared/domain.ts'
import type { RunRequestInput } from '../../shared/run-spec.ts'
import { makeApp, waitUntil, type TestApp } from '../support/make-app.ts'
import { waitForState } from '../support/tiny-app.ts'
import { writeTexts } from '../support/tiny-files.ts'

const golden = fileURLToPath(new URL('../golden/models-encoders', import.meta.url))
const fixtures = fileURLToPath(new URL('../fixtures', import.meta.url))
const TEXTS = ['why does iron rust', 'Café 北京', 'a <user> and an end']

let root: string
let made: TestApp
beforeEach(async () => {
  root = mkdtempSync(path.join(tmpdir(), 'pairlab export ü '))
  made = await makeApp()
})
afterEach(async () => {
  await made.end()
  rmSync(root, { recursive: true, force: true })
})

async function trained(
  datasetId: string,
  method: string,
  model: RunRequestInput['model'],
  config: Record<string, unknown>,
  adapt: 'full' | 'lora' = 'full',
): Promise<RunId> {
  const training = {
    steps: 2,
    batchSize: 2,
    microBatchSize: 2,
    evalEvery: 0,
    checkpointEvery: 0,
    maxLength: 24,
    adapt,
    loraAlpha: 64,
  }
  const { runIds } = await made.client.call('runs.start', {
    request: {
      method,
      config: config as never,
      training: { ...training, learningRate: 1e-2 },
      model,
      data: { datasetId: datasetId as never },
    },
  })
  expect([
    await waitForState(made.client, runIds[0]!),
    (await made.client.call('runs.get', { runId: runIds[0]! })).error,
  ]).toEqual(['finished', null])
  return runIds[0]!
}

async function judged(): Promise<string> {
  cpSync(path.join(fixtures, 'beir_tiny'), path.join(root, 'tiny'), { recursive: true })
  writeFileSync(path.join(root, 'tiny/qrels/train.tsv'), 'query-id\tcorpus-id\tscore\nq9\td3\t1\n1\td1\t2\n')
  writeFileSync(path.join(root, 'tiny/qrels/test.tsv'), 'query-id\tcorpus-id\tscore\nq2\t4983\t1\n')
  return (await made.client.call('rankings.import', { path: path.join(root, 'tiny') })).datasetId
}

async function added(folder: string): Promise<RunRequestInput['model']> {
  const { client } = made
  const { jobId } = await client.call('models.add', { source: { kind: 'folder', path: folder, place: 'link' } })
  await waitUntil('the model', async () => (await client.call('models.addJob', { jobId })).state !== 'running')
  return { kind: 'registered', modelId: (await client.call('models.addJob', { jobId })).modelId! }
}

async function vectorsOf(folder: string): Promise<number[][]> {
  await openEngine('wasm')
  const opened = openEmbedder(folder)
  const { vectors, dim } = await embedWith(opened, TEXTS)
  opened.embedder.dispose()
  return TEXTS.map((_text, at) => [...vectors.subarray(at * dim, (at + 1) * dim)])
}

const checkpointOf = async (runId: RunId): Promise<string> =>
  (await made.client.call('runs.get', { runId })).checkpoints.at(-1)!.path

function expectClose(found: number[][], wanted: number[][]): void {
  expect(found.map((row) => row.length)).toEqual(wanted.map((row) => row.length))
  found.forEach((row, at) => row.forEach((value, i) => expect(value).toBeCloseTo(wanted[at]![i]!, 5)))
}

test.each(['full', 'lora'] as const)(
  'what a contrastive method trained (%s) is an embedder that gives the vectors it was measured by',
  async (adapt) => {
    const { client } = made
    const { datasetId } = await client.call('texts.import', { path: writeTexts(root, { train: 5, heldOut: 1 }) })
    const nano = { kind: 'new', preset: 'nano', tokenizer: { kind: 'byte' } } as const
    const runId = await trained(datasetId, 'contrastive', nano, { supervision: 'none' }, adapt)
    expect((await client.call('runs.get', { runId })).exportForms).toEqual([
      ...(adapt === 'lora' ? ['model', 'embedder', 'adapters'] : ['model', 'embedder']),
      'gguf-q8_0',
      'gguf-f16',
    ])
    const to = path.join(root, 'out ä')
    await client.call('runs.export', { runId, path: to, form: 'embedder' })
    const files = await openModelFiles(await checkpointOf(runId))
    await openEngine('wasm')
    const decoder = decoderFrom(decoderConfigOf(files.config), files.source)
    const tokenizer = loadTokenizer(files.tokenizer)
    const own = await embedPlain(
      {
        decoder,
        tokenizer,
        format: tagsFormat(tokenizer),
        maxLength: 24,
        random: () => null as never,
        breathe: async () => undefined,
      },
      TEXTS,
    )
    files.close()
    expectClose(
      await vectorsOf(to),
      own.map((row) => [...row]),
    )
    expect(JSON.parse(readFileSync(path.join(to, 'config_sentence_transformers.json'), 'utf8'))).toEqual({
      similarity_fn_name: 'cosine',
    })
    expect(readFileSync(path.join(to, 'README.md'), 'utf8')).toContain('library_name: sentence-transformers')
  },
)

test('an encoder that a ranker trained goes out as it came in, with its new weights, pooling and limit', async () => {
  const { client } = made
  const model = await added(path.join(golden, 'bert'))
  const runId = await trained(await judged(), 'infonce', model, { candidates: 3, negatives: 1, similarity: 'cosine' })
  expect((await client.call('runs.get', { runId })).exportForms).toEqual(['embedder'])
  const to = path.join(root, 'out')
  const { files } = await client.call('runs.export', { runId, path: to })
  expect(files).toEqual(
    expect.arrayContaining(['1_Pooling/config.json', 'README.md', 'model.safetensors', 'modules.json']),
  )
  const [before, checkpoint, after] = [path.join(golden, 'bert'), await checkpointOf(runId), to].map((at) =>
    openAnyModel(at, true),
  )
  const name = 'encoder.layer.0.output.dense.weight'
  expect(after!.read(name).data).toEqual(checkpoint!.read(name).data)
  expect(after!.read(name).data).not.toEqual(before!.read(name).data)
  // A pooler that nothing here reads is still there for those who do.
  expect(after!.readStored('pooler.dense.weight').data).toEqual(before!.readStored('pooler.dense.weight').data)
  for (const one of [before, checkpoint, after]) one!.close()
  for (const row of await vectorsOf(to)) expect(Math.hypot(...row)).toBeCloseTo(1, 5)
  expect(JSON.parse(readFileSync(path.join(to, 'sentence_bert_config.json'), 'utf8')).max_seq_length).toBe(24)
  // It is a model like any other: added again, and trained on.
  await trained(await judged(), 'pg-rank', await added(to), { candidates: 3, rankings: 2, listSize: 3 })
})

test('of a ranker’s adapters goes out the encoder with them merged, or they alone; a new run starts from that run', async () => {
  const { client } = made
  const model = await added(path.join(golden, 'bert'))
  const data = await judged()
  const config = { candidates: 3, negatives: 1, similarity: 'cosine' }
  const runId = await trained(data, 'infonce', model, config, 'lora')
  expect((await client.call('runs.get', { runId })).exportForms).toEqual(['embedder', 'adapters'])
  const [whole, beside] = [path.join(root, 'whole'), path.join(root, 'beside')]
  await client.call('runs.export', { runId, path: whole })
  const { files } = await client.call('runs.export', { runId, path: beside, form: 'adapters' })
  expect(files).toEqual(expect.arrayContaining(['adapter_config.json', 'adapter_model.safetensors', 'tokenizer.json']))
  const [before, merged] = [path.join(golden, 'bert'), whole].map((at) => openAnyModel(at, true))
  expect(merged!.read('encoder.layer.0.output.dense.weight').data).not.toEqual(
    before!.read('encoder.layer.0.output.dense.weight').data,
  )
  expect(merged!.read('embeddings.word_embeddings.weight').data).toEqual(
    before!.read('embeddings.word_embeddings.weight').data,
  )
  for (const one of [before, merged]) one!.close()
  await trained(data, 'pg-rank', { kind: 'run', runId }, { candidates: 3, rankings: 2, listSize: 3 }, 'lora')
  expect((await client.call('system.verify', {})).troubles).toEqual([])
})

test('a checkpoint that was damaged is named when it is exported, and its run can still be looked at', async () => {
  const { client } = made
  const runId = await trained(
    await judged(),
    'infonce',
    { kind: 'new', preset: 'nano', tokenizer: { kind: 'byte' } },
    { candidates: 3, negatives: 1 },
  )
  writeFileSync(path.join(await checkpointOf(runId), 'config.json'), '{"model_type": "pairlab-')
  expect((await client.call('runs.get', { runId })).exportForms).toEqual(['embedder'])
  const to = path.join(root, 'out')
  await expect(client.call('runs.export', { runId, path: to })).rejects.toMatchObject({
    code: 'spec-invalid',
    message: expect.stringContaining('config.json is not what was written'),
  })
  expect(existsSync(to)).toBe(false)
})

test('two exports to one place at the same moment: one is there whole, the other is refused', async () => {
  const { client } = made
  const nano = { kind: 'new', preset: 'nano', tokenizer: { kind: 'byte' } } as const
  const runId = await trained(await judged(), 'infonce', nano, { candidates: 3, negatives: 1 })
  const to = path.join(root, 'out', 'deeper')
  const ended = await Promise.allSettled([1, 2, 3].map(() => client.call('runs.export', { runId, path: to })))
  expect(ended.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  for (const one of ended)
    if (one.status === 'rejected')
      expect(one.reason).toMatchObject({ code: 'input-invalid', message: `${to} is not empty.` })
  await expect(vectorsOf(to)).resolves.toHaveLength(TEXTS.length)
  expect(readdirSync(path.dirname(to))).toEqual(['deeper'])
})

test('sentence-transformers opens it, and gives the same vectors', async ({ skip }) => {
  const python = process.env['PAIRLAB_PYTHON'] ?? 'python3'
  const has = spawnSync(python, [
    '-c',
    'import importlib.util, sys; sys.exit(importlib.util.find_spec("sentence_transformers") is None)',
  ])
  if (has.status !== 0) skip(`${python} has no sentence-transformers`)
  const { client } = made
  const nano = { kind: 'new', preset: 'nano', tokenizer: { kind: 'byte' } } as const
  const texts = await client.call('texts.import', { path: writeTexts(root, { train: 5, heldOut: 1 }) })
  const data = await judged()
  const runs = [
    await trained(texts.datasetId, 'contrastive', nano, { supervision: 'none' }, 'lora'),
    await trained(data, 'infonce', nano, { candidates: 3, negatives: 1 }),
    await trained(data, 'infonce', await added(path.join(golden, 'bert')), {
      candidates: 3,
      negatives: 1,
      similarity: 'dot',
    }),
  ]
  writeFileSync(path.join(root, 'texts.json'), JSON.stringify(TEXTS))
  const script = `import json, sys
from sentence_transformers import SentenceTransformer
print(json.dumps(SentenceTransformer(sys.argv[1], device='cpu').encode(json.load(open(sys.argv[2]))).tolist()))`
  for (const runId of runs) {
    const to = path.join(root, runId)
    await client.call('runs.export', { runId, path: to, form: 'embedder' })
    const { stdout } = spawnSync(python, ['-c', script, to, path.join(root, 'texts.json')], { encoding: 'utf8' })
    expectClose(JSON.parse(stdout.trim().split('\n').at(-1)!) as number[][], await vectorsOf(to))
  }
}, 400_000) // Python takes a minute to begin where the disk is busy

test('what other programs cannot open is refused with the reason, and nothing is written', async () => {
  const { client } = made
  const data = await judged()
  const nano = { kind: 'new', preset: 'nano', tokenizer: { kind: 'byte' } } as const
  const texts = await client.call('texts.import', { path: writeTexts(root, { train: 5, heldOut: 1 }) })
  const to = path.join(root, 'out')
  const refused = async (runId: RunId, form?: 'model' | 'embedder' | 'adapters'): Promise<void> => {
    await expect(
      client.call('runs.export', { runId, path: to, ...(form === undefined ? {} : { form }) }),
    ).rejects.toMatchObject({
      code: 'input-invalid',
      message: expect.any(String),
    })
    expect(existsSync(to)).toBe(false)
  }
  const networks = await trained(data, 'pg-rank', { kind: 'networks' }, { candidates: 3, rankings: 2, listSize: 3 })
  expect((await client.call('runs.get', { runId: networks })).exportForms).toEqual([])
  await expect(client.call('runs.export', { runId: networks, path: to })).rejects.toThrow(
    'small networks of Pairlab’s own',
  )
  await refused(networks, 'embedder')
  const cross = await trained(data, 'listnet', nano, {
    candidates: 3,
    scorer: 'cross-encoder',
    temperature: 1,
    listSize: 3,
  })
  await expect(client.call('runs.export', { runId: cross, path: to })).rejects.toThrow(
    'A cross-encoder reads query and document together',
  )
  const ranker = await trained(data, 'infonce', nano, { candidates: 3, negatives: 1 })
  await expect(client.call('runs.export', { runId: ranker, path: to, form: 'model' })).rejects.toThrow(
    'did not train a model that writes',
  )
  const grace = await trained(texts.datasetId, 'grace', nano, { groupSize: 2, rolloutTokens: 3, system: 'x' })
  await expect(client.call('runs.export', { runId: grace, path: to, form: 'embedder' })).rejects.toThrow(
    'writes about a text before it embeds it',
  )
  await refused(grace, 'adapters')
})
