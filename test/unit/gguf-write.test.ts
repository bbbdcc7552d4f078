import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { byteTokenizer, trainBpe } from '../../main/core/learn/tokens/bpe-trainer.ts'
import { loadTokenizer } from '../../main/core/learn/tokens/tokenizer.ts'
import { decoderConfigOf } from '../../main/core/learn/models/hf-config.ts'
import { presetConfig, type DecoderConfig } from '../../main/core/learn/models/model-config.ts'
import { freshWeights } from '../../main/core/learn/models/parameters.ts'
import { createRandom } from '../../main/core/learn/random.ts'
import { ggufConfig } from '../../main/core/models/gguf/architecture.ts'
import { packBlocks } from '../../main/core/models/gguf/blocks.ts'
import { readGgufHeader } from '../../main/core/models/gguf/header.ts'
import { ggufTokenizer, ggufTokenizerConfig } from '../../main/core/models/gguf/tokenizer.ts'
import { writeGguf, type GgufType } from '../../main/core/models/gguf/write.ts'
import { tokenizerEntries } from '../../main/core/models/gguf/write-tokenizer.ts'
import { openModelFolder } from '../../main/core/models/folder.ts'

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/gguf/${name}`, import.meta.url))
const readFixture = <T>(name: string): T => JSON.parse(readFileSync(fixture(name), 'utf8')) as T
const { texts, vocabularies } = readFixture<{
  readonly texts: string[]
  readonly vocabularies: Record<string, number[][]>
}>('expected.json')

let folder: string
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'pairlab gguf '))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const SPOKEN = {
  beginId: 1,
  putsBeginning: false,
  endIds: [2, 5],
  padId: 2,
  chatTemplate: '{{ x }}',
  layout: 'template',
}

async function write(config: DecoderConfig, type: GgufType, tokenizer: unknown = byteTokenizer()): Promise<string> {
  const file = path.join(folder, `${config.family ?? 'llama'}.${type}.gguf`)
  const source = freshWeights({ ...config, scoreHead: false }, createRandom(5))
  const entries = tokenizerEntries(tokenizer, config.vocabSize, SPOKEN)
  await writeGguf(file, { config, source, maxLength: 64, name: 'mine', licence: 'mit', tokenizer: entries }, type)
  return file
}

describe('numbers', () => {
  test.each(Object.entries(readFixture<Record<string, readonly [string, string]>>('written.json')))(
    '%s are bit for bit those of the package gguf',
    (type, [floats, bytes]) => {
      const from = Buffer.from(floats, 'base64')
      const data = new Float32Array(from.buffer.slice(from.byteOffset, from.byteOffset + from.byteLength))
      expect(Buffer.from(packBlocks(data, type)).toString('base64')).toBe(bytes)
    },
  )
})

describe('a model', () => {
  const common = { ...presetConfig('nano', 300), hidden: 64, headDim: 16, heads: 4, kvHeads: 2, feedForward: 96 }
  const CONFIGS: readonly (readonly [string, DecoderConfig])[] = [
    ['llama', { ...common, family: 'llama', tiedEmbeddings: true, ropeTheta: 12_345 }],
    ['llama with biases', { ...common, family: 'llama', attentionBias: true, outputBias: true, mlpBias: true }],
    ['llama scaled', { ...common, family: 'llama', ropeScaling: { kind: 'linear', factor: 4 } }],
    [
      'llama 3',
      {
        ...common,
        family: 'llama',
        ropeTheta: 500_000,
        ropeScaling: {
          kind: 'llama3',
          factor: 32,
          lowFrequencyFactor: 1,
          highFrequencyFactor: 4,
          originalLength: 8192,
        },
      },
    ],
    ['mistral', { ...common, family: 'mistral', window: 12 }],
    ['qwen2', { ...common, family: 'qwen2', attentionBias: true, headDim: 16 }],
    ['qwen3', { ...common, family: 'qwen3', qkNorm: true, headDim: 24 }],
  ]

  test.each(CONFIGS)('%s is read again as it was, its weights rounded to their type', async (_name, config) => {
    for (const [type, most] of [
      ['F16', 2 ** -11],
      ['Q8_0', 1 / 127],
    ] as const) {
      const file = await write(config, type)
      const model = openModelFolder(file)
      const { maxPositions: _length, ...found } = decoderConfigOf(ggufConfig(readGgufHeader(file)))
      const { maxPositions: _own, ...wanted } = config
      expect({ ...found, window: found.window ?? null }).toMatchObject({
        ...wanted,
        tiedEmbeddings: wanted.tiedEmbeddings,
      })
      expect(model.unused).toEqual([])
      const source = freshWeights({ ...config, scoreHead: false }, createRandom(5))
      for (const { name } of model.tensors.filter((tensor) => tensor.name !== 'rope_freqs.weight')) {
        const [written, read] = [source.read(name).data, model.read(name).data]
        const largest = written.reduce((sum, one) => Math.max(sum, Math.abs(one)), 0)
        const off = read.reduce((sum, value, at) => Math.max(sum, Math.abs(value - written[at]!)), 0)
        expect(off, name).toBeLessThanOrEqual(most * largest)
      }
      model.close()
    }
  })

  test('GPT-2 and positions scaled dynamically are refused by name', async () => {
    await expect(write({ ...common, family: 'gpt2', maxPositions: 64 }, 'F16')).rejects.toThrow(
      /cannot be written as GGUF/,
    )
    await expect(write({ ...common, ropeScaling: { kind: 'dynamic', factor: 2 } }, 'F16')).rejects.toThrow(
      'dynamically',
    )
  })
})

describe('a vocabulary', () => {
  const again = async (tokenizer: unknown): Promise<ReturnType<typeof loadTokenizer>> => {
    const { vocabSize } = loadTokenizer(tokenizer, { endIds: [0] })
    const file = await write({ ...presetConfig('nano', vocabSize) }, 'F16', tokenizer)
    return loadTokenizer(ggufTokenizer(readGgufHeader(file)), { endIds: [0] })
  }

  test.each(Object.keys(vocabularies))('%s cuts texts as before', async (name) => {
    const found = await again(ggufTokenizer(readGgufHeader(fixture(`${name}.vocab.gguf`))))
    expect(texts.map((text) => found.encode(text))).toEqual(vocabularies[name])
    // Other programs know a rule by its name alone.
    const file = path.join(folder, 'llama.F16.gguf')
    const said = readGgufHeader(file).metadata.get('tokenizer.ggml.pre')
    expect(said).toBe({ 'gpt-2': 'default', pieces: 'default' }[name] ?? name)
  })

  test('of Pairlab’s own cuts texts as before', async () => {
    const own = trainBpe(texts, 300)
    const found = await again(own)
    for (const text of texts) expect(found.encode(text)).toEqual(loadTokenizer(own).encode(text))
  })

  test('of a chat model’s files cuts texts as before', async () => {
    for (const name of ['chatml', 'llama3', 'qwen3', 'mistral', 'gemma']) {
      const { tokenizer } = JSON.parse(
        readFileSync(new URL(`../fixtures/chat/${name}.json`, import.meta.url), 'utf8'),
      ) as { readonly tokenizer: unknown }
      const [before, found] = [loadTokenizer(tokenizer, { endIds: [0] }), await again(tokenizer)]
      for (const text of texts) expect(found.encode(text), `${name}: ${text}`).toEqual(before.encode(text))
      const special = '<|im_start|>user\nHi<|im_end|>[INST] <start_of_turn><|eot_id|></s>'
      expect(found.encodeWithSpecial(special), name).toEqual(before.encodeWithSpecial(special))
    }
  })

  test('what is said beside it comes back, the layout included', async () => {
    const header = readGgufHeader(await write(presetConfig('nano', 300), 'Q8_0'))
    expect(ggufTokenizerConfig(header)).toMatchObject({ pairlab_layout: 'template', add_bos_token: false })
    expect(header.metadata.get('tokenizer.chat_template')).toBe('{{ x }}')
    expect(header.metadata.get('general.license')).toBe('mit')
    expect(ggufConfig(header)).toMatchObject({ eos_token_id: [2, 5], pad_token_id: 2 })
  })

  test('a way of cutting words that has no name is refused', async () => {
    const strange = { ...(byteTokenizer() as object), pre_tokenizer: { type: 'Whitespace' } }
    await expect(again(strange)).rejects.toThrow('cuts words by a rule that llama.cpp has no name for')
  })
})
