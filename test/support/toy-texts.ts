import type { ContrastMethod } from '../../main/core/learn/embed/contrast.ts'
import { byteTokenizer } from '../../main/core/learn/tokens/bpe-trainer.ts'
import { disposeBatch, groupBatch } from '../../main/core/learn/batches.ts'
import { advantageGroups, graceRound, graceStepLoss, type GraceInstance, type GraceOptions } from '../../main/core/learn/embed/grace-rollouts.ts'
import { createDecoder, presetConfig } from '../../main/core/learn/models/decoder.ts'
import { createOptimizer } from '../../main/core/learn/optimizer.ts'
import { createRandom } from '../../main/core/learn/random.ts'
import { loadTokenizer } from '../../main/core/learn/tokens/tokenizer.ts'
import { tf } from '../../main/core/learn/tf.ts'
import { openEventLog } from '../../main/base/run-folder/events.ts'
import { readSpec } from '../../main/base/run-folder/run-dir.ts'
import type { ContrastItem, ContrastSession } from '../../main/workers/trainer/contrast/contrast-session.ts'
import { createUpdater } from '../../main/workers/trainer/contrast/contrast-updates.ts'
import { createRunContext } from '../../main/workers/trainer/run-context.ts'
import { tinyRunOf } from './tiny-data.ts'
import { makeTinyRun } from './tiny-run.ts'
import type { ToyCourse } from './toy-course.ts'

const SIZE = { layers: 1, hidden: 16, heads: 2, kvHeads: 2, headDim: 8, feedForward: 24 }
const STEPS = 20

/** Texts on two topics, for a decoder of one layer; rationales about them, for one whose whole vocabulary is 14 tokens. */
export async function learnToyTexts(method: ContrastMethod, root: string): Promise<ToyCourse> {
  if (method.learns === 'rationales') return learnToyRationales()
  const tiny = tinyRunOf(method)
  const folder = makeTinyRun(root, { ...tiny, runId: `toy-${method.id}`, training: { ...tiny.training, steps: STEPS, maxLength: 24, learningRate: 0.01, dropout: 0, schedule: 'constant' } })
  const spec = readSpec(folder)
  const log = openEventLog(folder)
  const context = createRunContext(spec, folder, log, { engine: 'cpu', obeys: false })
  const tokenizer = loadTokenizer(byteTokenizer())
  const decoder = createDecoder({ ...presetConfig('nano', tokenizer.vocabSize), ...SIZE }, createRandom(1))
  const optimizer = createOptimizer(spec.training, decoder.variables)
  const config = method.config.parse(spec.config)
  const update = createUpdater({ context, method, config, tokenizer, decoder, optimizer } as unknown as ContrastSession) // all that an update reads; the rest is for choosing items and judging
  const items = [0, 1, 2, 3].map((at): ContrastItem => ({ id: String(at), query: `${['sea', 'law'][at % 2]} ${at}`, positive: `${['sea', 'law'][at % 2]} ${at + 4}`, negatives: [`${['law', 'sea'][at % 2]} ${at}`] }))
  const losses: number[] = []
  const tensors: number[] = []
  const values: number[] = []
  for (let step = 1; step <= spec.training.steps; step += 1) {
    const { metrics } = await update(items, step)
    losses.push(metrics['loss']!)
    values.push(...Object.values(metrics))
    tensors.push(tf.memory().numTensors)
  }
  optimizer.dispose()
  decoder.dispose()
  log.close()
  return { losses, tensors, values, score: null }
}

const END = 1

/**
 * Thirty updates on one round of rationales that stands still. The clipped surrogate's value says nothing (its ratio is 1
 * at every step); what falls is the printed objective, −Σ A log π: better rationales become likelier than worse ones. The
 * reward of new rationales would be no measure here: it is taken with the network that is trained, and moves with it.
 */
async function learnToyRationales(): Promise<ToyCourse> {
  const config = { ...presetConfig('nano', 14), ...SIZE, hidden: 8, headDim: 4, feedForward: 12 }
  const decoder = createDecoder(config, createRandom(3))
  const optimizer = createOptimizer({ beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, clipNorm: 1 }, decoder.variables)
  const prompt = (...ids: number[]): GraceInstance['query'] => ({ ids: [2, 3, ...ids, END], systemTokens: 2 })
  const instances = [[4, 5], [6, 7], [8, 9]].map(([a, b]): GraceInstance => ({ query: prompt(a!), positive: prompt(a!, b!), negatives: [prompt(10, b!)] }))
  const options: GraceOptions = { rollouts: 6, maxTokens: 4, temperature: 1, anchorTemperature: 0.5, weights: { consistency: 0.2, hard: 0.2, temperature: 0.1 }, span: 'after-system', hardTerm: 'instance', unfinishedReward: null }
  const losses: number[] = []
  const tensors: number[] = []
  const values: number[] = []
  const round = await graceRound(decoder, instances, options, END, createRandom(5), () => Promise.resolve())
  const batch = groupBatch(advantageGroups(round), options.rollouts, 0, null)
  const totals = { items: 3, weight: 3, tokens: round.rollouts.flat().reduce((sum, { row }) => sum + row.completion.length, 0) }
  const lossBy = (objective: 'clipped' | 'sum'): tf.Scalar => graceStepLoss(decoder, batch, totals, { objective, clip: 0.2, dual: 3 }).loss
  for (let step = 0; step < 30; step += 1) {
    losses.push(tf.tidy(() => lossBy('sum').dataSync()[0]!))
    tf.tidy(() => {
      const { value, grads } = tf.variableGrads(() => lossBy('clipped'), Object.values(decoder.variables))
      optimizer.apply(Object.fromEntries(Object.entries(decoder.variables).map(([name, variable]) => [name, grads[variable.name]!])), 0.02)
      values.push(value.dataSync()[0]!)
    })
    tensors.push(tf.memory().numTensors)
  }
  values.push(...Object.values(round.metrics))
  disposeBatch(batch)
  optimizer.dispose()
  decoder.dispose()
  return { losses, tensors, values, score: null }
}
