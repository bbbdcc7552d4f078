import { beforeAll, describe, expect, test } from 'vitest'
import { createRandom } from '../../main/core/learn/random.ts'
import { tf } from '../../main/core/learn/tf.ts'
import { repairCpu } from '../../main/workers/engine/cpu-repairs.ts'

const random = createRandom(4)
const tensor = (...shape: number[]): tf.Tensor =>
  tf.tensor(
    Float32Array.from({ length: shape.reduce((product, n) => product * n, 1) }, () => random.normal()),
    shape,
  )
const indices = (...places: number[]): tf.Tensor1D => tf.tensor1d(places, 'int32')

const OPS = { add: tf.add, sub: tf.sub, mul: tf.mul, div: tf.div }
const SHAPES = [
  [[2, 3, 4], []],
  [[], [3]],
  [[2, 3, 4], [4]],
  [
    [3, 1],
    [1, 5],
  ],
  [
    [2, 1, 4],
    [3, 1],
  ],
  [[1], [2, 2]],
  [
    [2, 3],
    [1, 1, 1, 3],
  ],
  [[5], [1]],
  [
    [2, 3],
    [2, 3],
  ],
  [[6], [1, 6]],
  [[0, 3], [3]],
  [
    [4, 1, 2, 1, 3],
    [1, 5, 1, 2, 1],
  ],
] as const
const CASES: Readonly<Record<string, () => tf.Tensor>> = {
  ...Object.fromEntries(
    SHAPES.flatMap(([a, b]) => {
      const [x, y] = [tensor(...a), tensor(...b)]
      return Object.entries(OPS).map(([name, op]) => [`${name} of [${a}] and [${b}]`, () => op(x, y)])
    }),
  ),
  ...Object.fromEntries(
    (
      [
        [
          [4, 5],
          [1, 0],
        ],
        [
          [2, 3, 4],
          [2, 0, 1],
        ],
        [
          [2, 3, 4],
          [0, 2, 1],
        ],
        [
          [1, 3, 1, 2],
          [3, 2, 1, 0],
        ],
        [
          [0, 2],
          [1, 0],
        ],
      ] as const
    ).map(([shape, perm]) => {
      const x = tensor(...shape)
      return [`transpose of [${shape}] by [${perm}]`, () => tf.transpose(x, [...perm])]
    }),
  ),
  ...Object.fromEntries(
    (
      [
        [
          [3, 4],
          [4, 5],
        ],
        [
          [50, 130],
          [130, 7],
        ],
        [
          [2, 3, 60],
          [2, 60, 49],
        ],
        [
          [2, 2, 1, 5],
          [2, 2, 5, 1],
        ],
        [
          [1, 3, 4],
          [2, 4, 2],
        ],
        [
          [0, 3],
          [3, 2],
        ],
      ] as const
    ).flatMap(([left, right]) =>
      [0, 1, 2, 3].map((turn) => {
        const turned = (shape: readonly number[], by: boolean): number[] =>
          by ? [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!] : [...shape]
        const [turnA, turnB] = [turn % 2 === 1, turn > 1]
        const [x, y] = [tensor(...turned(left, turnA)), tensor(...turned(right, turnB))]
        return [
          `product of [${x.shape}] and [${y.shape}], turned ${turnA} ${turnB}`,
          () => tf.matMul(x, y, turnA, turnB),
        ]
      }),
    ),
  ),
  ...casesOf('gather of rows', tensor(5, 3), (x) => tf.gather(x, indices(4, 0, 0, 2))),
  ...casesOf('gather of nothing', tensor(5, 3), (x) => tf.gather(x, indices())),
  ...casesOf('gather of numbers', tensor(5), (x) => tf.gather(x, indices(4, 1))),
  ...casesOf('gather of columns', tensor(5, 3), (x) => tf.gather(x, indices(2, 0), 1)),
  ...casesOf('sums over segments that meet', tensor(6, 4), (x) =>
    tf.unsortedSegmentSum(x, indices(2, 0, 2, 2, 5, 0), 7),
  ),
  ...casesOf('sums over segments of numbers', tensor(4), (x) => tf.unsortedSegmentSum(x, indices(1, 1, 0, 1), 2)),
  ...casesOf('sums with a segment outside', tensor(3, 2), (x) => tf.unsortedSegmentSum(x, indices(0, 3, -1), 2)),
  ...casesOf('a sum of whole numbers', tf.tensor2d([1, 2, 3, 4], [2, 2], 'int32'), (x) =>
    tf.add(x, tf.scalar(3, 'int32')),
  ),
}

function casesOf<T extends tf.Tensor>(
  name: string,
  x: tf.Tensor,
  work: (x: T) => tf.Tensor,
): Record<string, () => tf.Tensor> {
  return { [name]: () => work(x as T) }
}

const before: Record<string, { readonly shape: number[]; readonly data: number[] }> = {}
const resultOf = (work: () => tf.Tensor): { shape: number[]; data: number[] } => {
  const result = work()
  return { shape: result.shape, data: [...result.dataSync()] }
}

describe('the JavaScript engine’s own kernels give what the library gave, bit for bit', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu')
    for (const [name, work] of Object.entries(CASES)) before[name] = resultOf(work)
    repairCpu()
  })
  test.each(Object.keys(CASES))('%s', (name) => expect(resultOf(CASES[name]!)).toEqual(before[name]))
  test('a place outside of the table is refused as before', () => {
    expect(() => tf.gather(tf.ones([2, 2]), indices(2))).toThrow('index value')
  })
})
