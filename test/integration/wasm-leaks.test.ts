import { expect, test } from 'vitest'
import { trainingConfig } from '../../shared/training-config.ts'
import type { EncodedCompletion, EncodedPair } from '../../main/core/learn/tokens/encode-rows.ts'
import { createDecoder } from '../../main/core/learn/models/decoder.ts'
import { createOptimizer } from '../../main/core/learn/optimizer.ts'
import { createRandom } from '../../main/core/learn/random.ts'
import { findTextAlgorithm } from '../../main/core/learn/registry.ts'
import { sampleCompletions } from '../../main/core/learn/sampling/sample.ts'
import { tf } from '../../main/core/learn/tf.ts'
import { openEngine } from '../../main/workers/engine/choose.ts'
import { minimizeParts } from '../../main/workers/trainer/minimize.ts'
import { pairItems } from '../../main/workers/trainer/text/training-data.ts'

const VOCAB = 23
const STEPS = 500

function pairs(): EncodedPair[] {
  const random = createRandom(3)
  const side = (): EncodedCompletion => ({
    prompt: [1, 2],
    completion: Array.from({ length: 3 + random.int(6) }, () => random.int(VOCAB)),
    text: '',
  })
  return Array.from({ length: 4 }, (_, at) => ({
    pairId: String(at),
    promptText: '',
    chosen: side(),
    rejected: side(),
    preference: 1,
    strength: 1,
    weight: 1,
    swapped: false,
  }))
}

test(`${STEPS} steps in two parts, with sampling between them, keep the tensors and the memory as they were`, async () => {
  const engine = await openEngine('wasm', { threads: 2 })
  const decoder = createDecoder(
    {
      vocabSize: VOCAB,
      layers: 2,
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
    learningRate: 3e-3,
    weightDecay: 0.01,
    steps: STEPS,
    batchSize: 4,
    microBatchSize: 2,
  })
  const optimizer = createOptimizer(training, decoder.variables)
  const algorithm = findTextAlgorithm('sft')
  const config = algorithm.config.parse({})
  const data = pairs()
  const items = pairItems({
    set: { pairs: data, rewards: null, answers: [] },
    algorithm,
    config,
    microBatchSize: 2,
    padId: 0,
    referenceOf: null,
  })
  const step = async (): Promise<number> => {
    const parts = items.parts([...data.keys()])
    expect(parts.count).toBe(2)
    return (
      await minimizeParts(
        decoder,
        optimizer,
        training,
        parts,
        (batch, totals) => algorithm.loss({ network: decoder, batch, totals, config }),
        () => undefined,
      )
    ).metrics['loss']!
  }
  const losses: number[] = []
  const seen: { tensors: number; bytes: number; heap: number | null }[] = []
  for (let at = 0; at < STEPS; at += 1) {
    losses.push(await step())
    if (at % 50 === 0) {
      await sampleCompletions(decoder, [[1, 2], [3]], (row) => createRandom(row), {
        maxTokens: 4,
        temperature: 1,
        endId: -1,
      })
      seen.push({ tensors: tf.memory().numTensors, bytes: tf.memory().numBytes, heap: engine.memory().peakBytes })
    }
  }
  expect(new Set(seen.slice(1).map((one) => JSON.stringify(one))).size).toBe(1)
  expect(losses.at(-1)!).toBeLessThan(0.5 * losses[0]!) // and it has learned
  optimizer.dispose()
  decoder.dispose()
  await engine.dispose()
})
