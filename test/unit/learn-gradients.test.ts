import { describe, expect, test } from 'vitest'
import { gradients, variableGradients } from '../../main/core/learn/gradients.ts'
import { recomputed } from '../../main/core/learn/models/recompute.ts'
import { addBias, addLike } from '../../main/core/learn/models/sums.ts'
import { tf } from '../../main/core/learn/tf.ts'
import { openEngine } from '../../main/workers/engine/choose.ts'

const values = (tensors: readonly (tf.Tensor | null)[]): unknown[] => tensors.map((one) => one?.arraySync() ?? null)

await openEngine('cpu')

describe('gradients that give memory back on the way', () => {
  const x = tf.tensor2d([1, -2, 3, 0.5, 2, -1], [2, 3])
  const w = tf.tensor2d([0.3, -0.1, 0.2, 0.7, -0.4, 0.9], [3, 2])
  const unused = tf.tensor1d([1])
  /** Uses x three times, one of them twice in one operation. */
  const f = (a: tf.Tensor, b: tf.Tensor): tf.Scalar =>
    tf.sum(tf.add(tf.tanh(tf.matMul(tf.mul(a, a) as tf.Tensor2D, b as tf.Tensor2D)), tf.mean(a))) as tf.Scalar

  test('are those of the library, and null by what the value does not depend on', () => {
    const expected = tf.grads(f)([x, w])
    const found = tf.tidy(() => {
      const { value, grads } = gradients(() => f(x, w), [x, w, unused], null)
      return [...values(grads), value.arraySync()] as never
    }) as unknown[]
    const flat = (value: unknown): number[] => [value].flat(3) as number[]
    expected.forEach((one, at) =>
      flat(found[at]).forEach((value, index) => expect(value).toBeCloseTo(flat(one.arraySync())[index]!, 6)),
    )
    expect(found[2]).toBe(null)
  })

  test('leave no tensor, and hold less than the library does on the way', () => {
    const deep = (): tf.Scalar => {
      let h: tf.Tensor = x
      for (let layer = 0; layer < 30; layer += 1) h = tf.tidy(() => tf.tanh(tf.mul(tf.add(h, x), 0.9)))
      return tf.sum(h) as tf.Scalar
    }
    const peakOf = (work: () => void): number => {
      const backend = tf.backend() as unknown as { makeOutput?: unknown; write(...given: unknown[]): unknown }
      const write = backend.write.bind(backend)
      let peak = 0
      backend.write = (...given) => {
        peak = Math.max(peak, tf.memory().numBytes)
        return write(...given)
      }
      try {
        tf.tidy(work)
      } finally {
        backend.write = write
      }
      return peak
    }
    const before = tf.memory().numTensors
    const base = tf.memory().numBytes
    const ours = peakOf(() => void gradients(deep, [x], null)) - base
    const theirs = peakOf(() => void tf.grad(deep)(x)) - base
    expect(tf.memory().numTensors).toBe(before)
    expect(ours).toBeLessThan(0.75 * theirs)
  })

  test('keep what a gradient hands on as it came, and add where two meet', () => {
    const same = tf.customGrad((a) => ({ value: tf.clone(a as tf.Tensor), gradFunc: (dy) => dy as tf.Tensor }))
    const [gradient] = gradients(() => tf.sum(tf.add(same(x), same(same(x)))), [x], null).grads
    expect(gradient!.arraySync()).toEqual([
      [2, 2, 2],
      [2, 2, 2],
    ])
    const sums = gradients(
      () => tf.sum(addLike(addBias(x, tf.slice(w, [0, 0], [3, 1]).reshape([3]) as tf.Tensor1D), addLike(x, x))),
      [x, w],
      null,
    ).grads
    expect(values(sums)).toEqual([
      [
        [3, 3, 3],
        [3, 3, 3],
      ],
      [
        [2, 0],
        [2, 0],
        [2, 0],
      ],
    ])
  })

  test('stand inside each other, and an error within leaves nothing of the tape', () => {
    const variable = tf.variable(w)
    const inner = (a: tf.Tensor2D): tf.Tensor2D => tf.tanh(tf.matMul(a, variable as unknown as tf.Tensor2D))
    const plain = tf.variableGrads(() => tf.sum(inner(x)) as tf.Scalar, [variable]).grads[variable.name]!
    const twice = variableGradients(() => tf.sum(recomputed(inner, x, [variable])) as tf.Scalar, [variable])
    expect(twice.grads[variable.name]!.arraySync()).toEqual(plain.arraySync())
    const before = tf.memory().numTensors
    expect(() =>
      tf.tidy(() => {
        gradients(
          () => {
            tf.tanh(tf.mul(x, x))
            throw new Error('no room')
          },
          [x],
          null,
        )
      }),
    ).toThrow('no room')
    expect(tf.memory().numTensors).toBe(before)
    expect(() => variableGradients(() => tf.sum(x) as tf.Scalar, [variable])).toThrow(RangeError)
  })
})
