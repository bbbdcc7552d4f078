import { beforeAll, describe, expect, test } from 'vitest'
import { freezeMatrix } from '../../main/core/learn/models/frozen.ts'
import { logProbOf } from '../../main/core/learn/models/fused.ts'
import { headLogProb } from '../../main/core/learn/models/head.ts'
import { tf } from '../../main/core/learn/tf.ts'
import { openEngine } from '../../main/workers/engine/choose.ts'

const TOKENS = 27
const HIDDEN = 12
const VOCAB = 40
/** 8 tokens at a time: four pieces, the last of three. */
const AT_ONCE = 8 * VOCAB
const targets = Int32Array.from({ length: TOKENS }, (_none, at) => (at * 7) % VOCAB)

describe.each(['cpu', 'wasm'] as const)('the head in pieces, on %s', (engine) => {
  beforeAll(async () => {
    await openEngine(engine)
  })

  /** Value, and the gradients of Σ c·log π, of the head as one product and in pieces. */
  function bothWays(trains: boolean): { whole: Float32Array[]; pieces: Float32Array[]; left: number } {
    const hidden = tf.randomNormal([TOKENS, HIDDEN], 0, 1, 'float32', 3) as tf.Tensor2D
    const matrix = tf.randomNormal([VOCAB, HIDDEN], 0, 1, 'float32', 4) as tf.Tensor2D
    const upstream = tf.randomNormal([TOKENS], 0, 1, 'float32', 5)
    const before = tf.memory().numTensors
    const run = (head: (h: tf.Tensor2D, w: tf.Tensor2D) => tf.Tensor1D): Float32Array[] => {
      const loss = (h: tf.Tensor, w: tf.Tensor): tf.Scalar =>
        tf.sum(tf.mul(head(h as tf.Tensor2D, w as tf.Tensor2D), upstream)) as tf.Scalar
      const value = tf.tidy(() => head(hidden, matrix))
      const gradients = trains ? tf.grads(loss)([hidden, matrix]) : [tf.grad((h) => loss(h, matrix))(hidden)]
      const found = [value, ...gradients].map((one) => one.dataSync<'float32'>().slice())
      tf.dispose([value, gradients])
      return found
    }
    const whole = run((h, w) => logProbOf(tf.matMul(h, w, false, true), targets))
    const pieces = run((h, w) => headLogProb(h, w, targets, { trains, atOnce: AT_ONCE }))
    const left = tf.memory().numTensors - before
    tf.dispose([hidden, matrix, upstream])
    return { whole, pieces, left }
  }

  test.each([
    ['a matrix that trains', true],
    ['a frozen matrix', false],
  ])('has the value and the gradients of the whole, with %s, and leaves no tensor', (_name, trains) => {
    const { whole, pieces, left } = bothWays(trains)
    expect(pieces).toHaveLength(trains ? 3 : 2)
    whole.forEach((values, at) => {
      values.forEach((value, index) => expect(pieces[at]![index]).toBeCloseTo(value, 5))
    })
    expect(left).toBe(0)
  })
})

test('a frozen matrix kept as bfloat16 has the gradient of its widened form', async () => {
  await openEngine('wasm')
  const hidden = tf.randomNormal([TOKENS, HIDDEN], 0, 1, 'float32', 3) as tf.Tensor2D
  const values = tf.randomNormal([VOCAB, HIDDEN], 0, 1, 'float32', 4)
  const frozen = freezeMatrix(values.dataSync<'float32'>(), [VOCAB, HIDDEN])
  const slope = (atOnce: number): Float32Array =>
    tf
      .grad((h) => tf.sum(headLogProb(h as tf.Tensor2D, frozen, targets, { trains: false, atOnce })))(hidden)
      .dataSync<'float32'>()
  const whole = slope(VOCAB * TOKENS * 2)
  slope(AT_ONCE).forEach((value, at) => expect(value).toBeCloseTo(whole[at]!, 5))
})
