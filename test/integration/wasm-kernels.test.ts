import { afterAll, describe, expect, test } from 'vitest'
import {
  attention,
  type AttentionShape,
  cachedAttention,
  gatherRows,
  gelu,
  layerNorm,
  logProbOf,
  rmsNorm,
  rotary,
  scatterRows,
  swiGlu,
} from '../../main/core/learn/models/fused.ts'
import { packSequences } from '../../main/core/learn/models/packing.ts'
import { createRandom } from '../../main/core/learn/random.ts'
import { tf } from '../../main/core/learn/tf.ts'
import { openEngine } from '../../main/workers/engine/choose.ts'
import type { Engine } from '../../main/workers/engine/engine.ts'

/** Threads, and forms of the kernels that other machines get. */
const WAYS = [
  { threads: 1 },
  { threads: 2 },
  { threads: 3 },
  { threads: 2, form: 'narrow' },
  { threads: 2, form: 'plain' },
] as const
type Way = (typeof WAYS)[number]

let engine: Engine | null = null

/** The kernels' form is chosen when the engine is opened anew. */
async function openWasm(way: Way): Promise<void> {
  await engine?.dispose()
  if ('form' in way) process.env['PAIRLAB_WASM_FORM'] = way.form
  else delete process.env['PAIRLAB_WASM_FORM']
  engine = await openEngine('wasm', { threads: way.threads })
  expect(engine.threads).toBe(way.threads)
  if ('form' in way) expect(engine.device).not.toMatch(way.form === 'plain' ? /256|fused/ : /256/)
}

const random = createRandom(8)
/** Quick to make, between −2 and 2 times the scale. */
const fill = (shape: readonly number[], scale = 1): Float32Array => {
  let state = random.int(2 ** 30)
  return new Float32Array(shape.reduce((a, b) => a * b, 1)).map(() => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return (state / 2 ** 30 - 2) * scale
  })
}
const indices = (count: number, below: number): Int32Array =>
  Int32Array.from({ length: count }, () => random.int(below))

interface Case {
  readonly name: string
  readonly shapes: readonly (readonly number[])[]
  readonly run: (inputs: tf.Tensor2D[]) => tf.Tensor
  /** Of the inputs' numbers. */
  readonly scale?: number
}

const vector = (x: tf.Tensor): tf.Tensor1D => tf.reshape(x, [-1])

/** Shapes that leave numbers over after whole vectors, and are cut into several chunks. */
function rowCases(): Case[] {
  const cases: Case[] = []
  for (const [rows, width] of [
    [1, 1],
    [3, 7],
    [70, 20],
    [140, 129],
    [65, 384],
  ] as const) {
    const matrix = [rows, width] as const
    const weight = [1, width] as const
    const taken = indices(rows + 5, rows)
    cases.push(
      { name: `rmsNorm ${matrix}`, shapes: [matrix, weight], run: ([x, w]) => rmsNorm(x!, vector(w!), 1e-5) },
      {
        name: `layerNorm ${matrix}`,
        shapes: [matrix, weight, weight],
        run: ([x, w, b]) => layerNorm(x!, vector(w!), vector(b!), 1e-5),
      },
      { name: `gelu exact ${matrix}`, shapes: [matrix], run: ([x]) => gelu(x!, 'exact'), scale: 3 },
      { name: `gelu tanh ${matrix}`, shapes: [matrix], run: ([x]) => gelu(x!, 'tanh'), scale: 3 },
      { name: `swiGlu ${matrix}`, shapes: [matrix, matrix], run: ([g, u]) => swiGlu(g!, u!), scale: 3 },
    )
    // The plain sum over segments takes long with many rows.
    if (rows <= 70) {
      cases.push(
        { name: `gather ${matrix}`, shapes: [matrix], run: ([x]) => gatherRows(x!, taken) },
        { name: `scatter ${matrix}`, shapes: [[rows + 5, width]], run: ([x]) => scatterRows(x!, taken, rows) },
      )
    }
    if (width > 1)
      cases.push({
        name: `logProb ${matrix}`,
        shapes: [matrix],
        run: ([x]) => logProbOf(x!, indicesOf(rows, width)),
        scale: 5,
      })
  }
  for (const [tokens, heads, headDim] of [
    [1, 1, 2],
    [37, 3, 6],
    [150, 4, 32],
  ] as const) {
    const angles = Float32Array.from({ length: (tokens * headDim) / 2 }, (_, at) => at / 3)
    const table = { cos: angles.map(Math.cos), sin: angles.map(Math.sin), headDim }
    const positions = Int32Array.from({ length: tokens }, (_, token) => (token * 7) % tokens)
    cases.push({
      name: `rotary ${[tokens, heads, headDim]}`,
      shapes: [[tokens, heads * headDim]],
      run: ([x]) => rotary(x!, positions, table),
    })
  }
  return cases
}

const indicesOf = (count: number, below: number): Int32Array =>
  Int32Array.from({ length: count }, (_, at) => (at * 31) % below)

function attentionCases(): Case[] {
  const cases: Case[] = []
  const shapes: AttentionShape[] = [
    { heads: 2, kvHeads: 2, headDim: 6 },
    { heads: 4, kvHeads: 2, headDim: 16 },
    { heads: 3, kvHeads: 1, headDim: 33 },
  ]
  for (const lengths of [[1], [5, 1, 17], [21, 66]]) {
    const total = lengths.reduce((a, b) => a + b, 0)
    // The plain form of long rows takes long: one shape is enough.
    for (const shape of total > 40 ? shapes.slice(1, 2) : shapes) {
      for (const kind of [
        { causal: true },
        { causal: false },
        { causal: true, window: 1 },
        { causal: true, window: 12 },
      ] as const) {
        // Tokens that no two rows share.
        const packing = packSequences(
          lengths.map((length, row) => Array.from({ length }, (_, token) => row * 1000 + token)),
        )
        cases.push({
          name: `attention ${JSON.stringify({ lengths, ...shape, ...kind })}`,
          shapes: [
            [total, shape.heads * shape.headDim],
            [total, shape.kvHeads * shape.headDim],
            [total, shape.kvHeads * shape.headDim],
          ],
          run: ([q, k, v]) => attention(q!, k!, v!, packing, { ...shape, ...kind }),
        })
      }
    }
  }
  return cases
}

/** What tensors hold, freed with all that was made for them; handed past `tidy`, which would search every array for tensors. */
function valuesOf(make: () => tf.Tensor[]): Float32Array[] {
  let values: Float32Array[] = []
  tf.tidy(() => {
    values = make().map((tensor) => tensor.dataSync<'float32'>().slice())
  })
  return values
}

/** The value and the gradients of a weighted sum of it. */
function look({ shapes, run }: Case, inputs: readonly Float32Array[], weights: Float32Array | null): Float32Array[] {
  return valuesOf(() => {
    const tensors = inputs.map((values, index) => tf.tensor2d(values, shapes[index]! as [number, number]))
    const value = run(tensors)
    const factors = tf.tensor(weights ?? new Float32Array(value.size).fill(1), value.shape)
    const gradients = tf.grads((...given) => tf.sum(tf.mul(run(given as tf.Tensor2D[]), factors)))(tensors)
    return [value, ...gradients]
  })
}

function expectSame(name: string, actual: readonly Float32Array[], expected: readonly Float32Array[]): void {
  actual.forEach((values, part) => {
    const reach = Math.max(1, ...expected[part]!.map(Math.abs))
    const worst = values.reduce(
      (most, value, index) =>
        Math.max(most, Number.isFinite(value) ? Math.abs(value - expected[part]![index]!) : Infinity),
      0,
    )
    expect(worst, `part ${part} of ${name}`).toBeLessThanOrEqual(1e-5 * reach)
  })
}

const sameBits = (some: readonly Float32Array[][], others: readonly Float32Array[][]): boolean =>
  some.every((parts, at) =>
    parts.every((values, part) => values.every((value, index) => Object.is(value, others[at]![part]![index]))),
  )

afterAll(async () => {
  delete process.env['PAIRLAB_WASM_FORM']
  await engine?.dispose()
})

describe('every kernel gives what plain operations give, and its gradient', () => {
  for (const [group, cases] of [
    ['over rows', rowCases()],
    ['attention', attentionCases()],
  ] as const) {
    test(group, async () => {
      const inputs = cases.map(({ shapes, scale }) => shapes.map((shape) => fill(shape, scale)))
      await openEngine('cpu')
      const weights = cases.map((one, at) =>
        fill([
          tf.tidy(() =>
            one.run(inputs[at]!.map((values, index) => tf.tensor2d(values, one.shapes[index]! as [number, number]))),
          ).size,
        ]),
      )
      const expected = cases.map((one, at) => look(one, inputs[at]!, weights[at]!))
      let first: Float32Array[][] | null = null
      for (const way of WAYS) {
        await openWasm(way)
        const actual = cases.map((one, at) => look(one, inputs[at]!, weights[at]!))
        cases.forEach(({ name }, at) => expectSame(`${name} on ${JSON.stringify(way)}`, actual[at]!, expected[at]!))
        // Neither threads nor the width of a vector change a bit.
        first ??= actual
        if (!('form' in way && way.form === 'plain')) expect(sameBits(actual, first), JSON.stringify(way)).toBe(true)
      }
    })
  }

  test('large and tiny numbers stay numbers', async () => {
    await openWasm(WAYS[0])
    const extremes = Float32Array.of(-1e30, -1e4, -30, -1e-30, 0, 1e-30, 30, 1e4, 1e30)
    const check = (run: (x: tf.Tensor2D) => tf.Tensor): number[] =>
      tf.tidy(() => [...run(tf.tensor2d(extremes, [1, extremes.length])).dataSync()])
    for (const form of ['exact', 'tanh'] as const) {
      const values = check((x) => gelu(x, form))
      expect(values.slice(0, 3).every((value) => Math.abs(value) < 1e-6)).toBe(true)
      expect(values.slice(6)).toEqual([30, 1e4, extremes[8]])
    }
    expect(check((x) => swiGlu(x, tf.onesLike(x))).every((value) => !Number.isNaN(value))).toBe(true)
  })
})

test('a cached token attends to its row, and finds it longer the next time', async () => {
  const shape: AttentionShape = { heads: 4, kvHeads: 2, headDim: 10 }
  const [rows, capacity] = [3, 9]
  const lengths = Int32Array.of(0, 4, 8)
  const places = lengths.map((length, row) => row * capacity + length)
  const [q, k, v, keys, values] = [
    fill([rows, 40]),
    fill([rows, 20]),
    fill([rows, 20]),
    fill([rows * capacity, 20]),
    fill([rows * capacity, 20]),
  ]
  // The plain form adds to a place that it takes to be empty.
  for (const cache of [keys, values]) places.forEach((place) => cache.fill(0, place * 20, (place + 1) * 20))
  const step = (): Float32Array[] =>
    valuesOf(() => {
      const cached = {
        keys: tf.tensor2d(keys.slice(), [rows * capacity, 20]),
        values: tf.tensor2d(values.slice(), [rows * capacity, 20]),
      }
      const after = cachedAttention(
        tf.tensor2d(q, [rows, 40]),
        tf.tensor2d(k, [rows, 20]),
        tf.tensor2d(v, [rows, 20]),
        cached,
        { lengths, capacity, places },
        shape,
      )
      return [after.out, after.keys, after.values]
    })
  await openEngine('cpu')
  const expected = step()
  for (const way of WAYS) {
    await openWasm(way)
    expectSame(`cachedAttention on ${JSON.stringify(way)}`, step(), expected)
  }
})

test('products of few rows, of many and of blocks past the cache are the same on any number of threads', async () => {
  const cases = [
    [1, 5, 3],
    [2, 300, 70],
    [3, 64, 9],
    [7, 129, 501],
    [12, 30, 33],
    [13, 600, 40],
    [130, 520, 150],
  ] as const
  const inputs = cases.map(([rows, depth, columns]) => [fill([rows, depth]), fill([columns, depth])] as const)
  const products = (): Float32Array[] =>
    cases.flatMap(([rows, depth, columns], at) =>
      valuesOf(() => {
        const [a, b] = [tf.tensor2d(inputs[at]![0], [rows, depth]), tf.tensor2d(inputs[at]![1], [columns, depth])]
        return [
          tf.matMul(a, b, false, true),
          tf.matMul(tf.transpose(a), tf.transpose(b), true, false),
          tf.matMul(a, tf.transpose(b)),
        ]
      }),
    )
  await openEngine('cpu')
  const expected = products()
  let first: Float32Array[] | null = null
  for (const way of WAYS) {
    await openWasm(way)
    const actual = products()
    expectSame(JSON.stringify(way), actual, expected)
    first ??= actual
    if (!('form' in way && way.form === 'plain')) expect(sameBits([actual], [first]), JSON.stringify(way)).toBe(true)
  }
})
