// A bi-encoder on made-up lists: how it scores, is judged, and is trained by contrast and by sampled rankings.
import { mean } from '../../../shared/statistics/intervals.ts'
import { contrastLogits, diagonalCrossEntropy } from '../../core/learn/algorithms/infonce.ts'
import { estimatedLosses, estimateList, type Estimator } from '../../core/learn/algorithms/pg-rank.ts'
import { createBilinearBiEncoder, type VectorBiEncoder } from '../../core/learn/models/scorers.ts'
import type { Random } from '../../core/learn/random.ts'
import { measureRanking, rankByScore } from '../../core/learn/ranking/ranking-metrics.ts'
import type { Utility } from '../../core/learn/ranking/ranking-utility.ts'
import { tf } from '../../core/learn/tf.ts'
import { LIST_WORLD, type WorldList } from './list-world.ts'
import { PGRANK_LISTS } from './thresholds.ts'

const { samples, k, dim } = PGRANK_LISTS.training
const FEATURES = LIST_WORLD.topicSize + LIST_WORLD.detailSize

export function createListRanker(random: Random): VectorBiEncoder {
  return createBilinearBiEncoder({
    queryFeatures: FEATURES,
    documentFeatures: FEATURES,
    dim,
    random: random.fork('weights'),
  })
}

/** [list, document] of scores. */
export function scoresOf(encoder: VectorBiEncoder, lists: readonly WorldList[]): tf.Tensor2D {
  return tf.tidy(() => {
    const queries = encoder.encodeQueries(tf.tensor2d(lists.map((list) => Array.from(list.query))))
    const documents = encoder.encodeDocuments(
      tf.tensor2d(lists.flatMap((list) => list.documents.map((document) => Array.from(document)))),
    )
    return tf.squeeze<tf.Tensor2D>(
      tf.matMul(tf.reshape(documents, [lists.length, -1, dim]), tf.expandDims(queries, 2)),
      [2],
    )
  })
}

export function ndcgOf(encoder: VectorBiEncoder, lists: readonly WorldList[]): number {
  const scores = tf.tidy(() => scoresOf(encoder, lists).arraySync())
  return mean(
    lists.map((list, at) => {
      const ids = list.relevance.map((_, document) => String(document).padStart(3, '0'))
      return measureRanking(
        rankByScore(scores[at]!, ids).map((document) => list.relevance[document]!),
        [],
        k,
      ).ndcgLinear
    }),
  )
}

export function draw<T>(items: readonly T[], count: number, random: Random): T[] {
  return Array.from({ length: count }, () => items[random.int(items.length)]!)
}

/** One relevant document a query against the other queries' ones, or against the rest of its own list as well. */
export function infoNceLoss(
  encoder: VectorBiEncoder,
  lists: readonly WorldList[],
  random: Random,
  inList: boolean,
): tf.Scalar {
  const positives = lists.map(
    (list) =>
      draw(
        [...list.relevance.keys()].filter((document) => list.relevance[document]! > 0),
        1,
        random,
      )[0]!,
  )
  const queries = encoder.encodeQueries(tf.tensor2d(lists.map((list) => Array.from(list.query))))
  const rows = (vectors: readonly Float32Array[]): tf.Tensor2D =>
    encoder.encodeDocuments(tf.tensor2d(vectors.map((vector) => Array.from(vector))))
  const negatives = inList
    ? (tf.reshape(
        rows(lists.flatMap((list) => list.documents.filter((_, document) => list.relevance[document] === 0))),
        [lists.length, -1, dim],
      ) as tf.Tensor3D)
    : null
  const logits = contrastLogits(
    queries,
    rows(lists.map((list, at) => list.documents[positives[at]!]!)),
    negatives,
    null,
    { temperature: 1, similarity: 'dot', hardNegatives: 'own' },
  )
  return tf.mean(diagonalCrossEntropy(logits))
}

/** How PG-RANK samples and what it is trained for. */
export interface ListSampling {
  /** Rankings drawn of each list. */
  readonly samples: number
  readonly k: number
  readonly utility: Utility
  readonly estimator: Estimator
}

export const USUAL_SAMPLING: ListSampling = { samples, k, utility: 'ndcg-linear', estimator: 'reward-to-go' }

export function pgLoss(
  encoder: VectorBiEncoder,
  lists: readonly WorldList[],
  random: Random,
  { samples: count, ...how }: ListSampling = USUAL_SAMPLING,
): tf.Scalar {
  const scores = scoresOf(encoder, lists)
  const values = scores.arraySync()
  const estimates = lists.map((list, at) => estimateList(values[at]!, list, count, { ...how, entropy: 0 }, random))
  return tf.mean(estimatedLosses(scores, estimates, values))
}
