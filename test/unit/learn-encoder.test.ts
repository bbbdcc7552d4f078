import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { textTokens } from '../../main/core/learn/embed/embed-texts.ts'
import { createDecoder, decoderFrom } from '../../main/core/learn/models/decoder.ts'
import { decoderEmbedder, type EmbeddingHead, encoderEmbedder } from '../../main/core/learn/models/embedder.ts'
import { createEncoder, encoderFrom } from '../../main/core/learn/models/encoder.ts'
import {
  encoderAdapterShapes,
  encoderShapes,
  freshEncoderWeights,
  initialEncoderAdapters,
  mergedEncoderSource,
} from '../../main/core/learn/models/encoder-parameters.ts'
import { packSequences, packWhole } from '../../main/core/learn/models/packing.ts'
import { initialWeights, sourceOf } from '../../main/core/learn/models/parameters.ts'
import { pool, type PoolingMode } from '../../main/core/learn/models/pooling.ts'
import { createRandom } from '../../main/core/learn/random.ts'
import { tf } from '../../main/core/learn/tf.ts'
import { openEngine } from '../../main/workers/engine/choose.ts'
import {
  BERT,
  DISTILBERT,
  embed,
  encoder,
  expectClose,
  gradients,
  keep,
  LLAMA,
  LORA,
  MEAN,
  ROWS,
  trainedAdapters,
} from '../support/tiny-encoder.ts'
import { disposeKept, forgetKept } from '../support/tiny-encoder.ts'

afterEach(disposeKept)

describe.each(['cpu', 'wasm'] as const)('on %s', (engine) => {
  beforeAll(async () => {
    await openEngine(engine)
  })

  describe('pooling', () => {
    // Two rows of three and of one tokens, two numbers each.
    const states = [
      [1, -2],
      [3, 5],
      [-4, 0],
      [2, -7],
    ]
    const packing = packWhole([[1, 2, 3], [4]])
    const pooled = (modes: readonly PoolingMode[]): number[][] =>
      tf.tidy(() =>
        pool(
          (wanted) => tf.tensor2d(wanted === null ? states : [...wanted].map((at) => states[at]!)),
          packing,
          modes,
        ).arraySync(),
      )
    test.each<[PoolingMode, number[][]]>([
      [
        'cls',
        [
          [1, -2],
          [2, -7],
        ],
      ],
      [
        'lasttoken',
        [
          [-4, 0],
          [2, -7],
        ],
      ],
      [
        'max',
        [
          [3, 5],
          [2, -7],
        ],
      ],
      [
        'mean',
        [
          [0, 1],
          [2, -7],
        ],
      ],
      [
        'mean_sqrt_len_tokens',
        [
          [0, 3 / Math.sqrt(3)],
          [2, -7],
        ],
      ],
      [
        'weightedmean',
        [
          [(1 + 6 - 12) / 6, (-2 + 10) / 6],
          [2, -7],
        ],
      ],
    ])('%s gives what a hand gives', (mode, expected) => {
      pooled([mode]).forEach((row, at) => expectClose(row, expected[at]!, 1e-6, mode))
    })

    test('lays several end to end, in their order', () => {
      expect(pooled(['lasttoken', 'cls'])).toEqual([
        [-4, 0, 1, -2],
        [2, -7, 2, -7],
      ])
      expect(pooled(['max', 'cls', 'lasttoken'])[0]).toEqual([3, 5, 1, -2, -4, 0])
      expect(() => pooled([])).toThrow('at least one')
    })

    test('counts a beginning that rows share in each of them', () => {
      const shared = packSequences([
        [1, 2, 3],
        [1, 2, 4],
      ])
      expect(shared.ids.length).toBe(4)
      const rows = tf.tidy(() =>
        pool(
          (wanted) =>
            tf.tensor2d(wanted === null ? [[3], [6], [9], [30]] : [...wanted].map((at) => [[3], [6], [9], [30]][at]!)),
          shared,
          ['mean', 'lasttoken'],
        ).arraySync(),
      )
      expect(rows[0]).toEqual([expect.closeTo(6, 5), 9])
      expect(rows[1]).toEqual([expect.closeTo(13, 5), 30])
    })
  })

  test.each([
    ['BERT', BERT],
    ['DistilBERT', DISTILBERT],
  ] as const)('a row of %s is the same alone and in a padded batch', (_name, config) => {
    const network = keep(createEncoder(config, createRandom(4)))
    for (const pooling of ['cls', 'max', 'mean', 'lasttoken'] as const) {
      const embedder = encoderEmbedder(network, { pooling: [pooling], dense: [], normalize: false })
      const together = embed(embedder, ROWS)
      ROWS.forEach((row, at) => expectClose(embed(embedder, [row])[0]!, together[at]!, 2e-6, `${pooling} ${at}`))
    }
  })

  test('a token sees what follows it, and a decoder’s does not', () => {
    const states = (rows: number[][]): number[] =>
      tf.tidy(
        () =>
          keep(createEncoder(BERT, createRandom(4)))
            .lastHiddenStates(textTokens(rows, 0))
            .arraySync()[0]![0]!,
      )
    expect(states([[1, 2, 3]])).not.toEqual(states([[1, 2, 4]]))
    const decoder = keep(
      decoderEmbedder(createDecoder({ ...LLAMA, scoreHead: false }, createRandom(4)), {
        pooling: ['cls'],
        dense: [],
        normalize: false,
      }),
    )
    expect(embed(decoder, [[1, 2, 3]])).toEqual(embed(decoder, [[1, 2, 4]]))
  })

  test('gradients are the slopes of the loss', () => {
    const head: EmbeddingHead = {
      pooling: ['max', 'weightedmean'],
      dense: [{ inputs: 40, outputs: 6, bias: true, activation: 'tanh' }],
      normalize: true,
    }
    const random = createRandom(8)
    const weights = sourceOf({
      'dense.0.weight': { shape: [6, 40], data: Float32Array.from({ length: 240 }, () => random.normal() * 0.3) },
      'dense.0.bias': { shape: [6], data: new Float32Array(6) },
    })
    const network = encoderFrom(
      { ...BERT, layers: 2 },
      {
        read: (name) => {
          const tensor = freshEncoderWeights({ ...BERT, layers: 2 }, createRandom(1)).read(name)
          return tensor.shape.length === 2 ? { ...tensor, data: tensor.data.map((value) => value * 10) } : tensor
        },
      },
    )
    const embedder = keep(encoderEmbedder(network, head, { weights }))
    const { grads } = gradients(embedder)
    for (const name of [
      'embeddings.word_embeddings.weight',
      'embeddings.token_type_embeddings.weight',
      'encoder.layer.0.attention.self.query.weight',
      'encoder.layer.0.output.LayerNorm.bias',
      'encoder.layer.1.intermediate.dense.weight',
      'dense.0.weight',
      'dense.0.bias',
    ]) {
      const variable = embedder.variables[name]!
      const start = variable.dataSync().slice()
      const gradient = grads[name]!
      const at = gradient.reduce(
        (best, value, index) => (Math.abs(value) > Math.abs(gradient[best]!) ? index : best),
        0,
      )
      const lossAt = (change: number): number => {
        const moved = start.slice()
        moved[at]! += change
        tf.tidy(() => variable.assign(tf.tensor(moved, variable.shape)))
        return gradients(embedder).value
      }
      const step = 4e-3
      const slope = (lossAt(step) - lossAt(-step)) / (2 * step)
      lossAt(0)
      expect(Math.abs(slope - gradient[at]!), `${name}[${at}]: ${slope} and ${gradient[at]}`).toBeLessThan(
        0.02 * Math.abs(gradient[at]!) + 2e-3,
      )
    }
  })
})

describe.each([
  ['BERT', BERT],
  ['DistilBERT', DISTILBERT],
] as const)('a %s on wasm', (_name, config) => {
  beforeAll(async () => {
    await openEngine('wasm')
  })

  test('with fresh adapters computes what it computed without, and trains nothing else', () => {
    const adapted = encoder(config, {
      lora: LORA,
      adapters: sourceOf(initialEncoderAdapters(config, LORA, createRandom(2))),
    })
    expect(Object.keys(adapted.variables)).toEqual(Object.keys(encoderAdapterShapes(config, LORA)))
    expect(Object.keys(adapted.variables).length).toBe(3 * 6 * 2)
    expect(gradients(adapted).value).toBeCloseTo(gradients(encoder(config)).value, 6)
    expect(adapted.parameterCount).toBe(encoder(config).parameterCount)
    for (const [targets, count] of [
      ['attention', 4],
      ['mlp', 2],
    ] as const)
      expect(Object.keys(encoderAdapterShapes(config, { ...LORA, targets })).length).toBe(3 * count * 2)
  })

  test('merged computes what the adapters compute', async () => {
    const adapters = trainedAdapters(config)
    const adapted = encoder(config, { lora: LORA, adapters: sourceOf(adapters) })
    const apart = gradients(adapted).value
    const plain = embed(encoder(config), ROWS)
    expect(await adapted.withoutAdapters(() => embed(adapted, ROWS))).toEqual(plain)
    expect(embed(adapted, ROWS)).not.toEqual(plain)
    const merged = encoderFrom(
      config,
      mergedEncoderSource(freshEncoderWeights(config, createRandom(1)), adapters, LORA.alpha / LORA.rank),
    )
    expect(gradients(keep(encoderEmbedder(merged, MEAN))).value).toBeCloseTo(apart, 5)
  })

  test('trains only what it is told to, with the gradients it has when all train', () => {
    const some = encoder(config, { trainable: (name) => name.includes('layer.1.') })
    expect(Object.keys(some.variables).length).toBe(16)
    const all = gradients(encoder(config)).grads
    for (const [name, values] of Object.entries(gradients(some).grads)) expectClose(values, all[name]!, 1e-6, name)
    expect(Object.keys(all)).toEqual(Object.keys(encoderShapes(config)))
    for (const [name, values] of Object.entries(all))
      expect(
        values.some((value) => value !== 0),
        name,
      ).toBe(true)
  })

  test('computed twice has the same gradients, with dropout', () => {
    const both = [false, true].map((recompute) => encoder(config, { recompute }))
    for (const one of both) one.setDropout({ rate: 0.2, random: createRandom(9) })
    const [once, twice] = both.map((one) => gradients(one))
    expect(twice!.value).toBe(once!.value)
    for (const [name, values] of Object.entries(once!.grads)) expectClose(twice!.grads[name]!, values, 1e-5, name)
    both[0]!.setDropout(null)
    expect(gradients(both[0]!).value).not.toBe(once!.value)
  })

  test('100 passes forward and back leave no tensor', () => {
    const embedder = encoder(config, { lora: LORA, adapters: sourceOf(trainedAdapters(config)) })
    gradients(embedder)
    const before = tf.memory()
    for (let at = 0; at < 100; at += 1) gradients(embedder)
    expect([tf.memory().numTensors, tf.memory().numBytes]).toEqual([before.numTensors, before.numBytes])
    embedder.dispose()
    forgetKept()
  })

  test('puts back what it gave', async () => {
    const first = encoder(config)
    const second = keep(encoderEmbedder(createEncoder(config, createRandom(77)), MEAN))
    expect(embed(second, ROWS)).not.toEqual(embed(first, ROWS))
    const tensors = await first.toTensors()
    second.fromTensors(tensors)
    expect(embed(second, ROWS)).toEqual(embed(first, ROWS))
    const { 'embeddings.LayerNorm.bias': _left, ...fewer } = tensors
    expect(() => second.fromTensors(fewer)).toThrow('embeddings.LayerNorm.bias')
  })
})

describe('a decoder that embeds', () => {
  beforeAll(async () => {
    await openEngine('wasm')
  })

  test('gives the pooled states, trains all but its heads, and shares beginnings', () => {
    const head: EmbeddingHead = { pooling: ['lasttoken'], dense: [], normalize: false }
    const embedder = keep(decoderEmbedder(createDecoder(LLAMA, createRandom(2)), head))
    expect(Object.keys(embedder.variables)).not.toContain('lm_head.weight')
    expect(Object.keys(embedder.variables)).not.toContain('score.weight')
    expect(embedder).toMatchObject({ dim: 20, maxTokens: null })
    const decoder = keep(decoderFrom(LLAMA, sourceOf(initialWeights(LLAMA, createRandom(2)))))
    ROWS.forEach((row, at) => {
      const states = tf.tidy(() => decoder.hiddenStates(packSequences([row])).arraySync())
      expectClose(embed(embedder, ROWS)[at]!, states.at(-1)!, 1e-5, String(at))
    })
    const { grads } = gradients(embedder)
    for (const [name, values] of Object.entries(grads))
      expect(
        values.some((value) => value !== 0),
        name,
      ).toBe(true)
  })
})

describe('what cannot be', () => {
  beforeAll(async () => {
    await openEngine('cpu')
  })

  test('is refused with its reason, and leaves no tensor', () => {
    const count = tf.memory().numTensors
    const fresh = freshEncoderWeights(BERT, createRandom(1))
    expect(() => encoderFrom({ ...BERT, heads: 3 }, fresh)).toThrow('20 numbers a token do not divide into 3 heads')
    expect(() => encoderFrom(BERT, fresh, { lora: LORA })).toThrow('adapters need their first numbers')
    expect(() =>
      encoderFrom(BERT, {
        read: (name) =>
          name.endsWith('layer.2.output.dense.weight') ? { shape: [2], data: new Float32Array(2) } : fresh.read(name),
      }),
    ).toThrow('encoder.layer.2.output.dense.weight has shape [2], expected [20, 27]')
    expect(tf.memory().numTensors).toBe(count)
    const network = keep(createEncoder(BERT, createRandom(1)))
    const dense = { inputs: 21, outputs: 4, bias: true, activation: 'identity' } as const
    expect(() => encoderEmbedder(network, { ...MEAN, dense: [dense] })).toThrow(
      'dense layer 0 takes 21 numbers, and what comes before it gives 20',
    )
    expect(() => encoderEmbedder(network, { ...MEAN, dense: [{ ...dense, inputs: 20 }] })).toThrow('need their weights')
    const embedder = encoderEmbedder(network, MEAN)
    expect(() => embed(embedder, [Array.from({ length: 17 }, () => 1)])).toThrow('knows 16 positions')
    expect(() => embed(embedder, [[1, 31]])).toThrow('token 31 is outside the vocabulary of 31')
    expect(() => embed(embedder, [[1], []])).toThrow('row 1 holds no token')
    expect(() =>
      tf.tidy(() =>
        network.hiddenStates(
          packSequences([
            [1, 2],
            [1, 3],
          ]),
        ),
      ),
    ).toThrow('cannot share')
    expect(() => tf.tidy(() => network.lastHiddenStates(textTokens([[1, 2]], 0), tf.tensor2d([[0, 2]])))).toThrow(
      'segment 2 is outside',
    )
  })
})
