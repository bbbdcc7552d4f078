// `engine-leaks-child.ts <engine> <steps> [layers] [length]`: trains a tiny model with sampling in between and prints, a tenth of the
// steps apart, how many tensors and bytes there are, what the process holds, and the first and last loss. Completions are of that
// length; without it, of several.
import { engineName } from '../../shared/domain.ts'
import { trainingConfig } from '../../shared/training-config.ts'
import type { EncodedCompletion, EncodedPair } from '../../main/core/learn/tokens/encode-rows.ts'
import { createDecoder } from '../../main/core/learn/models/decoder.ts'
import { createOptimizer } from '../../main/core/learn/optimizer.ts'
import { createRandom } from '../../main/core/learn/random.ts'
import { findTextAlgorithm } from '../../main/core/learn/registry.ts'
import { sampleCompletions } from '../../main/core/learn/sampling/sample.ts'
import { tf } from '../../main/core/learn/tf.ts'
import { openEngine } from '../../main/workers/engine/choose.ts'
import { tensorflowCounts } from '../../main/workers/engine/tensorflow.ts'
import { minimizeParts } from '../../main/workers/trainer/minimize.ts'
import { pairItems } from '../../main/workers/trainer/text/training-data.ts'

const VOCAB = 23
const engine = await openEngine(engineName.parse(process.argv[2]), {
  threads: 1,
  enginesFolder: process.env['PAIRLAB_ENGINES'] ?? null,
})
const steps = Number(process.argv[3])
const random = createRandom(3)
const length = process.argv[5] === undefined ? null : Number(process.argv[5])
const side = (): EncodedCompletion => ({
  prompt: [1, 2],
  completion: Array.from({ length: length ?? 3 + random.int(6) }, () => random.int(VOCAB)),
  text: '',
})
const pairs = Array.from({ length: 4 }, (_, at): EncodedPair => ({
  pairId: String(at),
  promptText: '',
  chosen: side(),
  rejected: side(),
  preference: 1,
  strength: 1,
  weight: 1,
  swapped: false,
}))
const decoder = createDecoder(
  {
    vocabSize: VOCAB,
    layers: Number(process.argv[4] ?? 2),
    hidden: 16,
    heads: 2,
    kvHeads: 1,
    headDim: 8,
    feedForward: 24,
    ropeTheta: 10_000,
    normEpsilon: 1e-5,
    tiedEmbeddings: true,
    scoreHead: false,
  },
  createRandom(1),
)
const training = trainingConfig.parse({
  learningRate: 3e-3 * Math.max(1, 100 / steps),
  weightDecay: 0.01,
  steps,
  batchSize: 4,
  microBatchSize: 2,
})
const optimizer = createOptimizer(training, decoder.variables)
const algorithm = findTextAlgorithm('sft')
const config = algorithm.config.parse({})
const items = pairItems({
  set: { pairs, rewards: null, answers: [] },
  algorithm,
  config,
  microBatchSize: 2,
  padId: 0,
  referenceOf: null,
})
const losses: number[] = []
const seen: { tensors: number; bytes: number }[] = []
const residentBytes: number[] = []
for (let at = 0; at < steps; at += 1) {
  const { metrics } = await minimizeParts(
    decoder,
    optimizer,
    training,
    items.parts([...pairs.keys()]),
    (batch, totals) => algorithm.loss({ network: decoder, batch, totals, config }),
    () => undefined,
  )
  losses.push(metrics['loss']!)
  const trouble = engine.trouble?.() ?? null
  if (trouble !== null) throw trouble
  if (at % Math.ceil(steps / 10) !== 0) continue
  await sampleCompletions(decoder, [[1, 2], [3]], (row) => createRandom(row), {
    maxTokens: 4,
    temperature: 1,
    endId: -1,
  })
  seen.push({ tensors: tf.memory().numTensors, bytes: tf.memory().numBytes })
  residentBytes.push(process.memoryUsage.rss())
}
const calls = engine.name === 'tensorflow' ? tensorflowCounts() : null
console.log(JSON.stringify({ seen, residentBytes, losses: [losses[0], losses.at(-1)], calls }))
process.exit(0)
