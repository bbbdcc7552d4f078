import { AppError } from '../../../shared/errors.ts'
import type { EngineName } from '../../../shared/domain.ts'
import { tokenBatch } from '../../core/learn/batches.ts'
import { createDecoder, presetConfig, type Decoder } from '../../core/learn/models/decoder.ts'
import { createRandom } from '../../core/learn/random.ts'
import { tf } from '../../core/learn/tf.ts'

/** Of the step below, by the cpu engine. */
const EXPECTED = { loss: 5.585914, gradientNorm: 1.351834 }
const TOLERANCE = 2e-3

/**
 * One step of a tiny decoder, value and gradient, on the open engine, against the reference's numbers.
 * @throws AppError `engine-unavailable` when the engine computes something else
 */
export async function selfTest(name: EngineName): Promise<void> {
  const { decoder, dispose } = tinyDecoder()
  const tokens = tokenBatch(sampleRows(4, 24), 0)
  try {
    const { value, grads } = tf.variableGrads(
      () => tf.neg(tf.mean(decoder.tokenLogProbs(tokens))) as tf.Scalar,
      Object.values(decoder.variables),
    )
    const norm = tf.tidy(() => tf.sqrt(tf.addN(Object.values(grads).map((grad) => tf.sum(tf.square(grad))))))
    const [loss, gradientNorm] = [(await value.data())[0]!, (await norm.data())[0]!]
    tf.dispose([value, norm, ...Object.values(grads)])
    for (const [what, actual] of Object.entries({ loss, gradientNorm })) {
      const expected = EXPECTED[what as keyof typeof EXPECTED] // the same two
      if (!(Math.abs(actual - expected) <= TOLERANCE * expected)) {
        throw new AppError({
          code: 'engine-unavailable',
          message: `The ${name} engine computes wrong numbers: a ${what} of ${actual}, not ${expected}.`,
          hint: 'Use another engine; a newer driver may mend this one.',
        })
      }
    }
  } finally {
    tf.dispose([tokens.ids, tokens.attention, tokens.completion])
    dispose()
  }
}

function tinyDecoder(): { readonly decoder: Decoder; dispose(): void } {
  const decoder = createDecoder(presetConfig('nano', 256), createRandom(1))
  return { decoder, dispose: () => decoder.dispose() }
}

/** The same rows everywhere. */
export function sampleRows(count: number, length: number): { prompt: number[]; completion: number[]; text: string }[] {
  const random = createRandom(2)
  return Array.from({ length: count }, () => {
    const ids = Array.from({ length }, () => random.int(256))
    return { prompt: ids.slice(0, 1), completion: ids.slice(1), text: '' }
  })
}
