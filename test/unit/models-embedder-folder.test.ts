import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { encoderConfigFile, encoderConfigOf } from '../../main/core/learn/models/encoder-config.ts'
import { mergedEncoderSource } from '../../main/core/learn/models/encoder-parameters.ts'
import { createRandom } from '../../main/core/learn/random.ts'
import { encodeSafeTensors } from '../../main/core/learn/models/safetensors.ts'
import { loadTextTokenizer } from '../../main/core/learn/tokens/text-tokenizer.ts'
import { embedWith, openEmbedder } from '../../main/core/models/embedder-folder.ts'
import { openAnyModel, openModelFolder } from '../../main/core/models/folder.ts'
import { hashModel, readModel } from '../../main/core/models/read-model.ts'
import { saveCopy } from '../support/save-copy.ts'
import { openEngine } from '../../main/workers/engine/choose.ts'
import { AppError } from '../../shared/errors.ts'

const golden = (name: string): string => fileURLToPath(new URL(`../golden/models-encoders/${name}`, import.meta.url))
const read = (...parts: string[]): Record<string, never> => JSON.parse(readFileSync(path.join(...parts), 'utf8'))
const MODELS = ['bert', 'bert_f16_sharded_old', 'distilbert_bf16', 'llama_lasttoken'] as const
const TEXTS = ['hello world', 'The cat sat on the mat.', '', 'Café 北京']

let scratch: string
let folder: string
beforeAll(async () => {
  await openEngine('wasm')
})
beforeEach(() => {
  scratch = mkdtempSync(path.join(os.tmpdir(), 'embedder-'))
  folder = path.join(scratch, 'model')
})
afterEach(() => rmSync(scratch, { recursive: true, force: true }))

function copyOf(name: (typeof MODELS)[number]): void {
  rmSync(folder, { recursive: true, force: true })
  cpSync(golden(name), folder, { recursive: true })
}

function edit(name: string, change: (value: Record<string, never>) => unknown): void {
  writeFileSync(path.join(folder, name), JSON.stringify(change(read(folder, name))))
}

function failure(work: () => unknown = () => openEmbedder(folder).embedder.dispose()): AppError {
  try {
    work()
  } catch (error) {
    if (error instanceof AppError) return error
    throw error
  }
  throw new Error('it was accepted')
}

async function vectorsOf(at: string): Promise<number[]> {
  const opened = openEmbedder(at)
  try {
    return [...(await embedWith(opened, TEXTS)).vectors]
  } finally {
    opened.embedder.dispose()
  }
}

describe('the folder of an encoder', () => {
  test('says what it holds: a head inside or outside, shards, old names', () => {
    const model = openAnyModel(golden('bert_f16_sharded_old'))
    expect(model).toMatchObject({
      kind: 'encoder',
      family: 'bert',
      dtype: 'F16',
      config: { activation: 'tanh', normEpsilon: 1e-5, tokenTypes: 2 },
    })
    expect(model.unused.every((name) => name.startsWith('cls.'))).toBe(true)
    expect(model.unused.length).toBe(5)
    expect(model.tensors.map((tensor) => tensor.name)).toContain('bert.embeddings.LayerNorm.gamma')
    expect(model.read('embeddings.LayerNorm.weight').shape).toEqual([24])
    model.close()
    const bare = openAnyModel(golden('bert'))
    expect(bare).toMatchObject({ dtype: 'F32', unused: ['pooler.dense.bias', 'pooler.dense.weight'] })
    bare.close()
    const distil = openAnyModel(golden('distilbert_bf16'))
    expect(distil).toMatchObject({
      family: 'distilbert',
      dtype: 'BF16',
      config: { tokenTypes: 0, feedForward: 36, heads: 4 },
    })
    distil.close()
  })

  test('is registered as an encoder, with the files that its vectors depend on, and hashed with them', async () => {
    copyOf('bert_f16_sharded_old')
    const { facts, files } = readModel(folder)
    expect(facts).toMatchObject({ kind: 'encoder', family: 'bert', contextLength: 24, hasTokenizer: true })
    expect(files).toEqual([
      '1_Pooling/config.json',
      '2_Dense/config.json',
      '2_Dense/model.safetensors',
      'config.json',
      'model-00001-of-00002.safetensors',
      'model-00002-of-00002.safetensors',
      'model.safetensors.index.json',
      'modules.json',
      'sentence_bert_config.json',
      'tokenizer.json',
      'tokenizer_config.json',
    ])
    const before = await hashModel(folder, () => undefined)
    edit('1_Pooling/config.json', (value) => ({ ...value, pooling_mode_max_tokens: false }))
    expect(await hashModel(folder, () => undefined)).not.toBe(before)
  })

  test('is refused where a decoder is needed, by name', () => {
    expect(failure(() => openModelFolder(golden('bert')))).toMatchObject({
      code: 'model-unsupported',
      message: expect.stringMatching(/is an encoder \("bert"\): it cannot write completions/),
    })
  })

  test.each(['bert', 'distilbert_bf16', 'bert_f16_sharded_old'] as const)(
    'config.json of %s is the same after a round trip',
    (name) => {
      const file = read(golden(name), 'config.json')
      const config = encoderConfigOf(String(file['model_type']), file)
      expect(encoderConfigOf(config.family, encoderConfigFile(config))).toEqual(config)
      const { dim, n_layers: layers, n_heads: heads, ...rest } = file as Record<string, unknown>
      if (name === 'distilbert_bf16')
        expect(
          encoderConfigOf('distilbert', {
            ...rest,
            hidden_size: dim,
            num_hidden_layers: layers,
            num_attention_heads: heads,
          }),
        ).toEqual(config)
    },
  )
})

describe('an encoder that cannot be read', () => {
  const config = (change: object): string =>
    failure(() => openAnyModel((copyOf('bert'), edit('config.json', (value) => ({ ...value, ...change })), folder)))
      .message
  test('is refused by its name', () => {
    for (const [type, name] of [
      ['roberta', 'RoBERTa'],
      ['deberta-v2', 'DeBERTa-v2'],
      ['mpnet', 'MPNet'],
      ['modernbert', 'ModernBERT'],
    ])
      expect(config({ model_type: type })).toContain(`${name} encoders ("${type}") are not supported`)
    expect(config({ model_type: 'rwkv' })).toContain('"rwkv"')
    expect(config({ position_embedding_type: 'relative_key' })).toContain('position_embedding_type is "relative_key"')
    expect(config({ hidden_act: 'swish' })).toContain('hidden_act is "swish"')
    expect(config({ is_decoder: true })).toContain('as a decoder')
    expect(config({ num_attention_heads: 5 })).toContain('do not divide into 5 heads')
    expect(config({ vocab_size: 'many' })).toContain('vocab_size')
  })

  test('names the tensor or the file', () => {
    expect(config({ intermediate_size: 41 })).toMatch(
      /encoder\.layer\.0\.intermediate\.dense\.weight in model\.safetensors has shape \[40, 24\]; config\.json asks for \[41, 24\]/,
    )
    expect(config({ num_hidden_layers: 3 })).toContain(
      'no tensor encoder.layer.2.attention.self.query.weight of shape [24, 24]',
    )
    copyOf('bert')
    rmSync(path.join(folder, 'model.safetensors'))
    writeFileSync(path.join(folder, 'pytorch_model.bin'), 'x')
    expect(failure().message).toContain('pytorch_model.bin, a pickle file')
    copyOf('bert_f16_sharded_old')
    rmSync(path.join(folder, 'model-00002-of-00002.safetensors'))
    expect(failure().message).toBe('The shard model-00002-of-00002.safetensors is missing.')
    copyOf('bert')
    rmSync(path.join(folder, 'tokenizer.json'))
    expect(failure().message).toContain('no tokenizer.json')
    copyOf('bert')
    cpSync(path.join(golden('bert_f16_sharded_old'), 'tokenizer.json'), path.join(folder, 'tokenizer.json'))
    expect(failure().message).toMatch(/tokenizer has \d+ tokens and the model's embedding 156/)
  })

  test('names the module', () => {
    const modules = (change: (list: Record<string, unknown>[]) => unknown): string => {
      copyOf('bert_f16_sharded_old')
      edit('modules.json', (value) => change(value as unknown as Record<string, unknown>[]))
      return failure().message
    }
    const last = { idx: 3, name: '3', path: '3_LSTM', type: 'sentence_transformers.models.LSTM' }
    expect(modules((list) => [...list, last])).toContain('has the module LSTM (3_LSTM) behind Pooling')
    expect(modules((list) => [list[0]])).toContain('has nothing behind the network')
    expect(
      modules((list) => [{ ...list[0], type: 'sentence_transformers.models.CLIPModel' }, ...list.slice(1)]),
    ).toContain('begins with CLIPModel')
    expect(modules((list) => [list[0], { ...list[1], path: '../1_Pooling' }])).toContain(
      '"../1_Pooling", which is not in the model\'s folder',
    )
    expect(modules((list) => [list[0], { ...list[1], path: '0_Transformer/1_Pooling' }])).toContain(
      "not in the model's folder",
    )
    expect(modules(() => ({}))).toContain('modules.json cannot be used')
    expect(modules((list) => [list[0], { ...list[1], path: '9_Pooling' }])).toContain('no 9_Pooling/config.json')
    const inside = (name: string, change: object): AppError => {
      copyOf('bert_f16_sharded_old')
      edit(name, (value) => ({ ...value, ...change }))
      return failure()
    }
    expect(inside('1_Pooling/config.json', { pooling_mode: 'attention' })).toMatchObject({
      message: '1_Pooling/config.json: the pooling "attention" is not supported.',
      hint: expect.stringContaining('lasttoken'),
    })
    expect(inside('1_Pooling/config.json', { include_prompt: false }).message).toContain('include_prompt is false')
    expect(
      inside('2_Dense/config.json', { activation_function: 'torch.nn.modules.activation.Mish' }).message,
    ).toContain('Mish')
    expect(inside('2_Dense/config.json', { use_residual: true }).message).toContain('use_residual')
    expect(inside('2_Dense/config.json', { module_input_name: 'token_embeddings' }).message).toContain(
      'works on "token_embeddings"',
    )
    expect(inside('2_Dense/config.json', { in_features: 24 }).message).toContain(
      'dense layer 0 takes 24 numbers, and what comes before it gives 120',
    )
    expect(inside('2_Dense/config.json', { out_features: 11 }).message).toContain(
      'dense.0.weight has shape [10, 120], expected [11, 120]',
    )
    copyOf('bert_f16_sharded_old')
    rmSync(path.join(folder, '2_Dense/model.safetensors'))
    expect(failure().message).toContain('no 2_Dense/model.safetensors')
    writeFileSync(path.join(folder, '2_Dense/pytorch_model.bin'), 'x')
    expect(failure().message).toContain('2_Dense/pytorch_model.bin, a pickle file')
    writeFileSync(
      path.join(folder, '2_Dense/model.safetensors'),
      encodeSafeTensors({ x: { shape: [1], data: new Float32Array(1) } }),
    )
    expect(failure().message).toBe('2_Dense/model.safetensors has no tensor linear.weight.')
  })
})

describe('what an embedder reads beside the weights', () => {
  test('the mean without modules, prompts and their default, the lower of two limits', async () => {
    copyOf('bert')
    rmSync(path.join(folder, 'modules.json'))
    writeFileSync(
      path.join(folder, 'config_sentence_transformers.json'),
      JSON.stringify({ prompts: { query: 'query: ', document: '' }, default_prompt_name: 'query' }),
    )
    writeFileSync(
      path.join(folder, 'sentence_bert_config.json'),
      JSON.stringify({ max_seq_length: 500, do_lower_case: true }),
    )
    const opened = openEmbedder(folder)
    expect(opened).toMatchObject({
      maxTokens: 32,
      setup: { lowercase: true, head: { pooling: ['mean'], normalize: false } },
    })
    const embed = async (text: string, prompt?: string): Promise<number[]> => [
      ...(await embedWith(opened, [text], prompt === undefined ? {} : { prompt })).vectors,
    ]
    expect(await embed('the cat')).toEqual(await embed('query: the cat', 'document'))
    await expect(embed('the cat', 'passage')).rejects.toMatchObject({
      code: 'not-found',
      hint: 'It has: query, document.',
    })
    expect((await embedWith(opened, ['the '.repeat(40), 'cat'])).cutCount).toBe(1)
    opened.embedder.dispose()
  })

  test('a text without a token is named', async () => {
    copyOf('llama_lasttoken')
    edit('tokenizer.json', (value) => ({ ...value, post_processor: null }))
    const opened = openEmbedder(folder)
    await expect(embedWith(opened, ['the cat', ''])).rejects.toMatchObject({
      code: 'input-invalid',
      message: expect.stringContaining('text 2 has no token'),
    })
    opened.embedder.dispose()
  })

  test('a tokenizer’s special tokens cannot be written into a text, even where it splits at spaces alone', () => {
    const json = read(golden('bert'), 'tokenizer.json') as unknown as { pre_tokenizer: object }
    const tokenizer = loadTextTokenizer({ ...json, pre_tokenizer: { type: 'WhitespaceSplit' }, normalizer: null })
    expect(tokenizer.encode('the [SEP] [PAD] cat').ids).toEqual([
      2,
      ...[tokenizer.encode('the').ids[1]!, 1, 1, tokenizer.encode('cat').ids[1]!],
      3,
    ])
    expect(tokenizer.encode('the cat', 3)).toEqual({ ids: [2, tokenizer.encode('the').ids[1], 3], cut: true })
    expect(() => tokenizer.encode('the', 1)).toThrow('1 tokens do not hold the 2')
    expect(failure(() => loadTextTokenizer({})).code).toBe('model-unsupported')
  })
})

describe('a saved embedder', () => {
  test.each(MODELS)('of %s embeds the same, and bit for bit the same after a second round', async (name) => {
    const files = await saveCopy(golden(name), folder)
    expect(files).toEqual(
      expect.arrayContaining([
        '1_Pooling/config.json',
        'README.md',
        'config.json',
        'model.safetensors',
        'modules.json',
        'sentence_bert_config.json',
        'tokenizer.json',
        'tokenizer_config.json',
      ]),
    )
    expect(await vectorsOf(folder)).toEqual(await vectorsOf(golden(name)))
    const [first, second] = [openAnyModel(golden(name), true), openAnyModel(folder, true)]
    expect(second.dtype).toBe('F32')
    for (const tensor of second.tensors)
      if (!/pooler|lm_head/.test(tensor.name))
        expect(second.read(tensor.name).data, tensor.name).toEqual(first.read(tensor.name).data)
    first.close()
    second.close()
    expect(existsSync(`${folder}.partial`)).toBe(false)
    await saveCopy(folder, `${folder}2`)
    for (const file of files)
      expect(readFileSync(path.join(`${folder}2`, file)), file).toEqual(readFileSync(path.join(folder, file)))
    if (name === 'bert') expect(readModel(folder).facts.unused).toEqual(['pooler.dense.bias', 'pooler.dense.weight'])
  })

  test('has its adapters merged', async () => {
    const opened = openEmbedder(golden('bert'), {
      lora: { options: { rank: 2, alpha: 4, dropout: 0, targets: 'all-linear' }, random: createRandom(5) },
    })
    const { embedder } = opened
    const random = createRandom(6)
    const adapters = Object.fromEntries(
      Object.entries(await embedder.toTensors()).map(([name, tensor]) => [
        name,
        name.includes('lora_B') ? { ...tensor, data: tensor.data.map(() => random.normal() * 0.2) } : tensor,
      ]),
    )
    embedder.fromTensors(adapters)
    const apart = [...(await embedWith(opened, TEXTS)).vectors]
    embedder.dispose()
    await saveCopy(golden('bert'), folder, (own) => mergedEncoderSource(own, adapters, 4 / 2))
    const merged = await vectorsOf(folder)
    const plain = await vectorsOf(golden('bert'))
    merged.forEach((value, at) => expect(value).toBeCloseTo(apart[at]!, 5))
    expect(Math.max(...merged.map((value, at) => Math.abs(value - plain[at]!)))).toBeGreaterThan(0.05)
  })

  test('does not go into a full folder', async () => {
    mkdirSync(folder)
    writeFileSync(path.join(folder, 'mine'), '')
    await expect(saveCopy(golden('bert'), folder)).rejects.toMatchObject({
      code: 'input-invalid',
      message: `${folder} is not empty.`,
    })
  })
})
