// InfoNCE (van den Oord et al., 2018), arXiv 1807.03748, with in-batch and hard negatives.
import { normalizeRows } from '../ops.ts'
import { z } from 'zod'
import { pretrainedEncoder } from '../pretrained-presets.ts'
import { defineRanking, lossInfo, rankingInfo, SCORER_FIELDS } from '../ranking/ranking.ts'
import { tf } from '../tf.ts'

export type Similarity = 'cosine' | 'dot'

export interface ContrastOptions {
  readonly temperature: number
  readonly similarity: Similarity
  /** A row's hard negatives stand against that row alone, or against all rows. */
  readonly hardNegatives: 'own' | 'all'
}

/**
 * sim(q_i, p_j) / τ, followed by the hard negatives' columns; excluded columns are at −10⁹, before the softmax.
 * @param queries, positives [row, dim]   @param negatives [row, count, dim], or null
 * @param excluded 1 where column j is not a negative of row i (a duplicate, a false negative) [row, row], or [row, column] for hard ones too
 * @returns [row, column]
 */
export function contrastLogits(
  queries: tf.Tensor2D,
  positives: tf.Tensor2D,
  negatives: tf.Tensor3D | null,
  excluded: tf.Tensor2D | null,
  { temperature, similarity, hardNegatives }: ContrastOptions,
): tf.Tensor2D {
  return tf.tidy(() => {
    const unit = (x: tf.Tensor2D): tf.Tensor2D => (similarity === 'cosine' ? normalizeRows(x) : x)
    const q = unit(queries)
    const inBatch = tf.matMul(q, unit(positives), false, true) as tf.Tensor2D
    const masked = (all: tf.Tensor2D): tf.Tensor2D => {
      if (excluded === null) return all
      const [, width] = all.shape
      const known = tf.pad(excluded, [
        [0, 0],
        [0, width - excluded.shape[1]],
      ])
      return tf.where(tf.greater(known, 0), tf.fill(all.shape, -1e9 * temperature), all)
    }
    if (negatives === null) return tf.div(masked(inBatch), temperature) as tf.Tensor2D
    const [rows, count, dim] = negatives.shape
    const flat = unit(tf.reshape(negatives, [rows * count, dim]))
    const hard =
      hardNegatives === 'all'
        ? tf.matMul(q, flat, false, true)
        : tf.sum(tf.mul(tf.expandDims(q, 1), tf.reshape(flat, [rows, count, dim])), 2)
    return tf.div(masked(tf.concat2d([inBatch, hard as tf.Tensor2D], 1)), temperature) as tf.Tensor2D
  })
}

/** Cross-entropy of row i to column i. [row, column] → [row] */
export function diagonalCrossEntropy(logits: tf.Tensor2D): tf.Tensor1D {
  return tf.tidy(() => {
    const [rows, columns] = logits.shape
    return tf.neg(tf.sum(tf.mul(tf.logSoftmax(logits), tf.eye(rows, columns)), 1)) as tf.Tensor1D
  })
}

const config = z.strictObject({
  ...SCORER_FIELDS,
  inBatch: z.boolean().default(true).meta({
    title: 'In-batch negatives',
    help: 'The other queries’ documents are negatives too. Needs a bi-encoder; other scorers contrast within the list alone.',
    group: 'main',
  }),
  negatives: z.int().min(0).max(999).default(4).meta({
    title: 'In-list negatives',
    help: 'Candidates of the query that nobody judged relevant, drawn anew for each update.',
    group: 'main',
  }),
})

export const infoNce = defineRanking<z.infer<typeof config>>({
  id: 'infonce',
  name: 'InfoNCE',
  summary: 'One relevant document against others',
  paper: { cite: 'van den Oord et al., 2018', url: 'https://arxiv.org/abs/1807.03748' },
  vectors: ['infonce'],
  equation: 'L = −log e^{s(q, d⁺)/τ} / (e^{s(q, d⁺)/τ} + Σ_{d⁻} e^{s(q, d⁻)/τ})',
  deviations: [
    'Documents that are known to be relevant to a query are masked as its negatives, wherever they come from.',
    'Negatives come from the same micro-batch: with a smaller micro-batch there are fewer.',
    'The positive is drawn from all relevant candidates, whatever their grade.',
  ],
  config,
  metrics: [
    lossInfo(
      'log of the number of documents contrasted before anything is learned; it falls with every one told apart.',
    ),
    ...rankingInfo(),
  ],
  presets: [
    {
      id: 'features',
      title: 'Features',
      suits: ['networks'],
      note: 'A small network on features: negatives of the list alone.',
      config: { temperature: 1, inBatch: false, negatives: 50, candidates: 100 },
      training: {
        steps: 200,
        batchSize: 32,
        microBatchSize: 32,
        learningRate: 1e-2,
        warmupFraction: 0,
        schedule: 'linear',
      },
    },
    {
      id: 'encoder',
      title: 'Text encoder',
      suits: ['new'],
      note: 'For Pairlab’s own small encoders: cosine at 0.05, in-batch negatives and four of the list.',
      config: { similarity: 'cosine', temperature: 0.05 },
      training: {
        steps: 300,
        batchSize: 32,
        microBatchSize: 32,
        learningRate: 1e-3,
        warmupFraction: 0.1,
        schedule: 'cosine',
      },
    },
    ...pretrainedEncoder(16),
    {
      id: 'paper',
      title: 'Dense retrieval',
      note: 'As dense passage retrieval trains (Karpukhin et al., 2020): dot products, batch 128, in-batch negatives and one hard one, Adam at 1e-5.',
      config: { similarity: 'dot', temperature: 1, negatives: 1 },
      training: {
        steps: 5000,
        batchSize: 128,
        microBatchSize: 128,
        learningRate: 1e-5,
        warmupFraction: 0.1,
        schedule: 'linear',
      },
    },
  ],
  acrossLists: ({ inBatch }) => inBatch,
  pick({ relevance }, { negatives }, random) {
    const all = [...relevance.keys()]
    const relevant = all.filter((at) => relevance[at]! > 0)
    if (relevant.length === 0) return []
    const others = random.shuffle(all.filter((at) => relevance[at]! <= 0))
    return [relevant[random.int(relevant.length)]!, ...others.slice(0, negatives)]
  },
  loss({ own, all }, { lists, gradeOf }) {
    if (all === null) return tf.neg(tf.reshape(tf.slice(tf.logSoftmax(own), [0, 0], [lists.length, 1]), [lists.length]))
    const starts = lists.map((_list, at) =>
      lists.slice(0, at).reduce((sum, { documents }) => sum + documents.length, 0),
    )
    const columns = lists.flatMap(({ documents }) => documents)
    const excluded = lists.map((_list, row) =>
      columns.map((document, column) =>
        column !== starts[row] && (gradeOf(row, document) > 0 || document === columns[starts[row]!]) ? -1e9 : 0,
      ),
    )
    const target = lists.map((_list, row) => columns.map((_document, column) => (column === starts[row] ? 1 : 0)))
    return tf.neg(tf.sum(tf.mul(tf.logSoftmax(tf.add(all, tf.tensor2d(excluded))), tf.tensor2d(target)), 1))
  },
})
