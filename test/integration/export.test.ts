import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { byteTokenizer } from '../../main/core/learn/tokens/bpe-trainer.ts'
import { tokenBatch } from '../../main/core/learn/batches.ts'
import { decoderFrom, presetConfig, type DecoderConfig } from '../../main/core/learn/models/decoder.ts'
import { decoderConfigFile } from '../../main/core/learn/models/hf-config.ts'
import { parameterShapes } from '../../main/core/learn/models/parameters.ts'
import { createRandom } from '../../main/core/learn/random.ts'
import { sampleCompletions } from '../../main/core/learn/sampling/sample.ts'
import { loadTokenizer } from '../../main/core/learn/tokens/tokenizer.ts'
import { TAGS_TEMPLATE } from '../../main/core/learn/tokens/tags-format.ts'
import { exportModel, type ExportOptions } from '../../main/core/models/export-model.ts'
import { openModelFolder } from '../../main/core/models/folder.ts'
import { checkpointFolder } from '../../main/base/run-folder/paths.ts'
import { saveCheckpoint } from '../../main/workers/trainer/checkpoint.ts'
import { openEngine } from '../../main/workers/engine/choose.ts'
import type { RunSpec } from '../../shared/run-spec.ts'
import type { TrainingChanges } from '../../shared/training-config.ts'
import { exitOf, makeTinyRun, spawnTrainer } from '../support/tiny-run.ts'
import { makeModelFolder } from '../support/model-folder.ts'

const OPTIONS: ExportOptions = { form: 'model', card: '# A model\n', origin: null }
const script = fileURLToPath(new URL('../support/check-export.py', import.meta.url))

let root: string
beforeAll(async () => {
  root = mkdtempSync(path.join(tmpdir(), 'pairlab éxport '))
  await openEngine('cpu')
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

/** The weights of a folder as a run's checkpoint. → its folder */
async function checkpointOf(folder: string, name: string): Promise<string> {
  const model = openModelFolder(folder)
  try {
    const weights = Object.fromEntries(
      Object.entries(parameterShapes(model.config)).map(([key, shape]) => [
        key,
        { shape, read: () => model.read(key).data },
      ]),
    )
    const run = path.join(root, name)
    mkdirSync(run, { recursive: true })
    const saved = await saveCheckpoint(run, {
      config: decoderConfigFile(model.config, 64),
      tokenizer: byteTokenizer(),
      weights,
      adapter: null,
      optimizer: {},
      state: {
        step: 1,
        eventSeq: 1,
        wallMs: 1,
        tokensSeen: 1,
        plan: null,
        best: null,
        owesEvaluation: false,
        base: null,
      },
    })
    return path.join(run, saved.path)
  } finally {
    model.close()
  }
}

describe('load, save, load', () => {
  const places = ['models', 'models-extra'].map((name) => fileURLToPath(new URL(`../golden/${name}`, import.meta.url)))
  const families = places.flatMap((place) =>
    readdirSync(place)
      .filter((name) => existsSync(path.join(place, name, 'config.json')))
      .map((name) => [name, path.join(place, name)] as const),
  )

  test.each(families)('keeps every weight of %s to the last bit, and the sizes', async (name, folder) => {
    const first = path.join(root, `${name} once`)
    const second = path.join(root, `${name} twice`)
    await exportModel(await checkpointOf(folder, `${name} a`), first, OPTIONS)
    await exportModel(await checkpointOf(first, `${name} b`), second, OPTIONS)
    const [before, after] = [openModelFolder(folder), openModelFolder(first)]
    try {
      expect(after.config).toEqual(before.config)
      expect([after.dtype, after.unused]).toEqual(['F32', []])
      for (const key of Object.keys(parameterShapes(before.config))) {
        const [from, to] = [before.read(key), after.read(key)]
        expect([key, to.shape]).toEqual([key, from.shape])
        expect(
          Buffer.from(to.data.buffer, to.data.byteOffset, to.data.byteLength).equals(
            Buffer.from(from.data.buffer, from.data.byteOffset, from.data.byteLength),
          ),
        ).toBe(true)
      }
    } finally {
      before.close()
      after.close()
    }
    for (const file of ['model.safetensors', 'config.json', 'tokenizer.json'])
      expect(readFileSync(path.join(second, file)).equals(readFileSync(path.join(first, file)))).toBe(true)
  })
})

test('of what lies beside the weights of the model it began with, the licence goes along', async () => {
  const origin = path.join(root, 'origin')
  await makeModelFolder(origin)
  writeFileSync(path.join(origin, 'LICENSE'), 'l')
  writeFileSync(path.join(origin, 'chat_template.jinja'), 'not what it was trained with')
  writeFileSync(path.join(origin, 'training_args.bin'), 'not this')
  const target = path.join(root, 'with companions')
  const files = await exportModel(await checkpointOf(origin, 'companions'), target, { ...OPTIONS, origin })
  expect(files).toEqual([
    'LICENSE',
    'README.md',
    'chat_template.jinja',
    'config.json',
    'generation_config.json',
    'model.safetensors',
    'tokenizer.json',
    'tokenizer_config.json',
  ])
  expect(readFileSync(path.join(target, 'LICENSE'), 'utf8')).toBe('l')
  expect(readFileSync(path.join(target, 'chat_template.jinja'), 'utf8')).toBe(TAGS_TEMPLATE)
})

/** PAIRLAB_PYTHON, or the one on the path, if it has the libraries. */
function findPython(): string | null {
  for (const python of [process.env['PAIRLAB_PYTHON'], 'python3']) {
    if (
      python !== undefined &&
      spawnSync(python, ['-c', 'import torch, transformers, peft'], { timeout: 60_000 }).status === 0
    )
      return python
  }
  return null
}

const python = findPython()
if (python === null)
  console.warn(
    'Exports are not compared with transformers and peft: no Python with torch, transformers and peft (set PAIRLAB_PYTHON).',
  )

interface Question {
  readonly model: string
  readonly adapters: string | null
  readonly ids: readonly number[]
  readonly logits: readonly (readonly number[])[]
  readonly greedy: readonly number[]
  readonly text: string
  readonly textIds: readonly number[]
}

/** Our logits and greedy tokens of an exported folder. */
async function ask(
  folder: string,
  beside: { readonly model: string; readonly adapters: string } | null,
): Promise<Question> {
  const model = openModelFolder(folder)
  const decoder = decoderFrom(model.config, model)
  const tokenizer = loadTokenizer(model.tokenizer)
  model.close()
  const text = 'Is it so? Ünd 3.'
  const textIds = tokenizer.encode(text)
  const ids = textIds.slice(0, 9)
  const tokens = tokenBatch([{ prompt: ids.slice(0, 1), completion: ids.slice(1), text: '' }], 0)
  const logits = (await decoder.logits(tokens).array())[0]!.slice(0, ids.length) // the rest is padding
  const [drawn] = await sampleCompletions(
    decoder,
    [ids],
    () => createRandom(1),
    { maxTokens: 8, temperature: 0, endId: -1 },
    async () => undefined,
  )
  decoder.dispose()
  return {
    model: beside?.model ?? folder,
    adapters: beside?.adapters ?? null,
    ids,
    logits,
    greedy: drawn!.ids,
    text,
    textIds,
  }
}

describe.skipIf(python === null)('transformers and peft', () => {
  async function train(runId: string, model: RunSpec['model'], training: TrainingChanges): Promise<string> {
    const folder = makeTinyRun(root, {
      runId,
      engine: 'wasm',
      model,
      training: { steps: 4, learningRate: 2e-2, evalEvery: 0, samplePrompts: 0, ...training },
    })
    expect(await exitOf(spawnTrainer(folder))).toBe(0)
    return checkpointFolder(folder, 4)
  }

  const vocabSize = loadTokenizer(byteTokenizer()).vocabSize
  const nano = presetConfig('nano', vocabSize)
  const models: Readonly<Record<string, DecoderConfig>> = {
    llama: { ...nano, kvHeads: 2, tiedEmbeddings: false },
    qwen3: { ...nano, family: 'qwen3', qkNorm: true, headDim: 24 },
    gpt2: { ...nano, family: 'gpt2', maxPositions: 64, feedForward: 256, tiedEmbeddings: true, gelu: 'tanh' },
  }

  test('read what is exported and compute the same: all weights, adapters, adapters merged', async () => {
    const questions: Question[] = []
    const wanted: string[] = []
    const add = async (name: string, folder: string, beside: Parameters<typeof ask>[1]): Promise<void> => {
      questions.push(await ask(folder, beside))
      wanted.push(name)
    }
    const whole = path.join(root, 'whole')
    await exportModel(
      await train(
        'whole-1',
        { kind: 'new', preset: 'nano', tokenizer: { kind: 'bpe', vocabSize: 300 }, tiedEmbeddings: true },
        {},
      ),
      whole,
      OPTIONS,
    )
    await add('all weights', whole, null)
    for (const [name, config] of Object.entries(models)) {
      const base = await makeModelFolder(path.join(root, `base ${name}`), 5, config)
      const checkpoint = await train(
        `lora-${name}`,
        { kind: 'registered', modelId: 'm' as never, name, ...base },
        { adapt: 'lora', loraRank: 4, loraAlpha: 8, steps: 4 },
      )
      const merged = path.join(root, `merged ${name}`)
      const adapters = path.join(root, `adapters ${name}`)
      await exportModel(checkpoint, merged, OPTIONS)
      await exportModel(checkpoint, adapters, { ...OPTIONS, form: 'adapters' })
      await add(`${name}, merged`, merged, null)
      await add(`${name}, adapters`, merged, { model: base.path, adapters })
    }
    const file = path.join(root, 'questions.json')
    writeFileSync(file, JSON.stringify(questions))
    const { stdout, stderr, status } = spawnSync(python!, [script, file], {
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
      timeout: 150_000,
    })
    expect([status, status === 0 ? '' : stderr.slice(-2000)]).toEqual([0, ''])
    const answers = stdout
      .trim()
      .split('\n')
      .map(
        (line) =>
          JSON.parse(line) as {
            missing: string[]
            unexpected: string[]
            difference: number
            greedy: number[]
            mergedDifference?: number
            textIds?: number[]
          },
      )
    expect(answers).toHaveLength(questions.length)
    answers.forEach((answer, at) => {
      const question = questions[at]!
      expect([wanted[at], answer.missing, answer.unexpected]).toEqual([wanted[at], [], []])
      expect(answer.difference).toBeLessThan(2e-4)
      expect(answer.greedy).toEqual(question.greedy)
      if (question.adapters === null) expect(answer.textIds).toEqual(question.textIds)
      else expect(answer.mergedDifference).toBeLessThan(1e-5)
    })
  }, 240_000)
})
