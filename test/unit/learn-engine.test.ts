import { describe, expect, test } from 'vitest'
import { createRandom } from '../../main/core/learn/random.ts'
import { tf } from '../../main/core/learn/tf.ts'
import { openEngine } from '../../main/workers/engine/choose.ts'

const random = createRandom(2)
const fill = (shape: readonly number[]): Float32Array =>
  Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal())

interface Product {
  readonly a: readonly number[]
  readonly b: readonly number[]
  readonly transposeA: boolean
  readonly transposeB: boolean
}

/** Shapes that leave rows, columns and depth over after whole tiles, and cross the block sizes. */
function products(): Product[] {
  const cases: Product[] = []
  for (const [rows, depth, columns] of [
    [1, 1, 1],
    [3, 5, 7],
    [4, 8, 8],
    [5, 300, 9],
    [67, 13, 17],
    [66, 257, 31],
  ] as const) {
    for (const transposeA of [false, true]) {
      for (const transposeB of [false, true]) {
        const a = transposeA ? [depth, rows] : [rows, depth]
        const b = transposeB ? [columns, depth] : [depth, columns]
        cases.push({ a, b, transposeA, transposeB })
        if (rows < 10) {
          cases.push({ a: [2, 3, ...a], b: [2, 3, ...b], transposeA, transposeB })
          cases.push(
            { a: [2, 3, ...a], b, transposeA, transposeB },
            { a: [1, 3, ...a], b: [2, 3, ...b], transposeA, transposeB },
          )
        }
      }
    }
  }
  return cases
}

describe('wasm engine', () => {
  test('products and their gradients are those of the cpu engine', async () => {
    for (const { a, b, transposeA, transposeB } of products()) {
      const [left, right] = [fill(a), fill(b)]
      const compute = async (engine: 'cpu' | 'wasm'): Promise<Float32Array[]> => {
        await openEngine(engine)
        return tf.tidy(() => {
          const [x, y] = [tf.tensor(left, [...a]), tf.tensor(right, [...b])]
          const product = tf.matMul(x, y, transposeA, transposeB)
          // The library has no gradient of a product whose batches are broadcast.
          const differentiable = a.length === b.length && !(a.length > 2 && a[0] !== b[0])
          const gradients = !differentiable
            ? []
            : tf.grads((p, q) => tf.sum(tf.square(tf.matMul(p!, q!, transposeA, transposeB))))([x, y])
          return [product, ...gradients].map((tensor) => tensor.dataSync<'float32'>().slice())
        })
      }
      const expected = await compute('cpu')
      const actual = await compute('wasm')
      actual.forEach((values, part) => {
        const reach = Math.max(...expected[part]!.map(Math.abs))
        const worst = Math.max(...values.map((value, index) => Math.abs(value - expected[part]![index]!)))
        expect(worst, `part ${part} of [${a}] ${transposeA} · [${b}] ${transposeB}`).toBeLessThanOrEqual(
          2e-5 * Math.max(1, reach),
        )
      })
    }
  })

  test('a gather has a gradient, repeated rows added up', async () => {
    await openEngine('wasm')
    const gradient = tf.tidy(() =>
      tf
        .grad((x: tf.Tensor) =>
          tf.sum(
            tf.mul(
              tf.gather(x, [1, 1, 3]),
              tf.tensor2d([
                [1, 2],
                [10, 20],
                [5, 5],
              ]),
            ),
          ),
        )(tf.zeros([4, 2]))
        .arraySync(),
    )
    expect(gradient).toEqual([
      [0, 0],
      [11, 22],
      [0, 0],
      [5, 5],
    ])
  })

  test('one-hot rows have the type that was asked for', async () => {
    await openEngine('wasm')
    const rows = (dtype: 'int32' | 'float32'): unknown =>
      tf.tidy(() => tf.oneHot(tf.tensor1d([2, 0, 7], 'int32'), 3, 5, -1, dtype).arraySync())
    expect(rows('float32')).toEqual([
      [-1, -1, 5],
      [5, -1, -1],
      [-1, -1, -1],
    ])
    expect(rows('int32')).toEqual(rows('float32'))
  })

  test('a weight that was assigned is the one that is multiplied', async () => {
    await openEngine('wasm')
    const x = tf.ones([8, 8])
    const weight = tf.variable(tf.ones([8, 8]))
    const sum = (): number => tf.tidy(() => tf.sum(tf.matMul(x, weight)).dataSync()[0]!)
    expect(sum()).toBe(512)
    weight.assign(tf.zeros([8, 8]))
    expect(sum()).toBe(0)
    weight.dispose()
  })

  test('it can be closed and opened again', async () => {
    const engine = await openEngine('wasm')
    engine.dispose()
    await openEngine('wasm')
    expect(tf.tidy(() => tf.sum(tf.matMul(tf.ones([3, 3]), tf.ones([3, 3]))).dataSync()[0])).toBe(27)
  })
})
