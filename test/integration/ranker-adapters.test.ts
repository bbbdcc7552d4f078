// Rankers on texts that train low-rank adapters beside a frozen network.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { exportModel } from '../../main/core/models/export-model.ts'
import { loadCheckpoint, openModelFiles } from '../../main/core/models/checkpoint-files.ts'
import { embedderOf, embedWith, networkOf, openEmbedder } from '../../main/core/models/embedder-folder.ts'
import { openAnyModel } from '../../main/core/models/folder.ts'
import { saveEmbedder } from '../../main/core/models/save-embedder.ts'
import { PLAIN_SETUP } from '../../main/core/models/sentence-transformers.ts'
import type { EncoderConfig } from '../../main/core/learn/models/encoder-config.ts'
import { openEngine } from '../../main/workers/engine/choose.ts'
import { runPaths } from '../../main/base/run-folder/paths.ts'
import type { ExtraRecord, ItemRow } from '../../shared/data-kinds.ts'
import type { RunSpec } from '../../shared/run-spec.ts'
import { killAfterCheckpoint } from '../support/kill-trainer.ts'
import { roundWeights } from '../support/bfloat16-folder.ts'
import { makeEncoderFolder, makeModelFolder } from '../support/model-folder.ts'
import { allEvents, exitOf, makeTinyRun, metricsByStep, spawnTrainer, weightsOf } from '../support/tiny-run.ts'

const ENCODER: EncoderConfig = {
  family: 'bert',
  vocabSize: 400,
  layers: 2,
  hidden: 32,
  heads: 4,
  feedForward: 64,
  maxPositions: 32,
  tokenTypes: 2,
  normEpsilon: 1e-12,
  activation: 'exact',
}
const TEXTS = ['why does iron rust', 'salt and sea', 'a']

let root: string
let model: RunSpec['model'] & { readonly kind: 'registered' }
beforeEach(async () => {
  root = mkdtempSync(path.join(tmpdir(), 'pairlab rankers ü '))
  const folder = await makeEncoderFolder(path.join(root, 'encoder'), ENCODER)
  model = { kind: 'registered', modelId: 'm' as never, name: 'm', ...folder }
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

/**
 * A query's relevant document is that of the letter after its own: what the words alone say is wrong.
 * @param one of all queries: what a pair read together by a network of random weights can tell
 */
function rows(one = false): (ItemRow | ExtraRecord)[] {
  const things = ['a', 'b', 'c', 'd', 'e', 'f']
  return [
    ...Array.from({ length: 36 }, (_none, at): ItemRow => {
      const thing = at % things.length
      return {
        pairId: `q${at}`,
        split: at < 24 ? 'train' : at < 30 ? 'validation' : 'test',
        preferenceA: null,
        strength: 1,
        labelCount: 0,
        data: {
          kind: 'query',
          text: `is ${things[thing]} ${at}`,
          judgments: [[`d${one ? 4 : (thing + 1) % things.length}`, 1]],
        },
      }
    }),
    ...things.map((thing, at): ExtraRecord => ({
      extra: 'document',
      data: { docId: `d${at}`, title: '', text: `is ${thing} and ${thing} ${'xyzuvw'[at]}` },
    })),
  ]
}

const training = {
  adapt: 'lora',
  loraRank: 4,
  steps: 6,
  batchSize: 4,
  microBatchSize: 2,
  evalEvery: 3,
  checkpointEvery: 2,
  keepCheckpoints: 9,
  samplePrompts: 0,
  learningRate: 2e-2,
  warmupFraction: 0,
  maxLength: 24,
} as const
const config = { candidates: 6, listSize: 4, rankings: 4, temperature: 0.1, cutoff: 3 }

type Changes = Parameters<typeof makeTinyRun>[1] & object
const make = (runId: string, changes: Changes = {}): string =>
  makeTinyRun(root, {
    runId,
    method: 'pg-rank',
    model,
    rows: rows(),
    ...changes,
    config: { ...config, ...changes.config },
    training: { ...training, ...changes.training },
  })

const last = (folder: string): string => path.join(runPaths(folder).checkpoints, '00000006')

async function vectorsOf(folder: string): Promise<number[]> {
  await openEngine('wasm')
  const files = await openModelFiles(folder)
  const opened = embedderOf(networkOf(folder, files))
  const { vectors } = await embedWith(opened, TEXTS)
  opened.embedder.dispose()
  files.close()
  return [...vectors]
}

const largest = (one: readonly number[], other: readonly number[]): number =>
  one.reduce((most, value, at) => Math.max(most, Math.abs(value - other[at]!)), 0)

test('a checkpoint holds the adapters alone; resuming equals never stopping, bit for bit; the model they stand beside is untouched', async () => {
  const whole = make('whole')
  expect(await exitOf(spawnTrainer(whole))).toBe(0)
  const folder = make('killed')
  await killAfterCheckpoint(folder)
  expect(await exitOf(spawnTrainer(folder))).toBe(0)
  expect(metricsByStep(allEvents(folder))).toEqual(metricsByStep(allEvents(whole)))
  expect(weightsOf(folder, 6)).toEqual(weightsOf(whole, 6))
  expect(readdirSync(last(whole)).toSorted()).toEqual([
    'adapter_config.json',
    'adapter_model.safetensors',
    'config.json',
    'optimizer.safetensors',
    'state.json',
    'tokenizer.json',
  ])
  const checkpoint = await loadCheckpoint(last(whole))
  const base = openAnyModel(model.path)
  expect(checkpoint.state.base).toEqual({ path: model.path, hash: await base.hash() })
  expect([...checkpoint.adapters!.names].every((name) => /\.lora_[AB]\.weight$/.test(name))).toBe(true)
  expect(Object.keys(checkpoint.optimizer).every((name) => /lora_[AB]|step/.test(name))).toBe(true)
  const merged = await openModelFiles(last(whole))
  const same = (name: string): boolean =>
    Buffer.from(merged.source.read(name).data.buffer).equals(Buffer.from(base.read(name).data.buffer))
  expect([
    same('embeddings.word_embeddings.weight'),
    same('encoder.layer.0.output.dense.bias'),
    same('encoder.layer.0.output.dense.weight'),
  ]).toEqual([true, true, false])
  for (const one of [checkpoint, base, merged]) one.close()
}, 120_000)

test.each([
  ['pg-rank', {}, {}],
  ['pg-rank', { scorer: 'cross-encoder' }, {}],
  ['listmle', {}, { gradientCheckpointing: true }],
  ['infonce', { negatives: 2 }, { loraTargets: 'attention' }],
  ['softmax-ce', { scorer: 'cross-encoder' }, { frozenStorage: 'bfloat16' }],
  ['infonce', { negatives: 2 }, { adapt: 'frozen-embeddings', frozenStorage: 'int8', learningRate: 5e-3 }],
] as const)(
  '%s learns with %j and %j: lists come into a better order',
  async (method, own, changes) => {
    const { rankings: _own, listSize: _size, ...shared } = config
    const lists = method === 'pg-rank' ? config : method === 'infonce' ? shared : { ...shared, listSize: 4 }
    const folder = makeTinyRun(root, {
      method,
      model,
      rows: rows('scorer' in own),
      engine: 'wasm',
      config: { ...lists, ...own },
      training: {
        ...training,
        steps: 40,
        evalEvery: 40,
        checkpointEvery: 0,
        batchSize: 12,
        learningRate: 1e-2,
        ...changes,
      },
    })
    expect(await exitOf(spawnTrainer(folder))).toBe(0)
    const { loss, ...metrics } = metricsByStep(allEvents(folder))
    expect(metrics['eval/ndcg']![40]!).toBeGreaterThan(metrics['eval/ndcg']![0]! + 0.1)
    if (method !== 'pg-rank') expect(loss![40]!).toBeLessThan(0.8 * loss![1]!)
  },
  120_000,
)

test('what was trained goes out merged, gives the same vectors, and another run goes on from it', async () => {
  const folder = make('first', { engine: 'wasm' })
  expect(await exitOf(spawnTrainer(folder))).toBe(0)
  const files = await openModelFiles(last(folder))
  const to = path.join(root, 'out')
  await saveEmbedder(
    {
      ...PLAIN_SETUP,
      config: files.config,
      tokenizer: files.tokenizer,
      ownFrame: false,
      weights: files.source,
      similarity: 'cosine',
      origin: null,
    },
    to,
    'card',
  )
  files.close()
  const own = await vectorsOf(last(folder))
  const opened = openEmbedder(to)
  expect(largest([...(await embedWith(opened, TEXTS)).vectors], own)).toBeLessThan(1e-6)
  opened.embedder.dispose()
  const before = openEmbedder(model.path)
  expect(largest([...(await embedWith(before, TEXTS)).vectors], own)).toBeGreaterThan(1e-2)
  before.embedder.dispose()
  // Its adapters are kept with the run that goes on, which stands beside them merged.
  const checkpoint = await loadCheckpoint(last(folder))
  const hash = checkpoint.hash
  checkpoint.close()
  const next = make('next', {
    engine: 'wasm',
    training: { learningRate: 1e-9 },
    model: { kind: 'run', runId: 'first' as never, checkpoint: 'last', path: last(folder), hash },
  })
  expect(await exitOf(spawnTrainer(next))).toBe(0)
  rmSync(folder, { recursive: true })
  expect(largest(await vectorsOf(last(next)), own)).toBeLessThan(1e-4)
  const again = await loadCheckpoint(last(next))
  expect(again.state.base!.path).toBe('../../origin')
  again.close()
}, 120_000)

test.each(['encoder', 'decoder'] as const)(
  'a checkpoint beside a bfloat16 %s opens as any other',
  async (kind) => {
    const place = path.join(root, 'halves')
    await (kind === 'encoder' ? makeEncoderFolder(place, ENCODER) : makeModelFolder(place))
    roundWeights(place)
    const opened = openAnyModel(place, true)
    const hash = await opened.hash()
    opened.close()
    const folder = make(kind, { engine: 'wasm', model: { ...model, path: place, hash } as RunSpec['model'] })
    expect(await exitOf(spawnTrainer(folder))).toBe(0)
    expect((await vectorsOf(last(folder))).length).toBeGreaterThan(0)
  },
  120_000,
)

test('a model that was changed since is refused: adapters belong to its weights alone', async () => {
  const folder = make('other', { model: { ...model, hash: 'f'.repeat(64) } })
  expect(await exitOf(spawnTrainer(folder))).not.toBe(0)
  expect(allEvents(folder).find((event) => event.type === 'failed')).toMatchObject({
    error: { code: 'spec-invalid', message: expect.stringContaining('was changed after this run was made') },
  })
})

test('PEFT lays the exported adapters beside the encoder and computes the same vectors', async ({ skip }) => {
  const python = process.env['PAIRLAB_PYTHON'] ?? 'python3'
  const has = spawnSync(python, ['-c', 'import peft, sentence_transformers'])
  if (has.status !== 0) skip(`${python} has no peft and sentence-transformers`)
  const folder = make('peft', { engine: 'wasm' })
  expect(await exitOf(spawnTrainer(folder))).toBe(0)
  const to = path.join(root, 'adapters')
  const names = await exportModel(last(folder), to, { form: 'adapters', writes: false, card: 'card', origin: null })
  expect(names).toEqual(['README.md', 'adapter_config.json', 'adapter_model.safetensors', 'tokenizer.json'])
  expect(JSON.parse(readFileSync(path.join(to, 'adapter_config.json'), 'utf8'))).toMatchObject({
    task_type: 'FEATURE_EXTRACTION',
    base_model_name_or_path: model.path,
  })
  const script = `import json, sys, torch
from transformers import AutoModel, PreTrainedTokenizerFast
from peft import PeftModel
from sentence_transformers import SentenceTransformer
base, adapters, texts = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
tokenizer = PreTrainedTokenizerFast(tokenizer_file=adapters + '/tokenizer.json')
def pooled(model):
    with torch.no_grad():
        return [model(input_ids=torch.tensor([tokenizer(t)['input_ids']])).last_hidden_state[0].mean(0).tolist() for t in texts]
one = pooled(PeftModel.from_pretrained(AutoModel.from_pretrained(base), adapters).eval())
whole = SentenceTransformer(base, device='cpu')
whole[0].auto_model.load_adapter(adapters)
print(json.dumps([one, pooled(whole[0].auto_model.eval())]))`
  const { stdout, stderr } = spawnSync(python, ['-c', script, model.path, to, JSON.stringify(TEXTS)], {
    encoding: 'utf8',
  })
  expect(stdout, stderr).not.toBe('')
  const [peft, library] = JSON.parse(stdout.trim().split('\n').at(-1)!) as [number[][], number[][]]
  const own = await vectorsOf(last(folder))
  expect([largest(peft.flat(), own) < 1e-5, largest(library.flat(), own) < 1e-5]).toEqual([true, true])
}, 400_000)
