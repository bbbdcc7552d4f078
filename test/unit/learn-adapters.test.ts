import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createDecoder, decoderFrom, type Decoder, type DecoderConfig } from '../../main/core/learn/models/decoder.ts'
import { adapterNames, initialAdapters, mergeAdapter, type LoraOptions } from '../../main/core/learn/models/adapters.ts'
import { initialWeights, sourceOf } from '../../main/core/learn/models/parameters.ts'
import { createRandom } from '../../main/core/learn/random.ts'
import { tokenBatch } from '../../main/core/learn/batches.ts'
import { tf } from '../../main/core/learn/tf.ts'
import { openEngine } from '../../main/workers/engine/choose.ts'

const LLAMA: DecoderConfig = {
  vocabSize: 37,
  layers: 3,
  hidden: 24,
  heads: 4,
  kvHeads: 2,
  headDim: 6,
  feedForward: 29,
  ropeTheta: 10_000,
  normEpsilon: 1e-5,
  tiedEmbeddings: false,
  scoreHead: false,
  attentionBias: true,
  qkNorm: true,
}
const GPT2: DecoderConfig = {
  family: 'gpt2',
  vocabSize: 37,
  layers: 3,
  hidden: 24,
  heads: 4,
  kvHeads: 4,
  headDim: 6,
  feedForward: 31,
  ropeTheta: 1,
  maxPositions: 32,
  normEpsilon: 1e-5,
  tiedEmbeddings: true,
  scoreHead: false,
}
const LORA: LoraOptions = { rank: 3, alpha: 6, dropout: 0, targets: 'all-linear' }

const rows = [
  [1, 5, 9, 2, 7],
  [1, 5, 3, 30],
  [8, 6, 4, 2, 1, 0, 11],
].map((ids) => ({ prompt: ids.slice(0, 2), completion: ids.slice(2), text: '' }))
const decoders: Decoder[] = []
afterEach(() => decoders.splice(0).forEach((decoder) => decoder.dispose()))

function keep(decoder: Decoder): Decoder {
  decoders.push(decoder)
  return decoder
}

function gradients(decoder: Decoder): { readonly value: number; readonly grads: Record<string, Float32Array> } {
  const tokens = tokenBatch(rows, 0)
  const names = Object.entries(decoder.variables)
  const { value, grads } = tf.variableGrads(
    () => tf.neg(tf.mean(decoder.tokenLogProbs(tokens))) as tf.Scalar,
    Object.values(decoder.variables),
  )
  const result = {
    value: value.dataSync()[0]!,
    grads: Object.fromEntries(
      names.map(([name, variable]) => [name, grads[variable.name]!.dataSync<'float32'>().slice()]),
    ),
  }
  tf.dispose([value, ...Object.values(grads), tokens.ids, tokens.attention, tokens.completion])
  return result
}

function lossOf(decoder: Decoder): number {
  const tokens = tokenBatch(rows, 0)
  const loss = tf.tidy(() => tf.neg(tf.mean(decoder.tokenLogProbs(tokens))).dataSync()[0]!)
  tf.dispose([tokens.ids, tokens.attention, tokens.completion])
  return loss
}

/** As trained: B no longer 0. */
function trained(config: DecoderConfig): ReturnType<typeof initialAdapters> {
  const random = createRandom(3)
  const adapters = initialAdapters(config, LORA, random)
  for (const [name, tensor] of Object.entries(adapters))
    if (name.includes('lora_B')) tensor.data.forEach((_value, at) => (tensor.data[at] = random.normal() * 0.1))
  return adapters
}

beforeAll(async () => {
  await openEngine('wasm')
})

describe.each([
  ['Llama', LLAMA],
  ['GPT-2', GPT2],
])('a %s decoder', (_name, config) => {
  test('with fresh adapters computes what it computed without, and trains nothing else', () => {
    const weights = initialWeights(config, createRandom(1))
    const plain = keep(decoderFrom(config, sourceOf(weights)))
    const adapted = keep(
      decoderFrom(config, sourceOf(weights), {
        lora: LORA,
        adapters: sourceOf(initialAdapters(config, LORA, createRandom(2))),
      }),
    )
    expect(Object.keys(adapted.variables).every((name) => /lora_[AB]\.weight$/.test(name))).toBe(true)
    expect(gradients(adapted).value).toBeCloseTo(gradients(plain).value, 6)
    expect(adapted.parameterCount).toBe(plain.parameterCount)
  })

  test('merged computes what the adapters compute', async () => {
    const weights = initialWeights(config, createRandom(1))
    const adapters = trained(config)
    const adapted = keep(decoderFrom(config, sourceOf(weights), { lora: LORA, adapters: sourceOf(adapters) }))
    const apart = lossOf(adapted)
    expect(await adapted.withoutAdapters(() => lossOf(adapted))).not.toBeCloseTo(apart, 4)
    for (const name of Object.keys(adapters).filter((one) => one.endsWith('.lora_A.weight'))) {
      const layer = name.slice(0, -'.lora_A.weight'.length)
      const { a, b } = adapterNames(layer)
      mergeAdapter(
        weights[`${layer}.weight`]!,
        adapters[a]!,
        adapters[b]!,
        LORA.alpha / LORA.rank,
        config.family === 'gpt2',
      )
    }
    expect(lossOf(keep(decoderFrom(config, sourceOf(weights))))).toBeCloseTo(apart, 5)
  })

  test.each([false, true])('computed twice has the same gradients and leaves no tensor (adapters: %s)', (lora) => {
    const weights = initialWeights(config, createRandom(1))
    const options = lora ? { lora: LORA, adapters: sourceOf(trained(config)) } : {}
    const once = keep(decoderFrom(config, sourceOf(weights), options))
    const twice = keep(decoderFrom(config, sourceOf(weights), { ...options, recompute: true }))
    const dropout = (): void =>
      [once, twice].forEach((decoder) => decoder.setDropout({ rate: 0.2, random: createRandom(9) }))
    dropout()
    const expected = gradients(once)
    const before = tf.memory().numTensors
    const actual = gradients(twice)
    expect(tf.memory().numTensors).toBe(before)
    expect(actual.value).toBe(expected.value)
    for (const [name, values] of Object.entries(expected.grads)) {
      expect(values.some((value) => value !== 0) || name.includes('lora_A'), name).toBe(true)
      values.forEach((value, at) =>
        expect(Math.abs(value - actual.grads[name]![at]!), `${name}[${at}]`).toBeLessThan(1e-6),
      )
    }
  })

  test('trains only what it is told to', () => {
    const weights = initialWeights(config, createRandom(1))
    const decoder = keep(decoderFrom(config, sourceOf(weights), { trainable: (name) => name.includes('mlp') }))
    expect(Object.keys(decoder.variables).every((name) => name.includes('mlp'))).toBe(true)
    const all = gradients(keep(createDecoder(config, createRandom(1)))).grads
    for (const [name, values] of Object.entries(gradients(decoder).grads)) expect([...values]).toEqual([...all[name]!])
  })
})

test('computing again keeps less', () => {
  const config = { ...LLAMA, layers: 8 }
  const weights = initialWeights(config, createRandom(1))
  const peak = (recompute: boolean): number => {
    const decoder = keep(decoderFrom(config, sourceOf(weights), { recompute }))
    const before = tf.memory().numBytes
    let most = 0
    const tokens = tokenBatch(rows, 0)
    tf.variableGrads(() => {
      const loss = tf.neg(tf.mean(decoder.tokenLogProbs(tokens))) as tf.Scalar
      most = tf.memory().numBytes - before // what the forward pass leaves for the backward one
      return loss
    }, Object.values(decoder.variables))
    return most
  }
  expect(peak(true)).toBeLessThan(0.5 * peak(false))
})
