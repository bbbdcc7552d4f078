import { sftLoss } from '../../core/learn/algorithms/sft.ts'
import { tokenBatch } from '../../core/learn/batches.ts'
import { trainBpe } from '../../core/learn/tokens/bpe-trainer.ts'
import type { LossResult } from '../../core/learn/define.ts'
import type { EncodedCompletion } from '../../core/learn/tokens/encode-rows.ts'
import { createDecoder, presetConfig, type Decoder } from '../../core/learn/models/decoder.ts'
import { createOptimizer, globalNorm, type Optimizer } from '../../core/learn/optimizer.ts'
import { createRandom, type Random } from '../../core/learn/random.ts'
import { loadTokenizer, type Tokenizer } from '../../core/learn/tokens/tokenizer.ts'
import { tf } from '../../core/learn/tf.ts'

// Small language models, pre-trained within an experiment.

export function adam(decoder: Decoder): Optimizer {
  return createOptimizer({ beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, clipNorm: 1 }, decoder.variables)
}

/** One clipped Adam step. @returns the loss's metrics */
export async function descend(
  decoder: Decoder,
  optimizer: Optimizer,
  learningRate: number,
  loss: () => LossResult,
): Promise<Record<string, number>> {
  const names = Object.entries(decoder.variables)
  const kept: Record<string, tf.Scalar> = {}
  tf.tidy(() => {
    const { grads } = tf.variableGrads(
      () => {
        const result = loss()
        for (const [name, value] of Object.entries(result.metrics)) kept[name] = tf.keep(tf.clone(value))
        return result.loss
      },
      names.map(([, variable]) => variable),
    )
    const gradients = Object.fromEntries(
      names.flatMap(([name, variable]) => (grads[variable.name] === undefined ? [] : [[name, grads[variable.name]!]])),
    )
    optimizer.apply(gradients, learningRate, globalNorm(Object.values(gradients)))
  })
  const metrics: Record<string, number> = {}
  for (const [name, value] of Object.entries(kept)) {
    metrics[name] = (await value.data<'float32'>())[0]!
    value.dispose()
  }
  return metrics
}

export interface Pretraining {
  readonly steps: number
  readonly batchSize: number
  readonly learningRate: number
}

/** Rises over a tenth of the steps, then falls along a cosine. */
function rateAt(step: number, { steps, learningRate }: Pretraining): number {
  const warm = Math.max(1, Math.floor(steps / 10))
  return step < warm
    ? (learningRate * (step + 1)) / warm
    : (learningRate * (1 + Math.cos((Math.PI * (step - warm)) / Math.max(1, steps - warm)))) / 2
}

/** A new decoder that has learned to continue these prompts so. */
export async function pretrain(
  preset: 'nano' | 'micro',
  tokenizer: Tokenizer,
  rows: readonly EncodedCompletion[],
  options: Pretraining,
  random: Random,
  breathe: () => Promise<void>,
): Promise<Decoder> {
  const decoder = createDecoder(presetConfig(preset, tokenizer.vocabSize), random.fork('weights'))
  const optimizer = adam(decoder)
  const order = random.fork('order')
  for (let step = 0; step < options.steps; step += 1) {
    const tokens = tokenBatch(
      Array.from({ length: options.batchSize }, () => rows[order.int(rows.length)]!),
      tokenizer.padId,
    )
    const count = tf.tidy(() => tf.sum(tokens.completion).dataSync<'float32'>()[0]!)
    await descend(decoder, optimizer, rateAt(step, options), () => {
      const loss = sftLoss(decoder.tokenLogProbs(tokens), tf.ones([options.batchSize]), count)
      return { loss, metrics: {} }
    })
    tf.dispose([tokens.ids, tokens.attention, tokens.completion])
    if (step % 10 === 9) await breathe()
  }
  optimizer.dispose()
  return decoder
}

/** A copy with the same numbers. */
export async function copyDecoder(decoder: Decoder): Promise<Decoder> {
  const copy = createDecoder(decoder.config, createRandom(0))
  copy.fromTensors(await decoder.toTensors())
  return copy
}

/** Mean negative log-likelihood of a completion token. */
export async function lossOn(decoder: Decoder, rows: readonly EncodedCompletion[], padId: number): Promise<number> {
  const tokens = tokenBatch(rows, padId)
  const total = tf.tidy(() => tf.neg(tf.sum(decoder.tokenLogProbs(tokens))))
  const value = (await total.data<'float32'>())[0]! / rows.reduce((sum, row) => sum + row.completion.length, 0)
  tf.dispose([total, tokens.ids, tokens.attention, tokens.completion])
  return value
}

export function tokenizerFor(texts: readonly string[], vocabSize: number): Tokenizer {
  return loadTokenizer(trainBpe(texts, vocabSize))
}

/** Lets other work in. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0))
}
