import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runRequest } from '../../shared/run-spec.ts'
import { trainingConfig, type TrainingChanges } from '../../shared/training-config.ts'
import { foreseeMemory } from '../../main/app/requests/run-memory.ts'
import { runPaths } from '../../main/base/run-folder/paths.ts'
import { readSpec } from '../../main/base/run-folder/spec.ts'
import { decodeSafeTensors } from '../../main/core/learn/models/safetensors.ts'
import { findAlgorithm } from '../../main/core/learn/registry.ts'
import { drySpec } from '../../main/workers/trainer/estimate.ts'
import {
  allEvents,
  exitOf,
  makeTinyRun,
  metricsByStep,
  spawnTrainer,
  tinyRows,
  weightsOf,
  type TinyOptions,
} from '../support/tiny-run.ts'
import { trainHere } from '../support/train-here.ts'

// A reference that follows the policy, in whole runs.

let root: string
beforeAll(() => {
  root = mkdtempSync(path.join(tmpdir(), 'pairlab sync '))
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const SHORT = {
  steps: 5,
  batchSize: 3,
  microBatchSize: 2,
  maxLength: 14,
  evalEvery: 2,
  checkpointEvery: 1,
  keepCheckpoints: 9,
  samplePrompts: 1,
  sampleTokens: 2,
} satisfies TrainingChanges

const tiny = (name: string, { training, ...options }: TinyOptions): string =>
  makeTinyRun(root, {
    runId: name.replaceAll(/[^a-z0-9]+/g, '-'),
    rows: tinyRows(6, 2, 1),
    ...options,
    training: { ...SHORT, ...training },
  })

type Tensors = Readonly<Record<string, { readonly data: Float32Array }>>

function tensorsOf(folder: string, step: number, name: string): Tensors {
  return decodeSafeTensors(readFileSync(path.join(runPaths(folder).checkpoints, String(step).padStart(8, '0'), name)))
    .tensors
}

/** Largest distance of the tensors to what their numbers should be. */
function distance(found: Tensors, wanted: (name: string, at: number) => number): number {
  return Math.max(
    ...Object.entries(found).map(([name, { data }]) =>
      data.reduce((most, value, at) => Math.max(most, Math.abs(value - wanted(name, at))), 0),
    ),
  )
}

const LORA = { adapt: 'lora', loraRank: 2 } as const

describe.each([
  ['all weights', {}, 'model.safetensors', (name: string) => name],
  ['adapters', LORA, 'adapter_model.safetensors', (name: string) => `base_model.model.${name}`],
  ['all but the embeddings', { adapt: 'frozen-embeddings' }, 'model.safetensors', (name: string) => name],
  [
    'all but embeddings in fewer bits',
    { adapt: 'frozen-embeddings', frozenStorage: 'bfloat16' },
    'model.safetensors',
    (name: string) => name,
  ],
] as const)('a reference that follows %s', (what, adapt, weights, nameOf) => {
  test('becomes the policy after so many steps: the next step begins as the first did', async () => {
    const folder = tiny(`copy ${what}`, {
      method: 'dpo',
      training: { ...adapt, learningRate: 2e-2, warmupFraction: 0, referenceSyncEvery: 3 },
    })
    await trainHere(folder)
    const metrics = metricsByStep(allEvents(folder))
    const at = (name: string): (number | null)[] => [1, 2, 3, 4, 5].map((step) => metrics[name]![step]!)
    expect(at('loss').map((loss) => Math.abs(loss! - Math.LN2) < 1e-6)).toEqual([true, false, false, true, false])
    expect(at('kl/k3').map((kl) => Math.abs(kl!) < 1e-6)).toEqual([true, false, false, true, false])
    // What is measured at a step of the sync is against the reference before it; samples are against where training began.
    expect(metrics['eval/kl/k3']![2]).toBeGreaterThan(1e-4)
    expect(metrics['eval/samples/kl']![4]).not.toBe(0)
    const reference = tensorsOf(folder, 4, 'reference.safetensors')
    const policy = tensorsOf(folder, 3, weights)
    expect(distance(reference, (name, index) => policy[nameOf(name)]!.data[index]!)).toBe(0)
    expect(existsSync(path.join(readSpec(folder).cacheFolder, 'logprobs'))).toBe(false)
  })

  test('moves by α of the way', async () => {
    const folder = tiny(`mix ${what}`, {
      method: 'dpo',
      training: { ...adapt, learningRate: 2e-2, referenceSyncEvery: 2, referenceMixup: 0.25, steps: 4 },
    })
    await trainHere(folder)
    const [before, after] = [2, 3].map((step) => tensorsOf(folder, step, 'reference.safetensors'))
    const policy = tensorsOf(folder, 2, weights)
    expect(
      distance(after!, (name, at) => 0.75 * before![name]!.data[at]! + 0.25 * policy[nameOf(name)]!.data[at]!),
    ).toBeLessThan(1e-7)
    expect(distance(after!, (name, at) => before![name]!.data[at]!)).toBeGreaterThan(1e-4)
    expect(Object.keys(after!).length).toBe(
      what.startsWith('all but') ? Object.keys(policy).length - 1 : Object.keys(policy).length,
    )
  })
})

describe.each([
  ['dpo', {}, { referenceSyncEvery: 2, referenceMixup: 0.5 }, [2, 3]], // before the reference moves, and after
  ['dpo', {}, { ...LORA, referenceSyncEvery: 2, referenceMixup: 0.5, dropout: 0.1 }, [3]],
  ['kto', {}, { referenceSyncEvery: 1 }, [2]],
  ['copg', { groupSize: 3, rewards: { kind: 'length', target: 5 } }, { referenceSyncEvery: 2 }, [3]],
  ['rloo', { groupSize: 2, rolloutTokens: 3 }, { ...LORA, referenceSyncEvery: 2 }, [3]],
] as const)('%s %j with %j', (method, config, training, stops) => {
  test('resumes bit for bit, and loses no tensor', async () => {
    const judge = { source: { kind: 'length', target: 3 }, path: null } as const
    const options: TinyOptions = { method, config: { ...config }, judge, training: { ...training, steps: 4 } }
    const id = `${method} ${JSON.stringify(training).toLowerCase()}`.slice(0, 50)
    const whole = tiny(`${id} whole`, options)
    const { tensors } = await trainHere(whole)
    expect(new Set(tensors.slice(1)).size).toBe(1)
    for (const stop of stops) {
      const folder = tiny(`${id} stopped at ${stop}`, options)
      await trainHere(folder, stop)
      expect((await trainHere(folder)).resumedFromStep).toBe(stop)
      expect(metricsByStep(allEvents(folder))).toEqual(metricsByStep(allEvents(whole)))
      expect(weightsOf(folder, 4)).toEqual(weightsOf(whole, 4))
    }
    expect(Object.keys(weightsOf(whole, 4))).toContain('reference.safetensors')
  })
})

test.each([{}, LORA])('the WebAssembly engine copies it too: %j', async (adapt) => {
  const folder = tiny(`wasm ${Object.keys(adapt).length}`, {
    method: 'dpo',
    engine: 'wasm',
    training: { ...adapt, learningRate: 2e-2, warmupFraction: 0, referenceSyncEvery: 3, evalEvery: 0 },
  })
  expect(await exitOf(spawnTrainer(folder))).toBe(0)
  const distances = metricsByStep(allEvents(folder))['kl/k3']!
  expect([1, 2, 3, 4, 5].map((step) => Math.abs(distances[step]!) < 1e-6)).toEqual([true, false, false, true, false])
})

test('a reference that stays is no part of a checkpoint, and a method without one neither moves nor keeps any', async () => {
  const stays = tiny('stays', { method: 'dpo', training: { steps: 1 } })
  const none = tiny('none', { method: 'simpo', training: { steps: 1, referenceSyncEvery: 1 } })
  for (const folder of [stays, none]) {
    await trainHere(folder)
    expect(Object.keys(weightsOf(folder, 1))).not.toContain('reference.safetensors')
  }
})

test('a damaged reference makes a checkpoint useless', async () => {
  const folder = tiny('damaged', { method: 'dpo', training: { steps: 2, referenceSyncEvery: 1 } })
  await trainHere(folder)
  rmSync(path.join(runPaths(folder).checkpoints, '00000002', 'reference.safetensors'))
  expect((await trainHere(folder)).resumedFromStep).toBe(1)
})

test('the memory foreseen counts the adapters of a reference of its own', () => {
  const foreseen = (training: TrainingChanges): number[] => {
    const request = runRequest.parse({
      method: 'dpo',
      model: { kind: 'new', preset: 'nano', tokenizer: { kind: 'byte' } },
      data: { datasetId: 'd' },
      seeds: [1],
    })
    const estimate = foreseeMemory({
      request,
      algorithm: findAlgorithm('dpo'),
      kind: 'response-pairs',
      config: {},
      training: trainingConfig.parse(training),
      folder: null,
      rewardModel: null,
      judge: null,
    })!
    return ['reference', 'optimizer'].map((part) => estimate.parts.find(({ name }) => name === part)!.bytes)
  }
  expect(foreseen(LORA)[0]).toBe(0)
  const [reference, optimizer] = foreseen({ ...LORA, referenceSyncEvery: 5 })
  expect(reference).toBe(optimizer! / 2) // two moments for each number that trains
  expect(foreseen({ referenceSyncEvery: 5 })).toEqual(foreseen({}))
})

test('a dry run counts it in the size of a checkpoint', async () => {
  const bytesOf = async (runId: string, training: TrainingChanges): Promise<{ foreseen: number; written: number }> => {
    const options = {
      method: 'dpo',
      engine: 'wasm',
      training: { ...LORA, loraRank: 16, ...training, steps: 1, samplePrompts: 0 },
    } as const
    const dry = tiny(`${runId} dry`, options)
    expect(await exitOf(spawnTrainer(dry, 'estimate'))).toBe(0)
    const facts = allEvents(dry).flatMap((event) =>
      event.type === 'fact' && 'checkpointBytes' in event.facts ? [event.facts] : [],
    )
    const real = tiny(runId, options)
    await trainHere(real)
    const sizes = ['adapter_model', 'optimizer', 'reference'].map((name) => {
      const file = path.join(runPaths(real).checkpoints, '00000001', `${name}.safetensors`)
      return existsSync(file) ? readFileSync(file).length : 0
    })
    return { foreseen: Number(facts[0]!['checkpointBytes']), written: sizes.reduce((sum, size) => sum + size, 0) }
  }
  for (const training of [{}, { referenceSyncEvery: 1 }]) {
    const { foreseen, written } = await bytesOf(`size ${JSON.stringify(training).length}`, training)
    expect(Math.abs(foreseen / written - 1)).toBeLessThan(0.1)
  }
  expect(
    drySpec(readSpec(tiny('spec', { method: 'dpo', training: { referenceSyncEvery: 3 } }))).training.referenceSyncEvery,
  ).toBe(3)
}, 60_000)
