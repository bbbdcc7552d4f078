// Supervised losses over one query's list: the baselines of PG-RANK. Scores [document] → [].
import { z } from 'zod'
import { pretrainedEncoder } from '../pretrained-presets.ts'
import { softplus } from '../ops.ts'
import {
  defineRanking,
  LIST_SIZE,
  lossInfo,
  pickList,
  rankingInfo,
  SCORER_FIELDS,
  type RankingAlgorithm,
} from '../ranking/ranking.ts'
import { tf } from '../tf.ts'
import { placementLogProbs } from './plackett-luce.ts'

/** −Σ (rel_i / Σ rel) log softmax(s)_i; 0 where nothing is relevant. */
export function softmaxCrossEntropy(scores: tf.Tensor1D, relevance: readonly number[]): tf.Scalar {
  const sum = relevance.reduce((total, value) => total + value, 0)
  return tf.tidy(
    () =>
      tf.neg(
        tf.sum(tf.mul(tf.logSoftmax(scores), tf.tensor1d(relevance.map((value) => (sum === 0 ? 0 : value / sum))))),
      ) as tf.Scalar,
  )
}

/** ListNet's top-one form: cross-entropy from softmax(rel) (Cao et al., ICML 2007). */
export function listNetLoss(scores: tf.Tensor1D, relevance: readonly number[]): tf.Scalar {
  return tf.tidy(
    () => tf.neg(tf.sum(tf.mul(tf.logSoftmax(scores), tf.softmax(tf.tensor1d([...relevance]))))) as tf.Scalar,
  )
}

/** Mean of log(1 + e^{−(s_i − s_j)}) over the pairs with rel_i > rel_j (Burges et al., ICML 2005); 0 without a pair. */
export function rankNetLoss(scores: tf.Tensor1D, relevance: readonly number[]): tf.Scalar {
  const count = relevance.length
  const mask = relevance.flatMap((above) => relevance.map((below) => (above > below ? 1 : 0)))
  const pairs = mask.reduce<number>((sum, value) => sum + value, 0)
  return tf.tidy(() => {
    const differences = tf.sub(tf.expandDims(scores, 1), tf.expandDims(scores, 0))
    return tf.div(
      tf.sum(tf.mul(softplus(tf.neg(differences)), tf.tensor2d(mask, [count, count]))),
      Math.max(1, pairs),
    ) as tf.Scalar
  })
}

/** −log Plackett–Luce probability of the ideal order, ties in the order given (ListMLE: Xia et al., ICML 2008). */
export function listMleLoss(scores: tf.Tensor1D, relevance: readonly number[]): tf.Scalar {
  const ideal = [...relevance.keys()].sort((a, b) => relevance[b]! - relevance[a]! || a - b)
  return tf.tidy(() => tf.neg(tf.sum(placementLogProbs(scores, [ideal], relevance.length))) as tf.Scalar)
}

const config = z.strictObject({ ...SCORER_FIELDS, listSize: LIST_SIZE })
type Config = z.infer<typeof config>

/** A page for each loss: they differ in it alone. */
function listwisePage(
  page: Pick<RankingAlgorithm, 'id' | 'name' | 'summary' | 'paper' | 'vectors' | 'equation' | 'deviations'> & {
    readonly help: string
    loss(scores: tf.Tensor1D, relevance: readonly number[]): tf.Scalar
  },
): RankingAlgorithm<Config, null> {
  const { help, loss, ...words } = page
  return defineRanking<Config>({
    ...words,
    config,
    metrics: [lossInfo(help), ...rankingInfo()],
    presets: [
      {
        id: 'paper',
        title: 'Features',
        suits: ['networks'],
        note: 'As in the papers of learning to rank: a small network on the features of every listed document.',
        config: { temperature: 1, hidden: 16, candidates: 100, listSize: 100 },
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
        note: 'For Pairlab’s own small encoders: cosine at 0.05.',
        config: { similarity: 'cosine', temperature: 0.05 },
        training: { steps: 200, batchSize: 16, learningRate: 1e-3, warmupFraction: 0.1, schedule: 'cosine' },
      },
      ...pretrainedEncoder(8),
    ],
    acrossLists: () => false,
    pick: (list, { listSize }, random) => pickList(list, listSize, random),
    loss: ({ own }, { lists }) =>
      tf.stack(
        lists.map(({ relevance }, at) =>
          loss(tf.reshape(tf.slice(own, [at, 0], [1, relevance.length]), [relevance.length]), relevance),
        ),
      ) as tf.Tensor1D,
  })
}

const LIST_CUT = 'An update reads at most “list size” documents of a query.'

export const softmaxRanking = listwisePage({
  id: 'softmax-ce',
  name: 'Softmax cross-entropy',
  summary: 'Grades as a target distribution over the list',
  paper: { cite: 'Bruch et al., ICTIR 2019', url: 'https://doi.org/10.1145/3341981.3344221' },
  vectors: ['listwise'],
  equation: 'L = −Σᵢ (relᵢ / Σⱼ relⱼ) log softmax(s)ᵢ',
  deviations: [LIST_CUT],
  help: 'It falls to the entropy of the grades’ own distribution, not to 0.',
  loss: softmaxCrossEntropy,
})

export const listNet = listwisePage({
  id: 'listnet',
  name: 'ListNet',
  summary: 'Cross-entropy to the softmax of the grades',
  paper: { cite: 'Cao et al., ICML 2007', url: 'https://doi.org/10.1145/1273496.1273513' },
  vectors: ['listwise'],
  equation: 'L = −Σᵢ softmax(rel)ᵢ log softmax(s)ᵢ',
  deviations: ['The top-one form, as in the paper’s experiments.', LIST_CUT],
  help: 'Documents of grade 0 keep a share of the target, so that it ends well above 0.',
  loss: listNetLoss,
})

export const rankNet = listwisePage({
  id: 'ranknet',
  name: 'RankNet',
  summary: 'Every pair of different grades, logistically',
  paper: { cite: 'Burges et al., ICML 2005', url: 'https://doi.org/10.1145/1102351.1102363' },
  vectors: ['listwise'],
  equation: 'L = mean over relᵢ > relⱼ of log(1 + e^−(sᵢ − sⱼ))',
  deviations: ['Ties make no pair; the paper gives them the target ½.', LIST_CUT],
  help: 'log 2 = 0.69 before anything is learned; below it, more pairs stand right than wrong.',
  loss: rankNetLoss,
})

export const listMle = listwisePage({
  id: 'listmle',
  name: 'ListMLE',
  summary: 'Likelihood of the ideal order',
  paper: { cite: 'Xia et al., ICML 2008', url: 'https://doi.org/10.1145/1390156.1390306' },
  vectors: ['listwise'],
  equation: 'L = −log π(ideal order), π Plackett–Luce',
  deviations: ['Documents of equal grade keep the order they come in.', LIST_CUT],
  help: 'log n! before anything is learned. Most of it lies in the order of documents that are not relevant, which nobody judges.',
  loss: listMleLoss,
})
