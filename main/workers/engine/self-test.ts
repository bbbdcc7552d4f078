import { AppError } from '../../../shared/errors.ts'
import type { EngineName } from '../../../shared/domain.ts'
import { tokenBatch } from '../../core/learn/batches.ts'
import { createDecoder, presetConfig, type Decoder } from '../../core/learn/models/decoder.ts'
import { createOptimizer, readGlobalNorm } from '../../core/learn/optimizer.ts'
import { createRandom } from '../../core/learn/random.ts'
import { sampleCompletions } from '../../core/learn/sampling/sample.ts'
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
  const tokens = tokenBatch(rows(4, 24), 0)
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

export interface EngineSpeed {
  /** Tokens of a training step, forward, backward and update, per second. */
  readonly trainingTokensPerSec: number
  /** Tokens drawn for eight rows at once, per second. */
  readonly samplingTokensPerSec: number
}

/** A small decoder (two layers of 128) for as long as said, half of it training. */
export async function measureSpeed(seconds: number): Promise<EngineSpeed> {
  const decoder = createDecoder(presetConfig('micro', 512), createRandom(1))
  const optimizer = createOptimizer(
    { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, clipNorm: 0 },
    decoder.variables,
  )
  const tokens = tokenBatch(rows(4, 128), 0)
  const names = Object.entries(decoder.variables)
  const step = async (): Promise<number> => {
    const { value, grads } = tf.variableGrads(
      () => tf.neg(tf.mean(decoder.tokenLogProbs(tokens))) as tf.Scalar,
      Object.values(decoder.variables),
    )
    const gradients = Object.fromEntries(names.map(([name, variable]) => [name, grads[variable.name]!]))
    optimizer.apply(gradients, 1e-3, await readGlobalNorm(Object.values(gradients)))
    await value.data()
    tf.dispose([value, ...Object.values(grads)])
    return 4 * 128
  }
  const prompts = rows(8, 16).map((row) => [...row.prompt, ...row.completion])
  const draw = async (): Promise<number> => {
    const done = await sampleCompletions(decoder, prompts, (row) => createRandom(row), {
      maxTokens: 32,
      temperature: 1,
      endId: -1,
    })
    return done.reduce((sum, one) => sum + one.ids.length, 0)
  }
  try {
    return { trainingTokensPerSec: await rate(step, seconds / 2), samplingTokensPerSec: await rate(draw, seconds / 2) }
  } finally {
    tf.dispose([tokens.ids, tokens.attention, tokens.completion])
    decoder.dispose()
  }
}

async function rate(work: () => Promise<number>, seconds: number): Promise<number> {
  for (let round = 0; round < 2; round += 1) await work() // warm-up
  const startedAtMs = performance.now()
  let tokens = 0
  let elapsedMs = 0
  while (elapsedMs < seconds * 1000) {
    tokens += await work()
    elapsedMs = performance.now() - startedAtMs
  }
  return (1000 * tokens) / elapsedMs
}

function tinyDecoder(): { readonly decoder: Decoder; dispose(): void } {
  const decoder = createDecoder(presetConfig('nano', 256), createRandom(1))
  return { decoder, dispose: () => decoder.dispose() }
}

/** The same rows everywhere. */
function rows(count: number, length: number): { prompt: number[]; completion: number[]; text: string }[] {
  const random = createRandom(2)
  return Array.from({ length: count }, () => {
    const ids = Array.from({ length }, () => random.int(256))
    return { prompt: ids.slice(0, 1), completion: ids.slice(1), text: '' }
  })
}
