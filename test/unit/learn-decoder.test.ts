import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { EngineName } from '../../shared/domain.ts'
import type { TokenBatch } from '../../main/core/learn/define.ts'
import {
  createDecoder,
  type Decoder,
  type DecoderConfig,
  decoderFromTensors,
  parameterCount,
  presetConfig,
} from '../../main/core/learn/models/decoder.ts'
import { packSequences } from '../../main/core/learn/models/packing.ts'
import { createRandom } from '../../main/core/learn/random.ts'
import { decodeSafeTensors } from '../../main/core/learn/models/safetensors.ts'
import { tf } from '../../main/core/learn/tf.ts'
import { openEngine } from '../../main/workers/engine/choose.ts'

const SMALL: DecoderConfig = {
  vocabSize: 37,
  layers: 2,
  hidden: 20,
  heads: 4,
  kvHeads: 2,
  headDim: 6,
  feedForward: 27,
  ropeTheta: 10_000,
  normEpsilon: 1e-5,
  tiedEmbeddings: true,
  scoreHead: true,
}

/** Three rows of 7, 4 and 1 tokens; the completion starts at 3 and 1, and the last row has none. */
function batch(): TokenBatch {
  const random = createRandom(9)
  const lengths = [7, 4, 1]
  const starts = [3, 1, 1]
  const grid = (cell: (row: number, t: number) => number): number[][] =>
    lengths.map((_, row) => Array.from({ length: 8 }, (_unused, t) => cell(row, t)))
  return {
    ids: tf.tensor2d(
      grid((row, t) => (t < lengths[row]! ? random.int(37) : 0)),
      [3, 8],
      'int32',
    ),
    attention: tf.tensor2d(grid((row, t) => (t < lengths[row]! ? 1 : 0))),
    completion: tf.tensor2d(grid((row, t) => (t >= starts[row]! && t < lengths[row]! ? 1 : 0))),
  }
}

interface Seen {
  readonly logProbs: number[]
  readonly logits: number[]
  readonly scores: number[]
  readonly gradients: Record<string, number[]>
}

/** Log-probs, scores and the gradient of a loss on both, on the engine that is open. */
function look(config: DecoderConfig): Seen {
  const decoder = createDecoder(config, createRandom(4))
  decoder.variables['score.weight']?.assign(tf.randomNormal([1, config.hidden], 0, 1, 'float32', 3))
  const tokens = batch()
  const loss = (): tf.Scalar =>
    tf.add(
      tf.mean(tf.square(tf.sum(decoder.tokenLogProbs(tokens), 1))),
      tf.sum(tf.square(decoder.score(tokens))),
    ) as tf.Scalar
  const { value, grads } = tf.variableGrads(loss)
  const gradients = Object.fromEntries(
    Object.entries(decoder.variables).map(([name, variable]) => [name, [...grads[variable.name]!.dataSync()]]),
  )
  const seen = {
    logProbs: [...tf.tidy(() => decoder.tokenLogProbs(tokens)).dataSync()],
    logits: [...tf.tidy(() => decoder.logits(tokens)).dataSync()],
    scores: [...tf.tidy(() => decoder.score(tokens)).dataSync()],
    gradients,
  }
  tf.dispose([value, grads, tokens] as unknown as tf.TensorContainer)
  decoder.dispose()
  return seen
}

function expectClose(actual: readonly number[], expected: readonly number[], absolute: number, what: string): void {
  expect(actual.length, what).toBe(expected.length)
  const scale = Math.max(...expected.map(Math.abs), 1e-3)
  const worst = Math.max(...actual.map((value, index) => Math.abs(value - expected[index]!)))
  expect(worst, what).toBeLessThanOrEqual(absolute * Math.max(1, scale))
}

describe('the wasm engine computes what plain operations do', () => {
  for (const [name, config] of Object.entries({
    grouped: SMALL,
    untied: { ...SMALL, tiedEmbeddings: false, kvHeads: 4 },
    wide: { ...SMALL, hidden: 32, headDim: 8, feedForward: 44 },
  })) {
    test(name, async () => {
      await openEngine('cpu')
      const expected = look(config)
      await openEngine('wasm')
      const actual = look(config)
      expectClose(actual.logProbs, expected.logProbs, 1e-5, 'log-probs')
      expectClose(actual.logits, expected.logits, 1e-5, 'logits')
      expectClose(actual.scores, expected.scores, 1e-5, 'scores')
      for (const [parameter, values] of Object.entries(expected.gradients)) {
        expect(Math.max(...values.map(Math.abs)), `${parameter} has a gradient`).toBeGreaterThan(0)
        expectClose(actual.gradients[parameter]!, values, 2e-5, parameter)
      }
    })
  }
})

for (const engine of ['cpu', 'wasm'] satisfies EngineName[]) {
  describe(`decoder on ${engine}`, () => {
    let decoder: Decoder
    beforeAll(async () => {
      await openEngine(engine)
      decoder = createDecoder(SMALL, createRandom(4))
    })
    afterAll(() => decoder.dispose())

    test('log-probs are those of the logits, and 0 outside the completion', () => {
      const tokens = batch()
      const [logProbs, expected] = tf.tidy(() => {
        const all = tf.logSoftmax(tf.slice(decoder.logits(tokens), [0, 0, 0], [3, 7, 37]))
        const labels = tf.oneHot(tf.slice(tokens.ids, [0, 1], [3, 7]).toInt(), 37, 1, 0, 'float32')
        const mask = tf.slice(tf.mul(tokens.completion, tokens.attention), [0, 1], [3, 7])
        return [
          decoder.tokenLogProbs(tokens).arraySync(),
          tf.mul(tf.sum(tf.mul(all, labels), 2), mask).arraySync() as number[][],
        ] as const
      })
      logProbs.forEach((row, index) =>
        row.forEach((value, t) => {
          expect(value).toBeCloseTo(expected[index]![t]!, 5)
          if (expected[index]![t] === 0) expect(Object.is(value, 0) || Object.is(value, -0)).toBe(true)
        }),
      )
      expect(logProbs[0]!.filter((value) => value !== 0)).toHaveLength(4)
      expect(logProbs[2]!.every((value) => value === 0)).toBe(true)
      tf.dispose(tokens as unknown as tf.TensorContainer)
    })

    test('a later token and padding change nothing before them', () => {
      const ids = [5, 9, 30, 2, 17]
      const logitsOf = (row: number[], time: number): number[][] =>
        tf.tidy(() => {
          const pad = (values: number[]): number[] => [...values, ...Array<number>(time - values.length).fill(0)]
          const tokens = {
            ids: tf.tensor2d([pad(row)], [1, time], 'int32'),
            attention: tf.tensor2d([pad(row.map(() => 1))]),
            completion: tf.zeros([1, time]) as tf.Tensor2D,
          }
          return (decoder.logits(tokens).arraySync() as number[][][])[0]!
        })
      const short = logitsOf(ids.slice(0, 3), 3)
      const long = logitsOf(ids, 9)
      short.forEach((row, t) => row.forEach((value, id) => expect(long[t]![id]).toBeCloseTo(value, 5)))
    })

    test('rows that begin alike share those tokens, and nothing else changes', () => {
      const rows = [
        [1, 2, 3, 4, 9],
        [1, 2, 3, 5],
        [1, 2, 3, 4, 9, 7],
        [8, 2, 3, 4],
      ]
      expect(packSequences(rows).ids).toHaveLength(5 + 1 + 1 + 4)
      const tokensOf = (part: readonly number[][]): TokenBatch => {
        const grid = (cell: (row: number[], t: number) => number): tf.Tensor2D =>
          tf.tensor2d(part.map((row) => Array.from({ length: 6 }, (_, t) => (t < row.length ? cell(row, t) : 0))))
        return {
          ids: grid((row, t) => row[t]!).toInt(),
          attention: grid(() => 1),
          completion: grid((_row, t) => (t >= 3 ? 1 : 0)),
        }
      }
      const look = (part: readonly number[][]): { logProbs: number[]; gradient: Record<string, number[]> } =>
        tf.tidy(() => {
          const tokens = tokensOf(part)
          const { grads } = tf.variableGrads(
            () => tf.sum(tf.square(tf.sum(decoder.tokenLogProbs(tokens), 1))) as tf.Scalar,
          )
          return {
            logProbs: [...decoder.tokenLogProbs(tokens).dataSync()],
            gradient: Object.fromEntries(Object.entries(grads).map(([name, value]) => [name, [...value.dataSync()]])),
          }
        })
      const together = look(rows)
      const alone = rows.map((row) => look([row]))
      expectClose(
        together.logProbs,
        alone.flatMap(({ logProbs }) => logProbs),
        1e-5,
        'log-probs',
      )
      for (const [name, values] of Object.entries(together.gradient)) {
        expectClose(
          values,
          values.map((_, index) => alone.reduce((sum, { gradient }) => sum + gradient[name]![index]!, 0)),
          2e-5,
          name,
        )
      }
    })

    test('a batch without a completion has log-probs and gradients of 0', () => {
      const whole = batch()
      const tokens = { ...whole, completion: tf.zeros([3, 8]) as tf.Tensor2D }
      const { value, grads } = tf.variableGrads(() => tf.sum(decoder.tokenLogProbs(tokens)) as tf.Scalar)
      expect(value.dataSync()[0]).toBe(0)
      for (const gradient of Object.values(grads))
        expect(gradient.dataSync().every((number) => number === 0)).toBe(true)
    })

    test('dropout follows its seed and can be turned off', () => {
      const tokens = batch()
      const draw = (seed: number | null): number[] => {
        decoder.setDropout(seed === null ? null : { rate: 0.3, random: createRandom(seed) })
        return [...tf.tidy(() => decoder.tokenLogProbs(tokens)).dataSync()]
      }
      const plain = draw(null)
      expect(draw(1)).toEqual(draw(1))
      expect(draw(1)).not.toEqual(draw(2))
      expect(draw(1)).not.toEqual(plain)
      expect(draw(null)).toEqual(plain)
    })

    test('weights go out and come back', async () => {
      const tokens = batch()
      const other = createDecoder(SMALL, createRandom(77))
      const before = [...tf.tidy(() => decoder.tokenLogProbs(tokens)).dataSync()]
      expect([...tf.tidy(() => other.tokenLogProbs(tokens)).dataSync()]).not.toEqual(before)
      other.fromTensors(await decoder.toTensors())
      expect([...tf.tidy(() => other.tokenLogProbs(tokens)).dataSync()]).toEqual(before)
      expect(() => other.fromTensors({})).toThrow(/no tensor/)
      other.dispose()
    })

    test('nothing is left behind', () => {
      const tokens = batch()
      const before = tf.memory().numTensors
      for (let index = 0; index < 3; index += 1) {
        const { value, grads } = tf.variableGrads(
          () => tf.sum(tf.add(tf.sum(decoder.tokenLogProbs(tokens), 1), decoder.score(tokens))) as tf.Scalar,
        )
        tf.dispose([value, grads] as unknown as tf.TensorContainer)
      }
      expect(tf.memory().numTensors).toBe(before)
    })

    test('a checkpoint of another library gives its log-probs and logits', () => {
      const folder = new URL('../golden/models/llama_gqa_untied/', import.meta.url)
      const { tensors } = decodeSafeTensors(readFileSync(new URL('model.safetensors', folder)))
      const vectors = JSON.parse(readFileSync(new URL('vectors.json', folder), 'utf8')) as {
        input_ids: number[][]
        right_padded: { attention_mask: number[][]; per_token_logps: number[][]; logits_row0: number[][] }
      }
      const model = decoderFromTensors(
        {
          vocabSize: 160,
          layers: 2,
          hidden: 48,
          heads: 4,
          kvHeads: 2,
          headDim: 12,
          feedForward: 104,
          ropeTheta: 10_000,
          normEpsilon: 1e-5,
          tiedEmbeddings: false,
          scoreHead: false,
        },
        tensors,
      )
      const attention = tf.tensor2d(vectors.right_padded.attention_mask)
      const tokens = { ids: tf.tensor2d(vectors.input_ids, undefined, 'int32'), attention, completion: attention }
      expectClose(
        [...tf.tidy(() => model.tokenLogProbs(tokens)).dataSync()],
        vectors.right_padded.per_token_logps.flat(),
        2e-5,
        'log-probs',
      )
      const logits = tf.tidy(() => model.logits(tokens)).arraySync() as number[][][]
      expectClose(logits[0]!.flat(), vectors.right_padded.logits_row0.flat(), 2e-4, 'logits')
      model.dispose()
    })
  })
}

describe('sizes', () => {
  test('presets have the parameters they say', () => {
    expect(parameterCount(presetConfig('micro', 1024))).toBe(526_976)
    expect(parameterCount(presetConfig('nano', 2048))).toBe(2048 * 64 + 2 * (4 * 64 * 64 + 3 * 64 * 176 + 2 * 64) + 64)
    expect(parameterCount(presetConfig('micro', 1024, { tiedEmbeddings: false, scoreHead: true }))).toBe(
      526_976 + 1024 * 128 + 128,
    )
  })

  test('the same seed makes the same weights, whatever heads there are', async () => {
    const plain = createDecoder(presetConfig('nano', 300), createRandom(1))
    const scored = createDecoder(presetConfig('nano', 300, { scoreHead: true }), createRandom(1))
    expect(await scored.read('model.layers.1.mlp.up_proj.weight')).toEqual(
      await plain.read('model.layers.1.mlp.up_proj.weight'),
    )
    plain.dispose()
    scored.dispose()
  })

  test('sizes that do not fit are refused', () => {
    expect(() => createDecoder({ ...SMALL, kvHeads: 3 }, createRandom(1))).toThrow(RangeError)
  })
})
