import type { ContrastItem, ContrastMethod, ContrastStep } from '../../main/core/learn/embed/contrast.ts'
import { createDecoder } from '../../main/core/learn/models/decoder.ts'
import { createOptimizer } from '../../main/core/learn/optimizer.ts'
import { createRandom } from '../../main/core/learn/random.ts'
import { tf } from '../../main/core/learn/tf.ts'
import { byteTokenizer } from '../../main/core/learn/tokens/bpe-trainer.ts'
import { loadTokenizer } from '../../main/core/learn/tokens/tokenizer.ts'
import { trainingConfig } from '../../shared/training-config.ts'
import { embedSpans } from '../../main/core/learn/embed/rationale.ts'
import { tagsFormat } from '../../main/core/learn/tokens/tags-format.ts'
import { minimizeParts, minimizeVectors, type Update } from '../../main/workers/trainer/minimize.ts'
import { isSurrogate, type ToyCourse } from './toy-course.ts'
import { oneLayer } from './one-layer.ts'

// Texts on two topics, for a decoder of one layer.

const STEPS = 12
/** Settings that a method lacks are left out. A sum over the sequence, whose value on one batch falls as it learns; a reward for what does not end, of which there is much. */
const CHANGES = { system: 'x', groupSize: 2, rolloutTokens: 3, objective: 'sum', unfinishedPenalty: false }
const TOPICS = ['sea', 'law']

/**
 * Twelve descents: one an update; or, of a policy gradient, all on the first batch that it writes. Its value on new
 * batches would say nothing, and nor would their reward, which is taken with the network that is trained.
 */
export async function learnToyTexts(method: ContrastMethod): Promise<ToyCourse> {
  const training = trainingConfig.parse({
    steps: STEPS,
    batchSize: 4,
    microBatchSize: 4,
    maxLength: 24,
    learningRate: 0.01,
    dropout: 0,
    schedule: 'constant',
    warmupFraction: 0,
  })
  const tokenizer = loadTokenizer(byteTokenizer())
  const decoder = createDecoder(oneLayer(tokenizer.vocabSize), createRandom(1))
  const optimizer = createOptimizer(training, decoder.variables)
  const defaults = method.config.parse({}) as Readonly<Record<string, unknown>>
  const config = method.config.parse(Object.fromEntries(Object.entries(CHANGES).filter(([name]) => name in defaults)))
  const alone = method.learnsFrom(config) === 'texts'
  const items = [0, 1, 2, 3].map((at): ContrastItem => ({
    id: String(at),
    query: `${TOPICS[at % 2]} ${at}`,
    positive: alone ? null : `${TOPICS[at % 2]} ${at + 4}`,
    negatives: alone ? [] : [`${TOPICS[1 - (at % 2)]} ${at}`],
  }))
  const losses: number[] = []
  const tensors: number[] = []
  const values: number[] = []
  const descents = isSurrogate(method) ? STEPS : 1
  const descend = async (once: () => Promise<Update>): Promise<Update['metrics']> => {
    for (let more = descents - 1; ; more -= 1) {
      const { metrics } = await once()
      losses.push(metrics['loss']!)
      tensors.push(tf.memory().numTensors)
      if (more === 0) return metrics
    }
  }
  const stepOf = (step: number): ContrastStep<unknown> => ({
    config,
    decoder,
    tokenizer,
    format: tagsFormat(tokenizer),
    items,
    maxLength: training.maxLength,
    microBatchSize: training.microBatchSize,
    random: (label) => createRandom(1).fork(label).fork(String(step)),
    breathe: () => Promise.resolve(),
    minimizeParts: (parts, loss) =>
      descend(() => minimizeParts(decoder, optimizer, training, parts, loss, () => undefined)),
    minimizeVectors: (pieces, loss) =>
      descend(() =>
        minimizeVectors(
          decoder,
          optimizer,
          training,
          {
            pieces,
            embed: (rows) => embedSpans(decoder, rows),
            variables: Object.values(decoder.variables),
            breathe: () => Promise.resolve(),
          },
          loss,
        ),
      ),
  })
  for (let step = 1; step <= STEPS / descents; step += 1)
    values.push(...Object.values((await method.update(stepOf(step))).metrics))
  for (const vector of await method.embed(
    stepOf(0),
    items.map(({ query }) => query),
  ))
    values.push(...vector)
  optimizer.dispose()
  decoder.dispose()
  return { losses, tensors, values, score: null }
}
