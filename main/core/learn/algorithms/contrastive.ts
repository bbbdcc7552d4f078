// InfoNCE on the vectors of a decoder (van den Oord et al., 2018, arXiv 1807.03748), and SimCSE where nothing is labeled
// (Gao et al., EMNLP 2021, arXiv 2104.08821). The loss stands in infonce.ts.
import { z } from 'zod'
import { forPretrained } from '../pretrained-presets.ts'
import { defineContrastMethod, embedPlain, type ContrastItem } from '../embed/contrast.ts'
import { EMBED_INFO } from '../embed/embed-metrics.ts'
import { lookedTokens, plainPrompt, spanOf, type SpanRow } from '../embed/rationale.ts'
import { piecesOf } from '../models/pieces.ts'
import { tf } from '../tf.ts'
import { contrastLogits, diagonalCrossEntropy } from './infonce.ts'

/**
 * 1 where a candidate is, word for word, the row's query or its positive, and so no negative of it. Columns: the positives, the
 * row's own at i; then the hard negatives, each row's own or those of all rows. [row][column]
 */
export function equalTexts(items: readonly ContrastItem[], hardNegatives: 'own' | 'all'): number[][] {
  const positiveOf = ({ query, positive }: ContrastItem): string => positive ?? query
  const all = items.flatMap((item) => item.negatives)
  return items.map((one, row) => {
    const same = (text: string): number => (text === positiveOf(one) || text === one.query ? 1 : 0)
    const positives = items.map((other, column) => (column === row ? 0 : same(positiveOf(other))))
    return [...positives, ...(hardNegatives === 'all' ? all : one.negatives).map(same)]
  })
}

export const contrastive = defineContrastMethod({
  id: 'contrastive',
  name: 'InfoNCE on texts',
  summary: 'Pulls the positive’s vector to the query, pushes others away',
  paper: {
    cite: 'van den Oord et al., 2018; unsupervised: Gao et al., EMNLP 2021',
    url: 'https://arxiv.org/abs/1807.03748',
  },
  vectors: ['infonce'],
  equation: 'L = −log( e^{sim(q_i, p_i)/τ} / Σ_j e^{sim(q_i, p_j)/τ} ),   j over positives and hard negatives',
  deviations: [
    'Vectors are the mean of the decoder’s last hidden states over the text, without a rationale.',
    'Without supervision (SimCSE) query and positive are the same text under two drawings of dropout, so dropout must be on.',
    'Texts that are equal are no negatives of each other: what equals the query or its positive is left out of its row, in the batch and among hard negatives.',
    'Batches are drawn whatever the lengths of their texts: were they sorted, texts could be told apart by their length.',
    'A batch is not cut for memory: every text stands against every other.',
  ],
  data: 'contrast-groups',
  role: 'embedder',
  models: ['decoder'],
  needsReference: false,
  config: z.strictObject({
    tau: z.number().positive().max(10).default(0.05).meta({
      title: 'Temperature',
      symbol: 'τ',
      help: 'Similarities are divided by it; 0.01 to 0.1 with cosines, 1 with dot products.',
      group: 'main',
    }),
    similarity: z
      .enum(['cosine', 'dot'])
      .default('cosine')
      .meta({ title: 'Similarity', help: 'Cosine, or the dot product.', group: 'main' }),
    supervision: z
      .enum(['triples', 'none'])
      .default('triples')
      .meta({ title: 'Supervision', help: 'Queries with positives and negatives; or none, SimCSE.', group: 'main' }),
    negatives: z.int().min(0).max(16).default(1).meta({
      title: 'Hard negatives',
      help: 'Of each query, at most; the batch’s other positives are negatives besides.',
      group: 'expert',
    }),
    hardNegatives: z
      .enum(['own', 'all'])
      .default('all')
      .meta({ title: 'Hard negatives of', help: 'A query’s own ones, or those of the whole batch.', group: 'expert' }),
  }),
  metrics: [
    {
      name: 'loss',
      label: 'Loss',
      unit: 'nats',
      goal: 'min',
      help: 'Cross-entropy of finding the positive in the batch. Chance is the log of the number of candidates.',
    },
    {
      name: 'contrast/accuracy',
      label: 'In-batch accuracy',
      unit: 'fraction',
      goal: 'max',
      help: 'How often the positive is the nearest of the batch.',
    },
    ...EMBED_INFO,
  ],
  mainMetric: 'eval/embed/ndcg',
  presets: [
    {
      id: 'small',
      title: 'Small model',
      suits: ['new'],
      note: 'For models that were made here. A healthy run: in-batch accuracy rises above chance and flattens, held-out nDCG follows; a gap between them is over-fitting. The decoder’s language suffers, so keep its run.',
      config: {},
      training: { steps: 100, batchSize: 32, learningRate: 1e-3, warmupFraction: 0.1, schedule: 'cosine' },
    },
    ...forPretrained('embedding'),
    {
      id: 'paper',
      title: 'SimCSE',
      note: 'Gao et al. (2021), unsupervised: τ 0.05, batch 64, learning rate 3e-5 or 1e-5 by the model’s size, one epoch, dropout 0.1.',
      config: { supervision: 'none', tau: 0.05 },
      training: { steps: 1000, batchSize: 64, learningRate: 1e-5, warmupFraction: 0, schedule: 'linear', dropout: 0.1 },
    },
  ],
  learnsFrom: ({ supervision, negatives }) => (supervision === 'none' ? 'texts' : { negatives }),
  load({ supervision, negatives }, { batchSize }) {
    const rows = batchSize * (1 + (supervision === 'none' ? 0 : negatives)) // queries are in pieces apart
    return {
      learned: (longest) => rows * longest,
      inPieces: true,
      predicts: false,
      parts: 2,
      looked: lookedTokens,
      written: null,
    }
  },
  async update({
    config: { tau, similarity, hardNegatives },
    items,
    decoder,
    tokenizer,
    format,
    maxLength,
    minimizeVectors,
  }) {
    const row = (text: string): ReturnType<typeof spanOf> =>
      spanOf(plainPrompt(tokenizer, format, text, maxLength), [], 'after-system')
    const queries = items.map((item) => row(item.query))
    const positives = items.map((item) => row(item.positive ?? item.query))
    const negatives = items.flatMap((item) => item.negatives.map(row))
    const dim = decoder.config.hidden
    const excluded = equalTexts(items, hardNegatives)
    const pieces = (rows: readonly SpanRow[]): (readonly SpanRow[])[] =>
      piecesOf(rows, ({ ids }) => ids.length, decoder.shapes)
    // Queries apart: rows that are equal share their tokens within a piece, and would share their dropout.
    const rows = [...pieces(queries), ...pieces([...positives, ...negatives])]
    const metrics = await minimizeVectors(rows, (vectors) => {
      const query = tf.slice(vectors, [0, 0], [items.length, dim])
      const rest = tf.slice(vectors, [items.length, 0], [-1, dim])
      const positive = tf.slice(rest, [0, 0], [items.length, dim])
      const hard =
        negatives.length === 0
          ? null
          : (tf.reshape(tf.slice(rest, [items.length, 0], [negatives.length, dim]), [
              items.length,
              negatives.length / items.length,
              dim,
            ]) as tf.Tensor3D)
      const logits = contrastLogits(query, positive, hard, tf.tensor2d(excluded), {
        temperature: tau,
        similarity,
        hardNegatives,
      })
      const loss = tf.mean(diagonalCrossEntropy(logits)) as tf.Scalar
      const best = tf.equal(tf.argMax(logits, 1), tf.range(0, items.length, 1, 'int32'))
      return { loss, metrics: { loss, 'contrast/accuracy': tf.mean(tf.cast(best, 'float32')) as tf.Scalar } }
    })
    return { metrics, tokens: [...queries, ...positives, ...negatives].reduce((sum, one) => sum + one.ids.length, 0) }
  },
  embed: embedPlain,
})
