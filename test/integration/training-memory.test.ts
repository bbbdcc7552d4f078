import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { foreseeMemory, foreseenMemory, type MemoryQuestion } from '../../main/app/requests/run-memory.ts'
import { totalMemory } from '../../main/core/models/training-memory.ts'
import { findAlgorithm } from '../../main/core/learn/registry.ts'
import type { ExtraRecord, ItemRow, PreferenceRow } from '../../shared/data-kinds.ts'
import { runRequest, type RunSpec } from '../../shared/run-spec.ts'
import { trainingConfig, type TrainingChanges } from '../../shared/training-config.ts'
import { bigConfig } from '../support/big-model.ts'
import { makeEncoderFolder, makeModelFolder } from '../support/model-folder.ts'
import { allEvents, exitOf, makeTinyRun, spawnTrainer, tinyRows } from '../support/tiny-run.ts'

/** What the page may be off by, either way. */
const FACTOR = 1.5

let root: string
beforeAll(() => {
  root = mkdtempSync(path.join(tmpdir(), 'pairlab memory '))
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

/** Words that fill the longest sequence; texts that begin otherwise share nothing, so that what is measured is what was foreseen. */
const long = (at: string): string => `${at} `.repeat(400)

function longRows(): PreferenceRow[] {
  return tinyRows(6, 1, 1).map((row, at) => ({ ...row, prompt: `${at}?`, a: long(`${at}a`), b: long(`${at}b`) }))
}

const item = (at: number, data: ItemRow['data']): ItemRow => ({
  pairId: `i${at}`,
  split: at < 6 ? 'train' : 'validation',
  preferenceA: null,
  strength: 1,
  labelCount: 0,
  data,
})

function longTexts(): ItemRow[] {
  return Array.from({ length: 6 + 12 }, (_none, at) =>
    item(at, {
      form: 'triple',
      query: long(`${at}q`),
      positive: long(`${at}p`),
      negatives: [long(`${at}n`)],
      source: null,
    }),
  )
}

/** @param query of a cross-encoder it is short, since the documents of a list share it */
function longLists(query: (at: number) => string): (ItemRow | ExtraRecord)[] {
  const documents = Array.from({ length: 30 }, (_none, at) => `d${at}`)
  return [
    ...Array.from({ length: 8 }, (_none, at) =>
      item(at, { kind: 'query', text: query(at), judgments: [[`d${at}`, 1]] }),
    ),
    ...documents.map((docId, at): ExtraRecord => ({
      extra: 'document',
      data: { docId, title: '', text: long(`${at}t word`) },
    })),
  ]
}

interface Way {
  readonly method: string
  readonly config?: RunSpec['config']
  readonly training: TrainingChanges
  readonly model?: RunSpec['model']
  readonly rewardModelPath?: string
  readonly judge?: RunSpec['judge']
}

const MINI = { kind: 'new', preset: 'mini', tokenizer: { kind: 'byte' }, tiedEmbeddings: true } as const

function question({ method, config = {}, training, model = MINI, rewardModelPath, judge }: Way): MemoryQuestion {
  const { source = null, path: judgePath = null } = judge ?? {}
  const asked =
    model.kind === 'registered'
      ? { kind: model.kind, modelId: model.modelId }
      : (model as Extract<RunSpec['model'], { kind: 'new' }>)
  return {
    request: runRequest.parse({ method, model: asked, data: { datasetId: 'd' }, judge: source }),
    algorithm: findAlgorithm(method),
    kind: findAlgorithm(method).data,
    config,
    training: trainingConfig.parse({ ...SETTINGS, ...training }),
    folder: model.kind === 'registered' ? model.path : null,
    rewardModel: rewardModelPath ?? null,
    judge: judgePath,
  }
}

const SETTINGS = { steps: 2, samplePrompts: 0, evalPairs: 12 } as const
function rowsFor({ method, config }: Way): readonly (PreferenceRow | ItemRow | ExtraRecord)[] {
  const { data } = findAlgorithm(method)
  if (data === 'response-pairs') return longRows()
  if (data === 'contrast-groups') return longTexts()
  return longLists((at) => (config?.['scorer'] === 'cross-encoder' ? `${at} word` : long(`${at}q word`)))
}

/** Peak of the training process in a dry run. */
async function measure(runId: string, way: Way): Promise<number> {
  const folder = makeTinyRun(root, {
    runId,
    engine: 'wasm',
    model: MINI,
    ...way,
    rows: rowsFor(way),
    training: { ...SETTINGS, ...way.training },
  })
  expect(await exitOf(spawnTrainer(folder, 'estimate'))).toBe(0)
  const facts = Object.assign(
    {},
    ...allEvents(folder).flatMap((event) => (event.type === 'fact' ? [event.facts] : [])),
  ) as Record<string, number>
  return facts['peakBytes']!
}

async function expectNear(name: string, way: Way): Promise<void> {
  const peakBytes = await measure(name.replace(/[^a-z0-9]+/gi, '-').toLowerCase(), way)
  const foreseen = foreseeMemory(question(way))!
  const ratio = foreseen.totalBytes / peakBytes
  console.info(`${name}: foreseen ${ratio.toFixed(2)} times the ${Math.round(peakBytes / 1e6)} MB measured`)
  expect(
    [ratio > 1 / FACTOR, ratio < FACTOR],
    `foreseen ${JSON.stringify(foreseen.parts)}, measured ${peakBytes}: ${ratio.toFixed(2)}`,
  ).toEqual([true, true])
}

const SMALL = { batchSize: 4, microBatchSize: 4, maxLength: 256 } as const
const WAYS: readonly (readonly [name: string, way: Way])[] = [
  ['DPO, all weights, by micro-batches', { method: 'dpo', training: { ...SMALL, microBatchSize: 2 } }],
  ['DPO, computing layers twice', { method: 'dpo', training: { ...SMALL, gradientCheckpointing: true } }],
  ['a reward model', { method: 'reward-model', training: SMALL }],
  ['InfoNCE on texts', { method: 'contrastive', training: { ...SMALL, batchSize: 4 } }],
  ['language modeling', { method: 'language-model', training: SMALL }],
  ['GRACE', { method: 'grace', config: { groupSize: 4, rolloutTokens: 64 }, training: { ...SMALL, batchSize: 2 } }],
  ['PG-RANK', { method: 'pg-rank', config: { candidates: 24 }, training: { ...SMALL, batchSize: 2 } }],
  [
    'a cross-encoder',
    {
      method: 'listnet',
      config: { scorer: 'cross-encoder', temperature: 1, candidates: 8 },
      training: { ...SMALL, batchSize: 2 },
    },
  ],
]

describe('memory foreseen from the sizes', () => {
  test.each(WAYS)('is near what a dry run measures: %s', expectNear)

  const LORA = { ...SMALL, microBatchSize: 2, maxLength: 128, adapt: 'lora', loraRank: 8 } as const
  test.each([['lora', LORA]] as const)('and beside a model of 46 MB: %s', async (name, training) => {
    const config = bigConfig({ layers: 4, hidden: 256, heads: 4, feedForward: 688, vocabSize: 16_000 })
    const model = await makeModelFolder(path.join(root, 'model'), 7, config)
    await expectNear(name, {
      method: 'dpo',
      model: { kind: 'registered', modelId: 'm' as never, name: 'm', ...model },
      training,
    })
  })

  test('and of an encoder of 33 MB that ranks', async () => {
    const model = await makeEncoderFolder(path.join(root, 'encoder'), {
      family: 'bert',
      vocabSize: 20_000,
      layers: 4,
      hidden: 256,
      heads: 8,
      feedForward: 1024,
      maxPositions: 256,
      tokenTypes: 2,
      normEpsilon: 1e-12,
      activation: 'exact',
    })
    await expectNear('an encoder', {
      method: 'pg-rank',
      config: { listSize: 8, candidates: 12 },
      model: { kind: 'registered', modelId: 'm' as never, name: 'm', ...model },
      training: { ...SMALL, batchSize: 2, maxLength: 128 },
    })
  })

  test('and of a policy beside a reward model and a judge, which are counted', async () => {
    const small = { kind: 'new', preset: 'small', tokenizer: { kind: 'byte' }, tiedEmbeddings: true } as const
    const reward = makeTinyRun(root, {
      runId: 'reward',
      method: 'reward-model',
      model: small,
      engine: 'wasm',
      training: { steps: 1, evalEvery: 0 },
    })
    expect(await exitOf(spawnTrainer(reward))).toBe(0)
    const rewardModelPath = path.join(reward, allEvents(reward).find((event) => event.type === 'checkpoint')!.path)
    const source = { kind: 'reward-model', runId: 'reward' as never } as const
    const way: Way = {
      method: 'rloo',
      config: { rewards: source, rolloutTokens: 16 },
      training: { ...SMALL, maxLength: 128, samplePrompts: 2 },
      rewardModelPath,
      judge: { source, path: rewardModelPath },
    }
    const asked = question(way)
    const [both, one, none] = [asked, { ...asked, judge: null }, { ...asked, judge: null, rewardModel: null }].map(
      (one) => totalMemory(foreseenMemory(one)!),
    ) as [number, number, number]
    expect([both - one > 40e6, one - none]).toEqual([true, both - one]) // ten million weights
    await expectNear('beside a reward model', way)
  })
})
