import type { MetricInfo } from '../../../../shared/domain.ts'
import { spearman } from '../../../../shared/statistics/correlation.ts'
import { measureRanking, rankByScore } from '../ranking/ranking-metrics.ts'

// Numbers of held-out texts, by the cosine of their vectors.

export interface TripleTexts {
  readonly query: string
  readonly positive: string
  readonly negatives: readonly string[]
}

export interface TripleMeasures<T extends TripleTexts = TripleTexts> {
  /** sim(q, d⁺) less the mean of sim(q, d⁻), of each triple that has negatives. */
  readonly margins: readonly number[]
  /** nDCG@10 of each query's positives among all positives and negatives. */
  readonly ndcg: readonly number[]
  /** 1 where the positive comes before all of the triple's own negatives, of the same triples as the margins. */
  readonly wins: readonly number[]
  /** Those triples. */
  readonly judged: readonly T[]
}

/**
 * Texts that are equal are one document: a copy of the positive is no rival of it, nor a negative, and neither is the query itself.
 * All positives of a query are right, whichever triple they stand in.
 * @param vectorOf a vector for each text
 */
export function measureTriples<T extends TripleTexts>(
  triples: readonly T[],
  vectorOf: (text: string) => Float32Array,
): TripleMeasures<T> {
  const documents = [...new Set(triples.flatMap(({ positive, negatives }) => [positive, ...negatives]))]
  const ids = documents.map((_one, at) => String(at).padStart(8, '0'))
  const right = new Map<string, Set<string>>()
  for (const { query, positive } of triples) right.set(query, (right.get(query) ?? new Set()).add(positive))
  const margins: number[] = []
  const wins: number[] = []
  const judged: T[] = []
  const ndcg = triples.map((triple) => {
    const query = vectorOf(triple.query)
    const answers = right.get(triple.query)!
    const negatives = triple.negatives.filter((text) => !answers.has(text) && text !== triple.query)
    if (negatives.length > 0) {
      const own = cosine(query, vectorOf(triple.positive))
      const away = negatives.map((text) => cosine(query, vectorOf(text)))
      const nearest = Math.max(...away)
      margins.push(own - away.reduce((sum, value) => sum + value, 0) / away.length)
      wins.push(own > nearest ? 1 : own === nearest ? 0.5 : 0)
      judged.push(triple)
    }
    const rivals = [...documents.keys()].filter((at) => documents[at] !== triple.query || answers.has(documents[at]))
    const order = rankByScore(
      rivals.map((at) => cosine(query, vectorOf(documents[at]!))),
      rivals.map((at) => ids[at]!),
    )
    return measureRanking(
      order.map((place) => (answers.has(documents[rivals[place]!]!) ? 1 : 0)),
      [],
      10,
    ).ndcgLinear
  })
  return { margins, ndcg, wins, judged }
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
    help: 'Each held-out query’s own positives, sought among all held-out texts, of which equal ones are one.',
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
