import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { initialAdapters } from '../../main/core/learn/models/adapters.ts'
import { sourceOf } from '../../main/core/learn/models/parameters.ts'
import { createRandom } from '../../main/core/learn/random.ts'
import { decoderFrom } from '../../main/core/learn/models/decoder.ts'
import { tf } from '../../main/core/learn/tf.ts'
import { openLanguage } from '../../main/core/learn/tokens/language.ts'
import { loadTokenizer } from '../../main/core/learn/tokens/tokenizer.ts'
import { ggufConfig, hubNameOf } from '../../main/core/models/gguf/architecture.ts'
import { unpackBlocks } from '../../main/core/models/gguf/blocks.ts'
import { packedFormOf, packGguf } from '../../main/core/models/gguf/pack.ts'
import { packedBytes, widen } from '../../main/core/learn/models/packed.ts'
import { readGgufHeader, type GgufHeader } from '../../main/core/models/gguf/header.ts'
import { ggufTokenizer } from '../../main/core/models/gguf/tokenizer.ts'
import { openAnyModel, openModelFolder } from '../../main/core/models/folder.ts'
import { openEngine } from '../../main/workers/engine/choose.ts'
import { AppError } from '../../shared/errors.ts'

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/gguf/${name}`, import.meta.url))
const readFixture = <T>(name: string): T => JSON.parse(readFileSync(fixture(name), 'utf8')) as T

const blocks = readFixture<Record<string, { readonly bytes: string; readonly floats: string }>>('blocks.json')
const expected = readFixture<{
  readonly models: Record<string, { readonly ids: number[]; readonly logits: number[][] }>
  readonly texts: string[]
  readonly vocabularies: Record<string, number[][]>
}>('expected.json')

/** A file with one more key of text at the head of its metadata, which is as long as the alignment wants. */
function withKey(bytes: Buffer, key: string, text: string): Buffer {
  const piece = (value: string): Buffer => {
    const length = Buffer.alloc(8)
    length.writeBigUInt64LE(BigInt(Buffer.byteLength(value)))
    return Buffer.concat([length, Buffer.from(value)])
  }
  const type = Buffer.from([8, 0, 0, 0])
  const bare = piece(key).length + type.length + piece(text).length
  const filler = piece(' '.repeat((32 - (bare % 32)) % 32)).subarray(8)
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(text) + filler.length))
  const entry = Buffer.concat([piece(key), type, length, Buffer.from(text), filler])
  const head = Buffer.from(bytes.subarray(0, 24))
  head.writeBigUInt64LE(head.readBigUInt64LE(16) + 1n, 16)
  return Buffer.concat([head, entry, bytes.subarray(24)])
}

let folder: string
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'pairlab gguf '))
  await openEngine('cpu')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('numbers in blocks', () => {
  test.each(Object.entries(blocks))('%s are bit for bit those of the package gguf', (type, { bytes, floats }) => {
    const found = unpackBlocks(Buffer.from(bytes, 'base64'), type)
    expect(Buffer.from(found.buffer, found.byteOffset, found.byteLength).toString('base64')).toBe(floats)
  })

  test.each(Object.entries(blocks).filter(([type]) => type.startsWith('Q')))(
    '%s kept in fewer bits are the same numbers',
    (type, { bytes, floats }) => {
      const form = packedFormOf(type)!
      const count = Buffer.from(floats, 'base64').length / 4
      const words = packGguf(Buffer.from(bytes, 'base64'), type)
      expect(words.byteLength).toBe(packedBytes(form, count))
      const found = widen({ form, words }, 0, count)
      const wanted = unpackBlocks(Buffer.from(bytes, 'base64'), type)
      expect(found.every((value, at) => value === wanted[at])).toBe(true) // 0 and −0 are one number
    },
  )

  test('numbers that stand alone are not kept so', () => {
    expect(['F32', 'F16', 'BF16'].map(packedFormOf)).toEqual([null, null, null])
    expect(() => packGguf(new Uint8Array(4), 'F32')).toThrow('F32')
  })

  test('a part of a block, and a type that is not read, are refused', () => {
    expect(() => unpackBlocks(new Uint8Array(17), 'Q4_0')).toThrow('inside a block')
    expect(() => unpackBlocks(new Uint8Array(18), 'IQ4_NL')).toThrow('IQ4_NL')
  })
})

describe('a model in one file', () => {
  test.each(Object.entries(expected.models))('%s answers as transformers does', (name, { ids, logits }) => {
    const model = openModelFolder(fixture(`${name}.gguf`))
    expect([model.family, model.unused, model.config.tiedEmbeddings]).toEqual([name, [], name === 'llama'])
    const decoder = decoderFrom(model.config, model)
    model.close()
    const found = tf.tidy(() => {
      const row = tf.tensor2d([ids], [1, ids.length], 'int32')
      const ones = tf.ones<tf.Rank.R2>([1, ids.length])
      return decoder.logits({ ids: row, attention: ones, completion: ones }).arraySync()
    })
    decoder.dispose()
    const last = found[0]!.slice(-logits.length)
    const off = logits.flatMap((row, at) => row.map((value, token) => Math.abs(last[at]![token]! - value)))
    expect(off.length).toBe(2 * 300)
    expect(Math.max(...off)).toBeLessThan(2e-4)
  })

  test.each(Object.keys(expected.models))('%s learns the same beside weights kept as they are stored', (name) => {
    const { ids } = expected.models[name]!
    const lora = { rank: 2, alpha: 4, dropout: 0, targets: 'all-linear' } as const
    const model = openModelFolder(fixture(`${name}.gguf`))
    const found = (['float32', 'stored'] as const).map((frozenStorage) => {
      const adapters = sourceOf(initialAdapters(model.config, lora, createRandom(3)))
      const decoder = decoderFrom(model.config, model, { lora, adapters, frozenStorage })
      const result = tf.tidy(() => {
        const row = tf.tensor2d([ids], [1, ids.length], 'int32')
        const ones = tf.ones<tf.Rank.R2>([1, ids.length])
        const { value, grads } = tf.variableGrads(
          () => tf.neg(tf.mean(decoder.tokenLogProbs({ ids: row, attention: ones, completion: ones }))) as tf.Scalar,
          Object.values(decoder.variables),
        )
        return [value.dataSync()[0], Object.values(grads).map((grad) => [...grad.dataSync()])]
      })
      const bytes = decoder.weightBytes
      decoder.dispose()
      return { result, bytes }
    })
    model.close()
    expect(found[1]!.result).toEqual(found[0]!.result)
    expect(found[1]!.bytes).toBeLessThan(0.75 * found[0]!.bytes)
  })

  test('a folder with one such file and no config.json is that file; of several one has to be named', () => {
    const bytes = readFileSync(fixture('llama.gguf'))
    writeFileSync(path.join(folder, 'a.gguf'), bytes)
    const model = openAnyModel(folder)
    expect([model.kind, model.tensors[0]!.file]).toEqual(['decoder', 'a.gguf'])
    model.close()
    writeFileSync(path.join(folder, 'b.GGUF'), bytes)
    expect(() => openAnyModel(folder)).toThrow('holds 2 GGUF files: a.gguf, b.GGUF')
  })

  test('its hash is that of its bytes, wherever it lies', async () => {
    const [one, other] = [openAnyModel(fixture('llama.gguf')), openAnyModel(fixture('qwen2.gguf'))]
    expect(await one.hash()).toMatch(/^[0-9a-f]{64}$/)
    expect(await one.hash()).not.toBe(await other.hash())
    one.close()
    other.close()
  })
})

describe('a vocabulary', () => {
  test.each(Object.entries(expected.vocabularies))('%s cuts texts as its own tokenizer does', (name, ids) => {
    const tokenizer = loadTokenizer(ggufTokenizer(readGgufHeader(fixture(`${name}.vocab.gguf`))), { endIds: [0] })
    expect(expected.texts.map((text) => tokenizer.encode(text))).toEqual(ids)
    // SentencePiece joins no two texts, and makes a space of its own before one.
    for (const text of expected.texts.filter((one) => name !== 'qwen2' || one.normalize('NFC') === one))
      expect(tokenizer.decode(tokenizer.encode(text))).toBe(text)
  })

  test('the chat template, the names of special tokens and the ends of a turn come with it', () => {
    const file = path.join(folder, 'chat.gguf')
    writeFileSync(file, withKey(readFileSync(fixture('qwen3.gguf')), 'tokenizer.chat_template', '{{ messages }}'))
    const { language } = openAnyModel(file)
    expect([language.chatTemplate?.trimEnd(), language.specialTokens]).toEqual(['{{ messages }}', { eos_token: 't2' }])
    expect(openLanguage(language, 'plain').tokenizer.stopIds).toEqual([2])
  })

  test('texts begin with the token that the file, or its kind, asks for', () => {
    const opening = (name: string, said?: boolean): readonly number[] => {
      const header = readGgufHeader(fixture(`${name}.vocab.gguf`))
      const metadata = new Map(header.metadata)
      if (said !== undefined) metadata.set('tokenizer.ggml.add_bos_token', said)
      return loadTokenizer(ggufTokenizer({ ...header, metadata }), { endIds: [0] }).opening
    }
    expect(['pieces', 'llama-bpe', 'tekken', 'qwen2', 'smollm'].map((name) => opening(name))).toEqual([
      [1],
      [0],
      [0],
      [],
      [],
    ])
    expect([opening('pieces', false), opening('qwen2', true)]).toEqual([[], [0]])
  })

  test('a rule or a kind that is not known is refused by name; a file without one has none', () => {
    const header = readGgufHeader(fixture('qwen2.vocab.gguf'))
    const metadata = new Map(header.metadata).set('tokenizer.ggml.pre', 'of tomorrow')
    expect(() => ggufTokenizer({ ...header, metadata })).toThrow('cuts words by the rule "of tomorrow"')
    expect(() => ggufTokenizer({ ...header, metadata: metadata.set('tokenizer.ggml.model', 'bert') })).toThrow('"bert"')
    expect(ggufTokenizer({ ...header, metadata: new Map() })).toBe(null)
  })
})

describe('what the network is', () => {
  const header = readGgufHeader(fixture('llama.gguf'))
  const withMetadata = (changes: Readonly<Record<string, string | number>>): GgufHeader => ({
    ...header,
    metadata: new Map([...header.metadata, ...Object.entries(changes)]),
  })

  test('is read from the metadata, in the words of config.json', () => {
    expect(ggufConfig(header)).toMatchObject({
      model_type: 'llama',
      vocab_size: 300,
      num_hidden_layers: 2,
      num_key_value_heads: 2,
      head_dim: 8,
      rms_norm_eps: 1e-6,
      rope_theta: 5000,
      tie_word_embeddings: true,
      eos_token_id: 2,
    })
    expect(ggufConfig(withMetadata({ 'llama.attention.sliding_window': 16 }))).toMatchObject({
      model_type: 'mistral',
      sliding_window: 16,
    })
    expect(
      ggufConfig(withMetadata({ 'llama.rope.scaling.type': 'linear', 'llama.rope.scaling.factor': 4 })),
    ).toMatchObject({ rope_scaling: { rope_type: 'linear', factor: 4 } })
    expect(ggufConfig(withMetadata({ 'tokenizer.ggml.eot_token_id': 7 }))).toMatchObject({ eos_token_id: [2, 7] })
  })

  test.each([
    [{ 'general.architecture': 'gemma3' }, 'its architecture is "gemma3"'],
    [{ 'llama.expert_count': 8 }, 'mixture of experts'],
    [{ 'llama.rope.scaling.type': 'yarn', 'llama.rope.scaling.factor': 4 }, '"yarn"'],
  ])('%j is refused by name', (changes, words) => {
    expect(() => ggufConfig(withMetadata(changes))).toThrow(words)
  })

  test('names are those of safetensors; others stay', () => {
    expect(['blk.11.attn_k_norm.weight', 'blk.0.attn_q.bias', 'rope_freqs.weight'].map(hubNameOf)).toEqual([
      'model.layers.11.self_attn.k_norm.weight',
      'model.layers.0.self_attn.q_proj.bias',
      'rope_freqs.weight',
    ])
  })
})

describe('a damaged file', () => {
  const whole = readFileSync(fixture('llama.gguf'))
  const failure = (bytes: Uint8Array): AppError => {
    const file = path.join(folder, 'damaged.gguf')
    writeFileSync(file, bytes)
    try {
      readGgufHeader(file)
    } catch (error) {
      if (error instanceof AppError) return error
      throw error
    }
    throw new Error('it was accepted')
  }
  const patched = (at: number, ...bytes: number[]): Buffer => {
    const copy = Buffer.from(whole)
    copy.set(bytes, at)
    return copy
  }

  test.each([
    ['cut in its header', whole.subarray(0, 900), /byte \d+: it ends inside its header/],
    ['cut in its weights', whole.subarray(0, -40), /it ends inside blk|it ends inside output|it ends inside token/],
    ['empty', new Uint8Array(0), /it ends inside its header/],
    ['no GGUF', patched(0, 80), /does not begin as a GGUF file/],
    ['of version 1', patched(4, 1), /version 1 of GGUF/],
    ['big-endian', patched(4, 0, 0, 0, 3), /big-endian/],
    ['with a number of tensors beyond reason', patched(8, 255, 255, 255, 255), /claims \d+ tensors/],
    ['with a length beyond the file', patched(24, 255, 255, 255, 7), /its header/],
  ])('%s is refused, and says where', (_what, bytes, words) => {
    const error = failure(bytes)
    expect(error.code).toBe('model-unsupported')
    expect(error.message).toMatch(words)
    expect(error.message).toContain('damaged.gguf')
  })

  test('any byte of the header may be wrong: it is refused, or read', () => {
    for (let at = 0; at < 1200; at += 7) {
      const file = path.join(folder, 'any.gguf')
      writeFileSync(file, patched(at, whole[at]! ^ 0x55))
      try {
        openAnyModel(file).close()
      } catch (error) {
        expect(error, `byte ${at}: ${String(error)}`).toBeInstanceOf(AppError)
      }
    }
  })
})
