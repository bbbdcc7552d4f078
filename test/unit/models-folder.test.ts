import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { decoderConfigFile, decoderConfigOf } from '../../main/core/learn/models/hf-config.ts'
import { encodeSafeTensors } from '../../main/core/learn/models/safetensors.ts'
import { openModelFolder } from '../../main/core/models/folder.ts'
import { AppError } from '../../shared/errors.ts'

const golden = (name: string): string => fileURLToPath(new URL(`../golden/models/${name}`, import.meta.url))

let folder: string
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'model-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function copyOf(name: string): void {
  cpSync(golden(name), folder, { recursive: true })
}

function edit(name: string, change: (value: Record<string, never>) => unknown): void {
  const file = path.join(folder, name)
  const value = JSON.parse(readFileSync(file, 'utf8'))
  writeFileSync(file, JSON.stringify(change(value) ?? value))
}

function failure(): AppError {
  try {
    openModelFolder(folder).close()
  } catch (error) {
    if (error instanceof AppError) return error
    throw error
  }
  throw new Error('the folder was accepted')
}

describe('a model folder', () => {
  test('says what it holds', async () => {
    const model = openModelFolder(golden('llama_bf16_sharded'))
    expect(model).toMatchObject({ family: 'llama', dtype: 'BF16', unused: [], licence: null })
    expect(model.language.chatTemplate).toBe(null)
    expect(new Set(model.tensors.map((tensor) => tensor.file)).size).toBe(3)
    expect(model.parameterCount).toBe(
      model.tensors.reduce((sum, tensor) => sum + tensor.shape.reduce((a, b) => a * b, 1), 0),
    )
    const seen: number[] = []
    const hash = await model.hash((done) => seen.push(done))
    expect(hash).toMatch(/^[0-9a-f]{64}$/)
    expect(seen.at(-1)).toBeGreaterThan(model.weightBytes)
    model.close()
  })

  test('lists tensors that nothing reads, and forgives old buffers and a prefix that is missing', () => {
    copyOf('gpt2')
    const whole = openModelFolder(folder)
    const tensors = Object.fromEntries(
      whole.tensors.map(({ name }) => [name.replace(/^transformer\./, ''), whole.read(name)]),
    )
    whole.close()
    const one = { shape: [1], data: Float32Array.of(1) }
    writeFileSync(
      path.join(folder, 'model.safetensors'),
      encodeSafeTensors({
        ...tensors,
        'h.0.attn.bias': one,
        'lm_head.weight': tensors['wte.weight']!,
        'extra.weight': one,
      }),
    )
    const bare = openModelFolder(folder)
    expect(bare.unused).toEqual(['extra.weight'])
    expect(bare.read('transformer.wte.weight').data).toEqual(tensors['wte.weight']!.data)
    bare.close()
  })

  test('finds the licence in a file or in the card', () => {
    copyOf('gpt2')
    writeFileSync(path.join(folder, 'README.md'), '---\nlanguage: en\nlicense: mit\n---\n# A model\n')
    expect(openModelFolder(folder).licence).toEqual({ name: 'README.md', text: 'mit' })
    writeFileSync(path.join(folder, 'LICENSE.txt'), 'All of it')
    expect(openModelFolder(folder).licence).toEqual({ name: 'LICENSE.txt', text: 'All of it' })
  })

  test('refuses pickles, saying why', () => {
    copyOf('gpt2')
    rmSync(path.join(folder, 'model.safetensors'))
    expect(failure().message).toContain('no model.safetensors')
    writeFileSync(path.join(folder, 'pytorch_model.bin'), 'x')
    expect(failure()).toMatchObject({
      code: 'model-unsupported',
      message: expect.stringContaining('pytorch_model.bin'),
      hint: expect.stringContaining('safetensors'),
    })
  })

  test('names a missing shard, a tensor that a shard lacks, and a shard outside', () => {
    copyOf('llama_bf16_sharded')
    const index = 'model.safetensors.index.json'
    edit(index, (value) => ({
      ...value,
      weight_map: {
        ...(value['weight_map'] as unknown as object),
        'model.layers.0.self_attn.q_proj.weight': 'model-00003-of-00003.safetensors',
      },
    }))
    expect(failure().message).toBe(
      'model-00003-of-00003.safetensors does not hold model.layers.0.self_attn.q_proj.weight, which the index says it does.',
    )
    edit(index, (value) => ({ ...value, weight_map: { 'model.norm.weight': '../elsewhere.safetensors' } }))
    expect(failure().message).toContain('"../elsewhere.safetensors", which is not in the model\'s folder')
    copyOf('llama_bf16_sharded')
    rmSync(path.join(folder, 'model-00002-of-00003.safetensors'))
    expect(failure().message).toBe('The shard model-00002-of-00003.safetensors is missing.')
  })

  test('names a tensor of another shape, one that is missing, and a file cut short', () => {
    copyOf('qwen2_bias_tied')
    edit('config.json', (value) => ({ ...value, intermediate_size: 100 }))
    expect(failure().message).toMatch(
      /mlp\.gate_proj\.weight in model\.safetensors has shape \[96, 48\]; config\.json asks for \[100, 48\]/,
    )
    edit('config.json', (value) => ({ ...value, intermediate_size: 96, num_hidden_layers: 3 }))
    expect(failure().message).toContain('no tensor model.layers.2.input_layernorm.weight of shape [48]')
    copyOf('qwen2_bias_tied')
    truncateSync(path.join(folder, 'model.safetensors'), 150_000)
    expect(failure()).toMatchObject({
      code: 'model-unsupported',
      message: expect.stringMatching(/^model\.safetensors: it ends inside /),
    })
    writeFileSync(path.join(folder, 'model.safetensors'), Buffer.from([255, 255, 255, 255, 255, 0, 0, 0, 1]))
    expect(failure().message).toContain('its header claims 1099511627775 bytes')
  })

  test('refuses tensors that overlap or have too few bytes', () => {
    copyOf('gpt2')
    const header = (entries: object): Buffer => {
      const json = Buffer.from(JSON.stringify(entries))
      const length = Buffer.alloc(8)
      length.writeBigUInt64LE(BigInt(json.length))
      return Buffer.concat([length, json, Buffer.alloc(16)])
    }
    const entry = (shape: number[], begin: number, end: number): object => ({
      dtype: 'F32',
      shape,
      data_offsets: [begin, end],
    })
    writeFileSync(path.join(folder, 'model.safetensors'), header({ a: entry([2], 0, 8), b: entry([2], 4, 12) }))
    expect(failure().message).toContain('b overlaps a')
    writeFileSync(path.join(folder, 'model.safetensors'), header({ a: entry([3], 0, 8) }))
    expect(failure().message).toContain('a has 8 bytes for shape [3] of F32')
  })
})

describe('config.json', () => {
  test.each(['gpt2', 'llama_gqa_tied_rope3', 'llama_gqa_untied', 'qwen2_bias_tied', 'qwen3_qknorm_headdim'])(
    'of %s reads alike in both spellings and after a round trip',
    (name) => {
      const read = (file: string): unknown => JSON.parse(readFileSync(path.join(golden(name), file), 'utf8'))
      const config = decoderConfigOf(read('config.json'))
      expect(decoderConfigOf(read('config.v4.json'))).toEqual(config)
      expect(decoderConfigOf(decoderConfigFile(config, 64))).toEqual(config)
    },
  )

  const llama = {
    model_type: 'llama',
    vocab_size: 10,
    num_hidden_layers: 1,
    hidden_size: 8,
    num_attention_heads: 2,
    intermediate_size: 8,
  }
  test('of a model that is not read names what stands in the way', () => {
    const message = (file: object): string => {
      try {
        decoderConfigOf(file)
      } catch (error) {
        return (error as Error).message
      }
      return ''
    }
    expect(message({ ...llama, model_type: 'mixtral' })).toContain('"mixtral"')
    expect(message({ ...llama, hidden_act: 'gelu' })).toContain('hidden_act is "gelu"')
    expect(message({ ...llama, rope_scaling: { rope_type: 'yarn', factor: 2 } })).toContain('rope type "yarn"')
    expect(message({ ...llama, rope_scaling: { type: 'linear' } })).toContain('needs factor')
    expect(message({ ...llama, vocab_size: 'many' })).toContain('vocab_size')
    expect(
      message({ ...llama, model_type: 'qwen2', sliding_window: 4, use_sliding_window: true, max_window_layers: 1 }),
    ).toContain('max_window_layers')
    expect(message({})).toContain('does not say its model_type')
  })

  test('gives Mistral its window and Llama the older scaling', () => {
    expect(decoderConfigOf({ ...llama, model_type: 'mistral', sliding_window: 4096 })).toMatchObject({
      family: 'mistral',
      window: 4096,
      tiedEmbeddings: false,
    })
    expect(decoderConfigOf({ ...llama, rope_scaling: { type: 'linear', factor: 4 } }).ropeScaling).toEqual({
      kind: 'linear',
      factor: 4,
    })
  })
})
