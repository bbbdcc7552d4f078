// Encoders and a decoder small enough to be looked through.
import { expect } from 'vitest'
import { textTokens } from '../../main/core/learn/embed/embed-texts.ts'
import type { LoraOptions } from '../../main/core/learn/models/adapters.ts'
import type { DecoderConfig } from '../../main/core/learn/models/decoder.ts'
import { type EmbeddingHead, encoderEmbedder, type TextEmbedder } from '../../main/core/learn/models/embedder.ts'
import type { EncoderConfig } from '../../main/core/learn/models/encoder-config.ts'
import { encoderFrom, type EncoderOptions } from '../../main/core/learn/models/encoder.ts'
import { freshEncoderWeights, initialEncoderAdapters } from '../../main/core/learn/models/encoder-parameters.ts'
import { createRandom } from '../../main/core/learn/random.ts'
import { tf } from '../../main/core/learn/tf.ts'

export const BERT: EncoderConfig = {
  family: 'bert',
  vocabSize: 31,
  layers: 3,
  hidden: 20,
  heads: 4,
  feedForward: 27,
  maxPositions: 16,
  tokenTypes: 2,
  normEpsilon: 1e-12,
  activation: 'exact',
}

export const DISTILBERT: EncoderConfig = { ...BERT, family: 'distilbert', tokenTypes: 0, activation: 'relu' }

export const LLAMA: DecoderConfig = {
  vocabSize: 31,
  layers: 2,
  hidden: 20,
  heads: 4,
  kvHeads: 2,
  headDim: 5 + 1,
  feedForward: 27,
  ropeTheta: 10_000,
  normEpsilon: 1e-5,
  tiedEmbeddings: false,
  scoreHead: true,
}

export const LORA: LoraOptions = { rank: 3, alpha: 6, dropout: 0, targets: 'all-linear' }

export const MEAN: EmbeddingHead = { pooling: ['mean'], dense: [], normalize: true }

export const ROWS = [[1, 5, 9, 2, 7, 11, 4], [1, 5], [8, 6, 4, 2], [3]]

const owned: { dispose(): void }[] = []

export function keep<T extends { dispose(): void }>(one: T): T {
  owned.push(one)
  return one
}

export function embed(embedder: TextEmbedder, rows: readonly (readonly number[])[]): number[][] {
  return tf.tidy(() => embedder.embed(textTokens(rows, 0)).arraySync())
}

export function expectClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  what = '',
): void {
  expect(actual.length, what).toBe(expected.length)
  for (let at = 0; at < expected.length; at += 1)
    expect(
      Math.abs(actual[at]! - expected[at]!),
      `${what}[${at}]: ${actual[at]} and ${expected[at]}`,
    ).toBeLessThanOrEqual(tolerance)
}

/** Loss in which rows meet, and its gradients by name. */
export function gradients(embedder: TextEmbedder): {
  readonly value: number
  readonly grads: Record<string, Float32Array>
} {
  const tokens = textTokens(ROWS, 0)
  const loss = (): tf.Scalar => {
    const rows = embedder.embed(tokens)
    return tf.sum(tf.square(tf.sub(tf.matMul(rows, rows, false, true), 0.3))) as tf.Scalar
  }
  const { value, grads } = tf.variableGrads(loss, Object.values(embedder.variables))
  const result = {
    value: value.dataSync()[0]!,
    grads: Object.fromEntries(
      Object.entries(embedder.variables).map(([name, variable]) => [
        name,
        grads[variable.name]!.dataSync<'float32'>().slice(),
      ]),
    ),
  }
  tf.dispose([value, ...Object.values(grads), tokens.ids, tokens.attention])
  return result
}

/** As trained: B no longer 0. */
export function trainedAdapters(config: EncoderConfig): ReturnType<typeof initialEncoderAdapters> {
  const random = createRandom(3)
  const adapters = initialEncoderAdapters(config, LORA, random)
  for (const [name, tensor] of Object.entries(adapters))
    if (name.includes('lora_B')) tensor.data.forEach((_value, at) => (tensor.data[at] = random.normal() * 0.1))
  return adapters
}

export function encoder(config: EncoderConfig, options: EncoderOptions = {}): TextEmbedder {
  return keep(encoderEmbedder(encoderFrom(config, freshEncoderWeights(config, createRandom(1)), options), MEAN))
}

/** What `keep` was given goes with each test. */
export function disposeKept(): void {
  owned.splice(0).forEach((one) => one.dispose())
}

/** They were disposed already. */
export function forgetKept(): void {
  owned.length = 0
}
