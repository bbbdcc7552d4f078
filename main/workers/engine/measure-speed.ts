import type { EngineSpeed } from '../../../shared/contract/engines.ts'
import { tokenBatch } from '../../core/learn/batches.ts'
import { createDecoder, presetConfig } from '../../core/learn/models/decoder.ts'
import { createOptimizer, readGlobalNorm } from '../../core/learn/optimizer.ts'
import { createRandom } from '../../core/learn/random.ts'
import { sampleCompletions } from '../../core/learn/sampling/sample.ts'
import { tf } from '../../core/learn/tf.ts'
import { sampleRows } from './self-test.ts'

/** Shares of the time: a step and sampling are what one waits for, the other two say why. */
const SHARES = { training: 0.4, sampling: 0.4, product: 0.1, memory: 0.1 } as const

/** A small decoder (two layers of 128) in training and sampling, a product of matrices and a sum of vectors, for as long as said together. */
export async function measureSpeed(seconds: number): Promise<EngineSpeed> {
  const decoder = createDecoder(presetConfig('micro', 512), createRandom(1))
  const optimizer = createOptimizer(
    { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, clipNorm: 0 },
    decoder.variables,
  )
  const tokens = tokenBatch(sampleRows(4, 128), 0)
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
  const prompts = sampleRows(8, 16).map((row) => [...row.prompt, ...row.completion])
  const draw = async (): Promise<number> => {
    const done = await sampleCompletions(decoder, prompts, (row) => createRandom(row), {
      maxTokens: 32,
      temperature: 1,
      endId: -1,
    })
    return done.reduce((sum, one) => sum + one.ids.length, 0)
  }
  try {
    return {
      trainingTokensPerSec: await rate(step, seconds * SHARES.training),
      samplingTokensPerSec: await rate(draw, seconds * SHARES.sampling),
      productFlopsPerSec: await productRate(seconds * SHARES.product),
      memoryBytesPerSec: await memoryRate(seconds * SHARES.memory),
    }
  } finally {
    tf.dispose([tokens.ids, tokens.attention, tokens.completion])
    decoder.dispose()
  }
}

/** What `work` counts, a second. */
async function rate(work: () => Promise<number>, seconds: number): Promise<number> {
  for (let round = 0; round < 2; round += 1) await work() // warm-up
  const startedAtMs = performance.now()
  let counted = 0
  let elapsedMs = 0
  while (elapsedMs < seconds * 1000) {
    counted += await work()
    elapsedMs = performance.now() - startedAtMs
  }
  return (1000 * counted) / elapsedMs
}

/** One operation is to last about as long: far longer than its launch and the reading that waits for its end. */
const ONE_MS = 20
const SIDES = [128, 256, 512, 1024, 2048, 4096] as const
const LENGTHS = [2 ** 18, 2 ** 20, 2 ** 22, 2 ** 24, 2 ** 26] as const

/** C = A B, n × n: 2 n³ operations. */
function productRate(seconds: number): Promise<number> {
  return rateOfSize(SIDES, seconds, (side) => {
    const [a, b] = [tf.ones([side, side]), tf.ones([side, side])]
    return { inputs: [a, b], once: () => tf.matMul(a as tf.Tensor2D, b as tf.Tensor2D), counts: 2 * side ** 3 }
  })
}

/** c = a + b: two vectors read, one written. */
function memoryRate(seconds: number): Promise<number> {
  return rateOfSize(LENGTHS, seconds, (length) => {
    const [a, b] = [tf.ones([length]), tf.ones([length])]
    return { inputs: [a, b], once: () => tf.add(a, b), counts: 12 * length }
  })
}

interface Operation {
  readonly inputs: readonly tf.Tensor[]
  once(): tf.Tensor
  /** What one of them counts. */
  readonly counts: number
}

/** Measured at the first size that takes long enough, else at the largest: an engine is not to be judged by its launches. */
async function rateOfSize(
  sizes: readonly number[],
  seconds: number,
  make: (size: number) => Operation,
): Promise<number> {
  for (const size of sizes) {
    const operation = make(size)
    const work = async (): Promise<number> => {
      const result = operation.once()
      const first = tf.tidy(() => tf.slice(tf.reshape(result, [-1]), 0, 1))
      await first.data()
      tf.dispose([result, first])
      return operation.counts
    }
    try {
      await work() // compiles
      const startedAtMs = performance.now()
      await work()
      if (performance.now() - startedAtMs >= ONE_MS || size === sizes.at(-1)) return await rate(work, seconds)
    } finally {
      tf.dispose([...operation.inputs])
    }
  }
  throw new RangeError('no size to measure')
}
