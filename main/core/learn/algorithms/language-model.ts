// Language modeling: the likelihood of text itself (Radford et al., 2018), to make a base model where none is at hand.
import { z } from 'zod'
import { forPretrained } from '../pretrained-presets.ts'
import { chunked, chunkedByTokens } from '../batch-totals.ts'
import { groupBatch, tokenBatch } from '../batches.ts'
import { defineContrastMethod, embedPlain, type ContrastContext } from '../embed/contrast.ts'
import { LOOKED_AT_ONCE, lookedTokens } from '../embed/rationale.ts'
import { EMBED_INFO } from '../embed/embed-metrics.ts'
import { tf } from '../tf.ts'
import type { EncodedCompletion } from '../tokens/encode-rows.ts'
import { sftLoss } from './sft.ts'

const rowTokens = (row: EncodedCompletion): number => row.prompt.length + row.completion.length

/** A micro-batch is counted in pairs, which are two rows. */
const rowsOfPart = (microBatchSize: number): number => 2 * microBatchSize

/** A text as a row: it begins as the model's texts begin, or with the end-of-turn token, and ends with that. */
function rowOf({ tokenizer, format, maxLength }: ContrastContext<unknown>, text: string): EncodedCompletion {
  const prompt = format.opening.length === 0 ? [tokenizer.endId] : format.opening
  return {
    prompt,
    completion: [...tokenizer.encode(text), tokenizer.endId].slice(0, maxLength - prompt.length),
    text,
  }
}

export const languageModel = defineContrastMethod({
  id: 'language-model',
  name: 'Language modeling',
  summary: 'Learns to write as the texts of a data set are written',
  paper: {
    cite: 'Radford et al., 2018',
    url: 'https://cdn.openai.com/research-covers/language-unsupervised/language_understanding_paper.pdf',
  },
  vectors: ['seq_logprob_sft'],
  equation: 'L = −Σₜ log π(xₜ | x before t) / number of tokens',
  deviations: [
    'Every text of an item, query, positive, negatives or the text alone, is one row that begins and ends with the end-of-turn token; rows are not packed together.',
  ],
  data: 'contrast-groups',
  role: 'policy',
  models: ['decoder'],
  needsReference: false,
  config: z.strictObject({}),
  metrics: [
    {
      name: 'loss',
      label: 'Loss',
      unit: 'nats/token',
      goal: 'min',
      help: 'Mean negative log-likelihood of a token. It falls; a held-out curve that turns up is over-fitting.',
    },
    ...EMBED_INFO,
  ],
  mainMetric: 'eval/loss',
  presets: [
    {
      id: 'small',
      title: 'Small model',
      suits: ['new'],
      note: 'Pre-trains a model of Pairlab’s own sizes from scratch on texts that were imported. A healthy run: held-out loss falls, flattens, and does not turn.',
      config: {},
      training: { steps: 500, batchSize: 32, learningRate: 3e-3, warmupFraction: 0.1, schedule: 'cosine' },
    },
    ...forPretrained('imitation'),
    {
      id: 'paper',
      title: 'GPT',
      note: 'Radford et al. (2018): Adam to 2.5e-4 over a warm-up, then a cosine to 0, batch 64 of 512 tokens, 100 epochs, dropout 0.1.',
      config: {},
      training: {
        steps: 100_000,
        batchSize: 64,
        learningRate: 2.5e-4,
        warmupFraction: 0.02,
        schedule: 'cosine',
        dropout: 0.1,
        maxLength: 512,
      },
    },
  ],
  learnsFrom: () => 'texts',
  load: (_config, { batchSize, microBatchSize }) => ({
    learned: (longest) => Math.min(batchSize, rowsOfPart(microBatchSize)) * longest,
    inPieces: false,
    predicts: true,
    parts: Math.ceil(batchSize / rowsOfPart(microBatchSize)),
    looked: lookedTokens,
    written: null,
  }),
  async update(step) {
    const rows = step.items.map((item) => rowOf(step, item.query))
    const tokens = rows.reduce((sum, row) => sum + row.completion.length, 0)
    const chunks = chunked(Array.from(rows.keys()), rowsOfPart(step.microBatchSize))
    const parts = {
      count: chunks.length,
      totals: { items: rows.length, weight: rows.length, tokens },
      make: (part: number) =>
        groupBatch(
          (chunks[part] ?? []).map((index) => ({
            promptText: '',
            completions: [rows[index]!],
            rewards: [0],
            weight: 1,
          })),
          1,
          step.tokenizer.padId,
          null,
        ),
    } // indices of rows
    const metrics = await step.minimizeParts(parts, (batch) => {
      const loss = sftLoss(step.decoder.tokenLogProbs(batch.tokens), batch.weight, tokens)
      return { loss, metrics: { loss } }
    })
    return { metrics, tokens: tokens + rows.length }
  },
  embed: embedPlain,
  /** Mean negative log-likelihood of a token, dropout off. */
  async measure(context, texts) {
    const rows = texts.map((text) => rowOf(context, text))
    let total = 0
    for (const part of chunkedByTokens(rows, LOOKED_AT_ONCE.rows, LOOKED_AT_ONCE.tokens, rowTokens)) {
      const tokens = tokenBatch(part, context.tokenizer.padId)
      const sum = tf.tidy(() => tf.neg(tf.sum(context.decoder.tokenLogProbs(tokens))))
      total += (await sum.data<'float32'>())[0]!
      tf.dispose([sum, tokens.ids, tokens.attention, tokens.completion])
      await context.breathe()
    }
    return {
      loss:
        total /
        Math.max(
          1,
          rows.reduce((count, row) => count + row.completion.length, 0),
        ),
    }
  },
})
