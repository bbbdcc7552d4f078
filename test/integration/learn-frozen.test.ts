import { afterEach, describe, expect, test } from 'vitest'
import { tokenBatch } from '../../main/core/learn/batches.ts'
import { initialAdapters, type LoraOptions } from '../../main/core/learn/models/adapters.ts'
import { decoderFrom, type DecoderConfig, type DecoderOptions } from '../../main/core/learn/models/decoder.ts'
import { freezeMatrix, freezePacked, multiply, readFrozen, rowsOf } from '../../main/core/learn/models/frozen.ts'
import {
  GROUPS,
  groupWriter,
  type PackedMatrix,
  packMatrix,
  toBfloat16,
  widen,
} from '../../main/core/learn/models/packed.ts'
import { freshWeights, sourceOf, type TensorSource } from '../../main/core/learn/models/parameters.ts'
import { createRandom } from '../../main/core/learn/random.ts'
import { tf } from '../../main/core/learn/tf.ts'
import { openEngine } from '../../main/workers/engine/choose.ts'
import type { Engine } from '../../main/workers/engine/engine.ts'

let engine: Engine | null = null
afterEach(async () => {
  await engine?.dispose()
  engine = null
})

const numbers = (count: number, seed: number): Float32Array => {
  const random = createRandom(seed)
  return Float32Array.from({ length: count }, () => random.normal())
}

const fromBfloat16 = (halves: Uint16Array): Float32Array => {
  const words = new Int32Array(Math.ceil(halves.length / 2))
  new Uint16Array(words.buffer).set(halves)
  return widen({ form: 'bfloat16', words }, 0, halves.length)
}

const sameBits = (a: Float32Array, b: Float32Array): boolean =>
  Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(Buffer.from(b.buffer, b.byteOffset, b.byteLength))

describe('bfloat16', () => {
  test('is the nearest of its numbers, the even one of two as near', () => {
    const cases: readonly (readonly [number, number])[] = [
      [1, 1],
      [-2.5, -2.5],
      [0, 0],
      [1 + 2 ** -9, 1],
      [1 + 2 ** -8, 1],
      [1 + 3 * 2 ** -8, 1 + 2 ** -6],
      [1 + 2 ** -8 + 2 ** -20, 1 + 2 ** -7],
      [3.4e38, Number.POSITIVE_INFINITY],
      [-Infinity, -Infinity],
      [1.4 * 2 ** -133, 2 ** -133],
      [2 ** -135, 0],
    ]
    for (const [value, expected] of cases)
      expect(fromBfloat16(toBfloat16(Float32Array.of(value)))[0], String(value)).toBe(expected)
    expect(fromBfloat16(toBfloat16(Float32Array.of(Number.NaN)))[0]).toBeNaN()
    expect(Object.is(fromBfloat16(toBfloat16(Float32Array.of(-0)))[0], -0)).toBe(true)
  })

  test('is within one part in 256 of every number, and rounding twice changes nothing', () => {
    const values = numbers(5000, 1)
    const once = fromBfloat16(toBfloat16(values))
    expect(values.every((value, at) => Math.abs(once[at]! - value) <= Math.abs(value) / 256)).toBe(true)
    expect(fromBfloat16(toBfloat16(once))).toEqual(once)
  })
})

describe.each(['wasm', 'cpu'] as const)('a frozen matrix on %s', (name) => {
  // Odd sizes; one that is widened in several blocks; few rows, which are multiplied in another manner.
  test.each([
    [3, 5, 7],
    [1, 300, 1000],
    [13, 300, 1000],
    [40, 257, 129],
    [2, 1, 1],
    [17, 8, 8],
  ] as const)('is multiplied as its widened numbers are: %i rows, [%i, %i]', async (count, inner, outer) => {
    engine = await openEngine(name, { threads: 2 })
    for (const [rows, columns, transposed] of [
      [outer, inner, true],
      [inner, outer, false],
    ] as const) {
      const frozen = freezeMatrix(numbers(rows * columns, 2), [rows, columns])
      const wide = tf.tensor2d(fromBfloat16(toBfloat16(numbers(rows * columns, 2))), [rows, columns])
      const x = tf.tensor2d(numbers(count * inner, 3), [count, inner])
      const dy = tf.tensor2d(numbers(count * outer, 4), [count, outer])
      const both = [frozen, wide].map((matrix) => {
        const value = multiply(x, matrix, transposed)
        const grad = tf.grad((input) => multiply(input as tf.Tensor2D, matrix, transposed))(x, dy)
        return [value.dataSync<'float32'>().slice(), grad.dataSync<'float32'>().slice()] as const
      })
      expect(sameBits(both[0]![0], both[1]![0])).toBe(true) // sums run in the same order
      expect(sameBits(both[0]![1], both[1]![1])).toBe(true)
      expect(both[0]![0].some((one) => one !== 0)).toBe(true)
      expect(sameBits(await readFrozen(frozen), await wide.data<'float32'>())).toBe(true)
      frozen.packed.dispose()
      tf.dispose([wide, x, dy])
    }
  })

  test('gives its rows, and refuses one outside', async () => {
    engine = await openEngine(name, { threads: 1 })
    const wide = fromBfloat16(toBfloat16(numbers(5 * 3, 5)))
    const frozen = freezeMatrix(wide, [5, 3])
    expect([...rowsOf(frozen, Int32Array.of(4, 0, 4)).dataSync()]).toEqual([
      ...wide.slice(12),
      ...wide.slice(0, 3),
      ...wide.slice(12),
    ])
    if (name === 'wasm') expect(() => rowsOf(frozen, Int32Array.of(5))).toThrow(RangeError)
  })
})

const lora: LoraOptions = { rank: 2, alpha: 4, dropout: 0, targets: 'all-linear' }
const shape: DecoderConfig = {
  vocabSize: 19,
  layers: 2,
  hidden: 16,
  heads: 2,
  kvHeads: 1,
  headDim: 8,
  feedForward: 24,
  ropeTheta: 10_000,
  normEpsilon: 1e-5,
  tiedEmbeddings: true,
  scoreHead: false,
}

function rounded(source: TensorSource): TensorSource {
  return {
    read(name) {
      const tensor = source.read(name)
      return tensor.shape.length === 2 ? { ...tensor, data: fromBfloat16(toBfloat16(tensor.data)) } : tensor
    },
  }
}

test.each(['wasm', 'cpu'] as const)(
  'adapters beside frozen bfloat16 weights have the loss and the gradients of the rounded model (%s)',
  async (name) => {
    engine = await openEngine(name, { threads: 1 })
    const source = freshWeights(shape, createRandom(1))
    const adapters = Object.fromEntries(
      Object.entries(initialAdapters(shape, lora, createRandom(2))).map(([key, one]) => [
        key,
        { ...one, data: numbers(one.data.length, 7).map((value) => 0.1 * value) },
      ]),
    )
    const random = createRandom(3)
    const rows = Array.from({ length: 3 }, () => ({
      prompt: [1, 2],
      completion: Array.from({ length: 5 }, () => random.int(shape.vocabSize)),
      text: '',
    }))
    const results: [number, Record<string, Float32Array>][] = []
    const bytes: number[] = []
    for (const [from, more] of [
      [source, { frozenStorage: 'bfloat16' }],
      [rounded(source), {}],
    ] as const satisfies readonly (readonly [TensorSource, DecoderOptions])[]) {
      for (const recompute of [false, true]) {
        const decoder = decoderFrom(shape, from, { lora, adapters: sourceOf(adapters), recompute, ...more })
        bytes.push(decoder.weightBytes)
        const tokens = tokenBatch(rows, 0)
        const { value, grads } = tf.variableGrads(
          () => tf.neg(tf.mean(decoder.tokenLogProbs(tokens))) as tf.Scalar,
          Object.values(decoder.variables),
        )
        const byName = Object.fromEntries(
          Object.entries(decoder.variables).map(([key, variable]) => [
            key,
            grads[variable.name]!.dataSync<'float32'>().slice(),
          ]),
        )
        results.push([value.dataSync()[0]!, byName])
        decoder.dispose()
      }
    }
    expect(Object.keys(results[0]![1]).length).toBeGreaterThan(10)
    for (const [value, grads] of results.slice(1)) expect([value, grads]).toEqual(results[0])
    // Half of what is frozen: the adapters and the norms stay as they are.
    expect(bytes[0]!).toBeLessThan(0.65 * bytes[2]!)
  },
)

describe.each(['int4', 'int8', 'int8x16'] as const)('%s', (form) => {
  const { numbers: size } = GROUPS[form]
  /** Of random scales, offsets and integers. */
  const matrix = (rows: number, columns: number, seed: number): PackedMatrix => {
    const random = createRandom(seed)
    const writer = groupWriter(form, rows * columns)
    for (let at = 0; at < (rows * columns) / size; at += 1)
      writer.group(
        Math.fround(random.normal()),
        Math.fround(random.normal()),
        Array.from({ length: size }, () => (form === 'int4' ? random.int(16) : random.int(256) - 128)),
      )
    return { form, words: writer.words, shape: [rows, columns] }
  }

  test.each(['wasm', 'cpu'] as const)('is multiplied and gathered as its widened numbers are (%s)', async (name) => {
    engine = await openEngine(name, { threads: 2 })
    for (const [rows, columns, count] of [
      [3, size, 1],
      [33, 3 * size, 5],
      [300, 1056, 9],
      [37, 2 * size, 12],
      [37, 2 * size, 13],
      [6, size, 4],
      [17, 0, 2],
    ] as const) {
      const packed = matrix(rows, columns, rows)
      const wide = tf.tensor2d(widen(packed, 0, rows * columns), [rows, columns])
      const frozen = freezePacked(packed)
      for (const transposed of [true, false]) {
        const [inner, outer] = transposed ? [columns, rows] : [rows, columns]
        const x = tf.tensor2d(numbers(count * inner, 3), [count, inner])
        const dy = tf.tensor2d(numbers(count * outer, 4), [count, outer])
        const [one, other] = [frozen, wide].map((by) => [
          multiply(x, by, transposed).dataSync<'float32'>().slice(),
          tf
            .grad((input) => multiply(input as tf.Tensor2D, by, transposed))(x, dy)
            .dataSync<'float32'>()
            .slice(),
        ])
        expect([sameBits(one![0]!, other![0]!), sameBits(one![1]!, other![1]!)]).toEqual([true, true])
      }
      const places = Int32Array.of(rows - 1, 0, 1)
      expect(rowsOf(frozen, places).dataSync()).toEqual(rowsOf(wide, places).dataSync())
      expect(sameBits(await readFrozen(frozen), await wide.data<'float32'>())).toBe(true)
      frozen.packed.dispose()
      wide.dispose()
    }
  })
})

test.each([
  ['int8', 0.5 / 127],
  ['int4', 0.5 / 15],
] as const)('%s is within half a step of every number, and zeros stay zeros', (form, step) => {
  const values = numbers(64 * 32, 6)
  values.fill(0, 32, 64)
  const found = widen(packMatrix(values, [64, 32], form), 0, values.length)
  for (let from = 0; from < values.length; from += 32) {
    const group = values.subarray(from, from + 32)
    const [least, most] = [Math.min(0, ...group), Math.max(0, ...group)]
    const room = step * (form === 'int8' ? Math.max(most, -least) : most - least) * 1.0001
    expect(Math.max(...group.map((value, at) => Math.abs(value - found[from + at]!)))).toBeLessThanOrEqual(room)
  }
  expect(found.subarray(32, 64).every((value) => value === 0)).toBe(true)
})

test('the engine takes half the memory for it', async () => {
  engine = await openEngine('wasm', { threads: 1 })
  const values = numbers(2 ** 20, 1)
  const before = tf.memory().numBytes
  const frozen = freezeMatrix(values, [1024, 1024])
  expect(tf.memory().numBytes - before).toBe(2 * 2 ** 20)
  frozen.packed.dispose()
  expect(tf.memory().numBytes).toBe(before)
})
