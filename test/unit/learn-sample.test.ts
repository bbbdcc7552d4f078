import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { EngineName } from '../../shared/domain.ts'
import { startGrowth } from '../../main/core/learn/models/cache.ts'
import { createDecoder, type Decoder } from '../../main/core/learn/models/decoder.ts'
import { packSequences } from '../../main/core/learn/models/packing.ts'
import { createRandom } from '../../main/core/learn/random.ts'
import { drawToken, sampleCompletions } from '../../main/core/learn/sampling/sample.ts'
import { tf } from '../../main/core/learn/tf.ts'
import { openEngine } from '../../main/workers/engine/choose.ts'

const CONFIG = {
  vocabSize: 31,
  layers: 2,
  hidden: 24,
  heads: 4,
  kvHeads: 2,
  headDim: 6,
  feedForward: 29,
  ropeTheta: 10_000,
  normEpsilon: 1e-5,
  tiedEmbeddings: true,
  scoreHead: false,
}
const PROMPTS = [[3, 1, 4, 1, 5], [9], [2, 6, 5, 3], [2, 6, 5, 3]]

/** Logits after each sequence, all of it computed anew [sequence][vocab]. */
function uncached(decoder: Decoder, sequences: readonly (readonly number[])[]): number[][] {
  return tf.tidy(() =>
    sequences.map((sequence) =>
      (decoder.project(decoder.hiddenStates(packSequences([sequence]))).arraySync() as number[][]).at(-1)!,
    ),
  )
}

for (const engine of ['cpu', 'wasm'] satisfies EngineName[]) {
  describe(`sampling on ${engine}`, () => {
    let decoder: Decoder
    beforeAll(async () => {
      await openEngine(engine)
      decoder = createDecoder(CONFIG, createRandom(8))
      // Larger weights than a fresh model's, so that tokens differ in likelihood.
      decoder.fromTensors(
        Object.fromEntries(
          Object.entries(await decoder.toTensors()).map(([name, { shape, data }]) => [
            name,
            { shape, data: shape.length > 1 ? data.map((x) => x * 12) : data },
          ]),
        ),
      )
    })
    afterAll(() => decoder.dispose())

    test('cached logits are those of the whole sequence, while rows grow and leave', async () => {
      const expectSame = (logits: Float32Array, rows: readonly (readonly number[])[]): void => {
        const expected = uncached(decoder, rows).flat()
        expect(logits.length).toBe(expected.length)
        logits.forEach((value, index) => expect(value).toBeCloseTo(expected[index]!, 3))
      }
      const growth = await startGrowth(decoder, PROMPTS, 5)
      let rows = PROMPTS.map((prompt) => [...prompt])
      expectSame(growth.logits, rows)
      for (const ids of [
        [7, 7, 7, 8],
        [1, 2, 3, 4],
      ]) {
        await growth.extend(ids)
        rows = rows.map((row, at) => [...row, ids[at]!])
        expectSame(growth.logits, rows)
      }
      growth.keep([3, 1])
      rows = [rows[3]!, rows[1]!]
      expectSame(growth.logits, rows)
      await growth.extend([11, 12])
      expectSame(growth.logits, [
        [...rows[0]!, 11],
        [...rows[1]!, 12],
      ])
      growth.dispose()
    })

    test('greedy takes the argmax of the uncached forward, token by token', async () => {
      const samples = await sampleCompletions(decoder, PROMPTS, () => createRandom(1), {
        maxTokens: 6,
        temperature: 0,
        endId: 30,
      })
      for (const [at, { ids, ended }] of samples.entries()) {
        const sequence = [...PROMPTS[at]!]
        for (const id of ids) {
          const logits = uncached(decoder, [sequence])[0]!
          expect(id).toBe(logits.indexOf(Math.max(...logits)))
          sequence.push(id)
        }
        expect(ended ? ids.at(-1) === 30 : ids.length === 6).toBe(true)
      }
      expect(samples[2]).toEqual(samples[3])
    })

    test('a seed gives the same completion whatever stands beside it; the last token may be the end', async () => {
      const options = { maxTokens: 16, temperature: 1.3, endId: 5 }
      const together = await sampleCompletions(decoder, PROMPTS, (prompt) => createRandom(100 + prompt), options)
      const alone = await sampleCompletions(decoder, [PROMPTS[2]!], () => createRandom(102), options)
      expect(alone[0]!.ids).toEqual(together[2]!.ids)
      expect(together[2]!.ids).not.toEqual(together[3]!.ids)
      for (const { ids, logProbs, ended } of together) {
        expect(ids.slice(0, -1)).not.toContain(5)
        expect(ended).toBe(ids.at(-1) === 5)
        expect(logProbs).toHaveLength(ids.length)
        expect(logProbs.every((value) => value < 0)).toBe(true)
      }
      expect(together.some(({ ended }) => ended)).toBe(true)
    })

    test('nothing is left behind', async () => {
      const options = { maxTokens: 4, temperature: 1, endId: 5 }
      await sampleCompletions(decoder, PROMPTS, createRandom, options)
      const before = tf.memory().numTensors
      await sampleCompletions(decoder, PROMPTS, createRandom, options)
      expect(tf.memory().numTensors).toBe(before)
    })
  })
}

describe('drawing a token', () => {
  const logits = Float32Array.of(0, 2, 1, -1, 2)
  const drawn = (options: Parameters<typeof drawToken>[2]): Set<number> => {
    const random = createRandom(6)
    return new Set(Array.from({ length: 400 }, () => drawToken(logits, random, options).id))
  }

  test('greedy, with ties to the lower id', () => {
    expect(drawToken(logits, createRandom(1), { temperature: 0 }).id).toBe(1)
  })

  test('cuts by count and by share', () => {
    expect(drawn({ temperature: 1 })).toEqual(new Set([0, 1, 2, 3, 4]))
    expect(drawn({ temperature: 1, topK: 3 })).toEqual(new Set([1, 2, 4]))
    expect(drawn({ temperature: 1, topP: 0.5 })).toEqual(new Set([1, 4]))
    expect(drawn({ temperature: 1, topP: 1e-9 })).toEqual(new Set([1]))
  })

  test('draws as often as the softmax says, and reports that probability', () => {
    const random = createRandom(3)
    const counts = [0, 0, 0, 0, 0]
    const reported = new Map<number, number>()
    for (let index = 0; index < 20_000; index += 1) {
      const { id, logProb } = drawToken(logits, random, { temperature: 2 })
      counts[id]! += 1
      reported.set(id, logProb)
    }
    const total = logits.reduce((sum, value) => sum + Math.exp(value / 2), 0)
    counts.forEach((count, id) => {
      expect(count / 20_000).toBeCloseTo(Math.exp(logits[id]! / 2) / total, 1)
      expect(Math.exp(reported.get(id)!)).toBeCloseTo(Math.exp(logits[id]! / 2) / total, 6)
    })
  })
})
