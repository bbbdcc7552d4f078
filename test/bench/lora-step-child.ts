// lora-step-child.ts <rows> <tokens> <threads>: the step of lora-step.ts, here.
import { splitPairs, sequenceLogProbs } from '../../main/core/learn/ops.ts'
import { variableGradients } from '../../main/core/learn/gradients.ts'
import { initialAdapters } from '../../main/core/learn/models/adapters.ts'
import { decoderFrom } from '../../main/core/learn/models/decoder.ts'
import { freshWeights, sourceOf } from '../../main/core/learn/models/parameters.ts'
import { createOptimizer } from '../../main/core/learn/optimizer.ts'
import { createRandom } from '../../main/core/learn/random.ts'
import { tf } from '../../main/core/learn/tf.ts'
import { openEngine } from '../../main/workers/engine/choose.ts'
import { SMOLLM2 } from './smollm2-shape.ts'

const [rows, time, threads] = process.argv.slice(2).map(Number) as [number, number, number]
const STEPS = 4
/** Tokens of the prompt: what follows is learned. */
const PROMPT = 32
const config = SMOLLM2
const lora = { rank: 16, alpha: 32, dropout: 0, targets: 'all-linear' } as const

await openEngine('wasm', { threads })
const random = createRandom(3)
const decoder = decoderFrom(config, freshWeights(config, random.fork('weights')), {
  lora,
  adapters: sourceOf(initialAdapters(config, lora, random.fork('adapters'))),
})
const optimizer = createOptimizer(
  { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, clipNorm: 1 },
  decoder.variables,
)
const names = new Map(Object.entries(decoder.variables).map(([name, variable]) => [variable.name, name]))
const times: number[] = []
for (let step = 0; step < STEPS; step += 1) {
  const ids = tf.tensor2d(
    Int32Array.from({ length: rows * time }, () => random.int(config.vocabSize)),
    [rows, time],
    'int32',
  )
  const attention = tf.ones([rows, time]) as tf.Tensor2D
  const completion = tf.tensor2d(
    Float32Array.from({ length: rows * time }, (_none, at) => (at % time < PROMPT ? 0 : 1)),
    [rows, time],
  )
  const beganMs = performance.now()
  const { value, grads } = variableGradients(() => {
    const sums = sequenceLogProbs(decoder.tokenLogProbs({ ids, attention, completion }))
    const [chosen, rejected] = splitPairs(sums, rows / 2)
    return tf.mean(tf.softplus(tf.mul(tf.sub(chosen, rejected), -0.1))) as tf.Scalar
  }, Object.values(decoder.variables))
  const byName = Object.fromEntries(Object.entries(grads).map(([name, gradient]) => [names.get(name)!, gradient]))
  optimizer.apply(byName, 1e-4, 1)
  await value.data()
  times.push(performance.now() - beganMs)
  tf.dispose([value, ids, attention, completion, ...Object.values(grads)])
}
const [middle] = times
  .slice(1)
  .toSorted((a, b) => a - b)
  .slice(1)
console.log(JSON.stringify({ stepMs: middle, peakBytes: process.resourceUsage().maxRSS * 1024 }))
process.exit(0)
