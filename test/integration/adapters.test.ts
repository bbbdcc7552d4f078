import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { checkpointFolder, runPaths } from '../../main/base/run-folder/paths.ts'
import { readTail } from '../../main/base/files/tail.ts'
import { loadCheckpoint, openModelFiles } from '../../main/core/models/checkpoint-files.ts'
import { TRAINER_EXIT } from '../../main/base/run-folder/protocol.ts'
import { killAfterCheckpoint } from '../support/kill-trainer.ts'
import {
  allEvents,
  exitOf,
  makeTinyRun,
  metricsByStep,
  only,
  spawnTrainer,
  tinyRows,
  type TinyOptions,
} from '../support/tiny-run.ts'
import { softwareGpu } from '../support/software-gpu.ts'
import { makeModelFolder } from '../support/model-folder.ts'
import { ownFolder } from '../support/own-folder.ts'

const own = ownFolder('adapters ü')

async function finish(options: TinyOptions): Promise<string> {
  const folder = makeTinyRun(own.path, { engine: 'wasm', ...options })
  expect([await exitOf(spawnTrainer(folder)), readTail(runPaths(folder).log, 5)]).toEqual([0, []])
  return folder
}

async function registered(): Promise<NonNullable<TinyOptions['model']>> {
  return {
    kind: 'registered',
    modelId: 'm-1' as never,
    name: 'tiny',
    ...(await makeModelFolder(path.join(own.path, 'model'))),
  }
}

const LORA = { adapt: 'lora', loraRank: 4, loraAlpha: 8, loraDropout: 0.1 } as const

describe('a run that starts from a registered model', () => {
  test('is foreseen with the checkpoint that it will write', async () => {
    const options: TinyOptions = { method: 'dpo', model: await registered(), training: { ...LORA, steps: 2 } }
    const estimated = makeTinyRun(own.path, { engine: 'wasm', ...options, runId: 'foreseen' })
    expect(await exitOf(spawnTrainer(estimated, 'estimate'))).toBe(0)
    const facts = Object.assign({}, ...only(estimated, 'fact').map((event) => event.facts)) as Record<string, number>
    const folder = await finish({ ...options, runId: 'saved' })
    const files = ['adapter_model.safetensors', 'optimizer.safetensors']
    const written = files.reduce((sum, name) => sum + statSync(path.join(checkpointFolder(folder, 2), name)).size, 0)
    expect(facts['checkpointBytes']! / written).toBeGreaterThan(0.8)
    expect(facts['checkpointBytes']! / written).toBeLessThan(1.2)
  })

  test('learns by adapters alone, which are all that is saved, in the layout of PEFT', async () => {
    const model = await registered()
    const folder = await finish({ method: 'dpo', model, training: { ...LORA, learningRate: 2e-2, steps: 12 } })
    const metrics = metricsByStep(allEvents(folder))
    expect(metrics['rewards/margins']![1]).toBeCloseTo(0, 6) // adapters begin at nothing
    expect(metrics['rewards/margins']![12]).toBeGreaterThan(0.05)
    expect(existsSync(path.join(folder, 'base'))).toBe(false)
    const checkpoint = checkpointFolder(folder, 12)
    expect(readdirSync(checkpoint).toSorted()).toEqual([
      'adapter_config.json',
      'adapter_model.safetensors',
      'config.json',
      'optimizer.safetensors',
      'state.json',
      'tokenizer.json',
    ])
    expect(JSON.parse(readFileSync(path.join(checkpoint, 'adapter_config.json'), 'utf8'))).toMatchObject({
      peft_type: 'LORA',
      r: 4,
      lora_alpha: 8,
      target_modules: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'],
    })
    expect(statSync(path.join(checkpoint, 'adapter_model.safetensors')).size).toBeLessThan(
      statSync(path.join(own.path, 'model', 'model.safetensors')).size / 4,
    )
  })

  test('lends its merged weights to another run, and to a reward model', async () => {
    const model = await registered()
    const first = await finish({ runId: 'first', model, training: { ...LORA, evalEvery: 0 } })
    const { path: place, sha256 } = only(first, 'checkpoint').at(-1)!
    const merged = await openModelFiles(path.join(first, place))
    const apart = await loadCheckpoint(path.join(first, place))
    const name = 'model.layers.0.self_attn.q_proj.weight'
    expect(merged.source.read(name).data).not.toEqual(apart.source.read(name).data)
    expect(merged.source.read('model.norm.weight').data).toEqual(apart.source.read('model.norm.weight').data)
    merged.close()
    apart.close()
    const from = {
      kind: 'run',
      runId: 'first' as never,
      checkpoint: 'last',
      path: path.join(first, place),
      hash: sha256,
    } as const
    const second = await finish({ runId: 'second', method: 'dpo', model: from, training: { ...LORA, evalEvery: 0 } })
    // What it came from may be deleted: the frozen model is kept with the run.
    rmSync(first, { recursive: true })
    const kept = await openModelFiles(checkpointFolder(second, 8))
    expect(kept.source.read(name).shape).toEqual([64, 64])
    kept.close()
    const judge = await finish({ runId: 'judge', method: 'reward-model', model, training: LORA })
    expect(metricsByStep(allEvents(judge))['rewards/accuracies']![8]).toBeGreaterThanOrEqual(0)
    const head = await openModelFiles(checkpointFolder(judge, 8))
    expect(head.source.read('score.weight').data.some((value) => value !== 0)).toBe(true)
    head.close()
  })

  test('refuses a model that is no longer what it was', async () => {
    const model = await registered()
    const file = path.join(own.path, 'model', 'model.safetensors')
    const bytes = readFileSync(file)
    bytes[bytes.length - 5]! ^= 1
    writeFileSync(file, bytes)
    const folder = makeTinyRun(own.path, { model, training: LORA })
    expect(await exitOf(spawnTrainer(folder))).toBe(TRAINER_EXIT.badSpec)
    expect(only(folder, 'failed')[0]?.error.message).toContain('was changed after this run was made')
  })
})

describe('frozen weights kept as bfloat16', () => {
  const short = {
    steps: 2,
    batchSize: 2,
    microBatchSize: 2,
    maxLength: 16,
    evalEvery: 0,
    checkpointEvery: 0,
    samplePrompts: 0,
  } as const

  test('take measurably less memory, and learn', async () => {
    const peaks: Record<string, number> = {}
    for (const frozenStorage of ['float32', 'bfloat16'] as const) {
      const folder = await finish({
        runId: frozenStorage,
        model: { kind: 'new', preset: 'small', tokenizer: { kind: 'byte' }, tiedEmbeddings: true },
        training: { ...LORA, ...short, frozenStorage },
      })
      expect(metricsByStep(allEvents(folder))['loss']![2]).toBeGreaterThan(0)
      const fact = only(folder, 'fact').find((event) => 'enginePeakBytes' in event.facts)!
      peaks[frozenStorage] = Number(fact.facts['enginePeakBytes'])
    }
    // Of 10.7 million weights, 42.9 MB, half falls away; the engine's memory grows in steps.
    expect(peaks['bfloat16']!).toBeLessThan(peaks['float32']! - 12e6)
  })

  test('are those of the reference too, so that a run begins where it was', async () => {
    const folder = await finish({
      method: 'dpo',
      training: { adapt: 'frozen-embeddings', ...short, frozenStorage: 'bfloat16' },
    })
    expect(metricsByStep(allEvents(folder))['rewards/margins']![1]).toBeCloseTo(0, 6)
  })

  test.skipIf(softwareGpu === null)(
    'are refused where the engine cannot multiply them (skipped: no Chromium with SwiftShader)',
    async () => {
      const folder = makeTinyRun(own.path, {
        engine: 'webgpu',
        training: { ...LORA, ...short, frozenStorage: 'bfloat16' },
      })
      expect(await exitOf(spawnTrainer(folder, 'train', softwareGpu ?? {}))).toBe(TRAINER_EXIT.badSpec)
      expect(only(folder, 'failed')[0]?.error.message).toBe(
        'The webgpu engine cannot multiply frozen weights kept as bfloat16.',
      )
    },
  )
})

describe('resumed', () => {
  const ways = {
    adapters: LORA,
    'frozen embeddings': { adapt: 'frozen-embeddings' },
    'computing twice': { gradientCheckpointing: true, dropout: 0.1 },
  } as const

  for (const [way, training] of Object.entries(ways))
    test(`with ${way}, the run ends as if it had never stopped, bit for bit on cpu`, async () => {
      const model = training === LORA ? await registered() : undefined
      const options: TinyOptions = {
        engine: 'cpu',
        ...(model === undefined ? {} : { model }),
        rows: tinyRows(6, 2, 2),
        training: {
          ...training,
          steps: 4,
          batchSize: 2,
          microBatchSize: 1,
          checkpointEvery: 2,
          evalEvery: 0,
          samplePrompts: 0,
        },
      }
      const whole = await finish({ ...options, runId: 'whole' })
      const folder = makeTinyRun(own.path, { ...options, runId: 'killed' })
      await killAfterCheckpoint(folder, 2)
      expect(await exitOf(spawnTrainer(folder))).toBe(0)
      expect(metricsByStep(allEvents(folder))).toEqual(metricsByStep(allEvents(whole)))
      const weights = (place: string): Buffer =>
        readFileSync(
          path.join(checkpointFolder(place, 4), training === LORA ? 'adapter_model.safetensors' : 'model.safetensors'),
        )
      expect(weights(folder).equals(weights(whole))).toBe(true)
    }, 200_000)
})
