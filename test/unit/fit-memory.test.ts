import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fitTraining, type Fitted } from '../../main/app/requests/fit-memory.ts'
import { foreseenMemory, type MemoryQuestion } from '../../main/app/requests/run-memory.ts'
import { totalMemory } from '../../main/core/models/training-memory.ts'
import { decoderConfigOf } from '../../main/core/learn/models/hf-config.ts'
import { parameterShapes } from '../../main/core/learn/models/parameters.ts'
import { findAlgorithm } from '../../main/core/learn/registry.ts'
import type { EngineName } from '../../shared/domain.ts'
import { runRequest } from '../../shared/run-spec.ts'
import { trainingConfig, type TrainingChanges } from '../../shared/training-config.ts'

/** The sizes of SmolLM2-135M, from its published configuration. */
const SIZES = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  hidden_size: 576,
  intermediate_size: 1536,
  num_hidden_layers: 30,
  num_attention_heads: 9,
  num_key_value_heads: 3,
  vocab_size: 49152,
  max_position_embeddings: 8192,
  rms_norm_eps: 1e-5,
  rope_theta: 100000,
  tie_word_embeddings: true,
  hidden_act: 'silu',
}
const REWARD = { kind: 'reward-model', runId: 'r' } as const
const WASM = 0.8 * 2 ** 32

let folder: string
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'pairlab fit '))
  writeFileSync(path.join(folder, 'config.json'), JSON.stringify(SIZES))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A file of weights that is a hole behind its header, which is all that sizes are foreseen from. */
function writeHeader(file: string, shapes: Readonly<Record<string, readonly number[]>>, dtype: 'BF16' | 'F32'): void {
  let at = 0
  const header = Object.entries(shapes).map(([name, shape]) => {
    const begin = at
    at += (dtype === 'BF16' ? 2 : 4) * shape.reduce((product, size) => product * size, 1)
    return [name, { dtype, shape, data_offsets: [begin, at] }]
  })
  const json = Buffer.from(JSON.stringify(Object.fromEntries(header)))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(json.length))
  writeFileSync(file, Buffer.concat([length, json]))
  truncateSync(file, 8 + json.length + at)
}

function question(training: TrainingChanges, method = 'dpo'): MemoryQuestion {
  const algorithm = findAlgorithm(method)
  return {
    request: runRequest.parse({
      method,
      data: { datasetId: 'd' },
      model: { kind: 'registered', modelId: 'm' },
      seeds: [1],
    }),
    algorithm,
    kind: algorithm.data,
    config: {},
    rewardModel: null,
    judge: null,
    training: trainingConfig.parse({ adapt: 'lora', maxLength: 256, batchSize: 16, microBatchSize: 16, ...training }),
    folder,
  }
}

/** What of it lies in the engine's memory. */
function engineBytes(asked: MemoryQuestion, training = asked.training): number {
  const memory = foreseenMemory(asked, training)!
  return totalMemory(memory) - memory.program
}

function fit(training: TrainingChanges, engine: EngineName = 'wasm'): Fitted & { readonly bytes: number } {
  const asked = question(training)
  const fitted = fitTraining(asked, training, engine)
  return { ...fitted, bytes: engineBytes(asked, fitted.training) }
}

describe('settings that make a run fit its engine', () => {
  test('a run that fits keeps its settings, and nothing is said', () => {
    expect(fit({ maxLength: 16 })).toMatchObject({
      advice: null,
      training: { microBatchSize: 16, gradientCheckpointing: false },
    })
  })

  test('the micro-batch is halved until it fits, no further; its room is what the engine reaches less a share', () => {
    const { training, advice, bytes } = fit({})
    expect(training.microBatchSize).toBeLessThan(16)
    expect(bytes).toBeLessThan(WASM)
    const twice = question({ microBatchSize: training.microBatchSize * 2 })
    expect(engineBytes(twice)).toBeGreaterThan(WASM)
    expect([training.batchSize, training.gradientCheckpointing, advice?.level]).toEqual([16, false, 'info'])
    expect(advice?.text).toMatch(/^A micro-batch of \d+, chosen so that training fits the 4\.3 GB of the WebAssembly/)
  })

  test('where a pair alone is too much, layers are computed twice', () => {
    const { training, advice, bytes } = fit({ maxLength: 1024 })
    expect(training.gradientCheckpointing).toBe(true)
    expect(bytes).toBeLessThan(WASM)
    expect(advice?.text).toContain('gradient checkpointing')
  })

  test('what was asked for stays: a micro-batch, layers computed once, both', () => {
    expect(fit({ microBatchSize: 16 }).training).toMatchObject({ microBatchSize: 16, gradientCheckpointing: true })
    const once = fit({ gradientCheckpointing: false })
    expect(once.training.gradientCheckpointing).toBe(false)
    expect(once.training.microBatchSize).toBeLessThan(16)
    const both = fit({ microBatchSize: 16, gradientCheckpointing: false })
    expect(both.training).toMatchObject({ microBatchSize: 16, gradientCheckpointing: false })
    expect(both.advice).toMatchObject({ level: 'warning', text: expect.stringContaining('a smaller micro-batch') })
  })

  test('so are contrastive methods: GRACE’s policy step goes in smaller parts, InfoNCE’s layers are computed twice', () => {
    const grace = question({ batchSize: 32, microBatchSize: 32, maxLength: 512 }, 'grace')
    const fitted = fitTraining(grace, {}, 'wasm')
    expect(fitted.training.microBatchSize).toBeLessThan(32)
    expect(engineBytes(grace, fitted.training)).toBeLessThan(WASM)
    // Every text stands against every other: no micro-batch makes that smaller, and a piece takes what it takes.
    const infonce = question({ adapt: 'full', maxLength: 2048 }, 'contrastive')
    const twice = fitTraining(infonce, {}, 'wasm')
    expect([twice.training.microBatchSize, twice.training.gradientCheckpointing]).toEqual([16, true])
    expect(engineBytes(infonce, twice.training)).toBeLessThan(WASM)
  })

  test('a ranker keeps its micro-batch, which decides what stands against what, and computes layers twice', () => {
    const asked = question({ adapt: 'full', maxLength: 2048 }, 'infonce')
    const { training } = fitTraining(asked, {}, 'wasm')
    expect(engineBytes(asked)).toBeGreaterThan(WASM)
    expect([training.microBatchSize, training.gradientCheckpointing]).toEqual([16, true])
  })

  test('a reward model and a judge beside the policy leave it less room', () => {
    const alone = question({ maxLength: 160 }, 'rloo')
    const beside = { ...alone, config: { rewards: REWARD }, rewardModel: folder, judge: folder }
    expect(engineBytes(beside) - engineBytes(alone)).toBeCloseTo(2 * 4 * (134_515_008 + 576), 0)
    const [free, tight] = [alone, beside].map((one) => fitTraining(one, {}, 'wasm').training.microBatchSize)
    expect(tight).toBeLessThan(free!)
  })

  test('what lies beside the engine counts against the machine: it fits both, or somebody is warned', () => {
    const machine = 4.6e9 // a share of which is little more than the engine's
    let between = 0
    for (let maxLength = 64; maxLength <= 1024; maxLength += 16) {
      const asked = question({ maxLength })
      const { training, advice } = fitTraining(asked, {}, 'wasm', machine)
      if (advice?.level === 'warning') continue
      expect(totalMemory(foreseenMemory(asked, training)!)).toBeLessThanOrEqual(0.8 * machine)
      expect(engineBytes(asked, training)).toBeLessThanOrEqual(WASM)
      const alone = fitTraining(asked, {}, 'wasm', 64e9).training
      if (totalMemory(foreseenMemory(asked, alone)!) > 0.8 * machine) between += 1
    }
    expect(between).toBeGreaterThan(0) // of which the engine alone would have had enough
  })

  test('a bfloat16 folder is kept as it is stored where float32 would not fit', () => {
    const place = path.join(folder, 'halves')
    mkdirSync(place)
    const large = {
      ...SIZES,
      hidden_size: 2048,
      intermediate_size: 5632,
      num_attention_heads: 32,
      num_key_value_heads: 4,
    }
    writeFileSync(path.join(place, 'config.json'), JSON.stringify(large))
    const of = (dtype: 'BF16' | 'F32'): Fitted => {
      writeHeader(path.join(place, 'model.safetensors'), parameterShapes(decoderConfigOf(large)), dtype)
      return fitTraining({ ...question({ maxLength: 64 }), folder: place }, {}, 'wasm')
    }
    const fitted = of('BF16')
    expect(fitted.training.frozenStorage).toBe('stored')
    expect(fitted.advice).toMatchObject({
      level: 'info',
      text: expect.stringContaining('frozen weights as the file has them'),
    })
    expect(of('F32')).toMatchObject({ training: { frozenStorage: 'float32' }, advice: { level: 'warning' } })
  })

  test('an answer that stands alone is one row, a pair is two', () => {
    const pairs = question({}, 'kto')
    const answers = { ...pairs, kind: 'unpaired-responses' } as const
    const sizes = [pairs, answers].map((one) => fitTraining(one, {}, 'wasm').training.microBatchSize)
    expect(sizes[1]).toBe(2 * sizes[0]!)
  })

  test('a model of unknown sizes is left as it is', () => {
    const unknown = { ...question({}), folder: null }
    expect(fitTraining(unknown, {}, 'wasm')).toEqual({ training: unknown.training, advice: null })
  })
})
