import type { MetricInfo } from '../../../../shared/domain.ts'
import { spearman } from '../../../../shared/statistics/correlation.ts'
import { measureRanking, rankByScore } from '../ranking/ranking-metrics.ts'

// Numbers of held-out texts, by the cosine of their vectors.

export interface TripleVectors {
  readonly query: Float32Array
  readonly positive: Float32Array
  readonly negatives: readonly Float32Array[]
}

export interface TripleMeasures {
  /** sim(q, d⁺) less the mean of sim(q, d⁻), of each triple that has negatives. */
  readonly margins: readonly number[]
  /** nDCG@10 of each query's own positive among all positives and negatives. */
  readonly ndcg: readonly number[]
  /** 1 where the positive comes before all of the triple's own negatives. */
  readonly wins: readonly number[]
}

export function measureTriples(triples: readonly TripleVectors[]): TripleMeasures {
  const documents = [...triples.map((one) => one.positive), ...triples.flatMap((one) => one.negatives)]
  const ids = documents.map((_one, at) => String(at).padStart(8, '0'))
  const margins: number[] = []
  const wins: number[] = []
  const ndcg = triples.map(({ query, negatives }, at) => {
    const scores = documents.map((document) => cosine(query, document))
    const own = scores[at]!
    if (negatives.length > 0) {
      const away = negatives.map((negative) => cosine(query, negative))
      margins.push(own - away.reduce((sum, value) => sum + value, 0) / away.length)
      wins.push(own > Math.max(...away) ? 1 : own === Math.max(...away) ? 0.5 : 0)
    }
    return measureRanking(
      rankByScore(scores, ids).map((place) => (place === at ? 1 : 0)),
      [],
      10,
    ).ndcgLinear
  })
  return { margins, ndcg, wins }
}

/** Spearman's correlation of cosines with scores; null where it is not defined. */
export function measureSimilarity(
  pairs: readonly { readonly first: Float32Array; readonly second: Float32Array; readonly score: number }[],
): number | null {
  if (pairs.length < 3) return null
  const value = spearman(
    pairs.map((pair) => cosine(pair.first, pair.second)),
    pairs.map((pair) => pair.score),
  )
  return value === null || !Number.isFinite(value) ? null : value
}

export function cosine(a: Float32Array, b: Float32Array): number {
  let dot = 0
  let first = 0
  let second = 0
  for (let at = 0; at < a.length; at += 1) {
    dot += a[at]! * b[at]!
    first += a[at]! ** 2
    second += b[at]! ** 2
  }
  return first === 0 || second === 0 ? 0 : dot / Math.sqrt(first * second)
}

export const EMBED_INFO: readonly MetricInfo[] = [
  {
    name: 'embed/margin',
    label: 'Similarity margin',
    unit: 'cosine',
    goal: 'max',
    help: 'Similarity of held-out queries to their positives, less that to their negatives.',
  },
  {
    name: 'embed/ndcg',
    label: 'nDCG@10',
    unit: '',
    goal: 'max',
    help: 'Each held-out query’s own positive, sought among all held-out texts.',
  },
  {
    name: 'embed/wins',
    label: 'Positive before negatives',
    unit: 'fraction',
    goal: 'max',
    help: 'How often the positive is nearer to the query than its own negatives.',
  },
  {
    name: 'embed/spearman',
    label: 'STS Spearman',
    unit: '',
    goal: 'max',
    help: 'Rank correlation of cosines with the scores of held-out pairs.',
  },
]
