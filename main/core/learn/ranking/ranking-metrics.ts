// Measures of one query's ranking. Means over queries are the caller's, who says whether queries without a relevant
// document count.

/** `linear` is rel (trec_eval, BEIR); `exp` is 2^rel − 1 (LETOR, LightGBM). They agree on binary labels alone. */
export type Gain = 'linear' | 'exp'

/** Gain of a document at a place counted from 0: g / log₂(place + 2). */
export function discountedGain(relevance: number, place: number, gain: Gain): number {
  return (gain === 'linear' ? relevance : 2 ** relevance - 1) / Math.log2(place + 2)
}

/** DCG@k of relevances in ranked order. */
export function dcg(ranked: readonly number[], k: number, gain: Gain): number {
  return ranked.slice(0, k).reduce((sum, relevance, place) => sum + discountedGain(relevance, place, gain), 0)
}

/** DCG@k of the best order of all that was judged, retrieved or not. */
export function idealDiscountedGain(judged: readonly number[], k: number, gain: Gain): number {
  return dcg(
    judged.toSorted((a, b) => b - a),
    k,
    gain,
  )
}

/** Indices by falling score, ties by rising id: a fixed order, whatever order they came in. What is reported is ordered as trec_eval does. */
export function rankByScore(scores: readonly number[], ids: readonly string[]): number[] {
  return [...scores.keys()].sort((a, b) => scores[b]! - scores[a]! || (ids[a]! < ids[b]! ? -1 : 1))
}

/**
 * Indices by falling score, ties by falling id, compared as UTF-8: the order in which trec_eval, and what is built on it, measures
 * a run file. So a run that is exported has the same measures there.
 */
export function rankAsTrecEval(scores: readonly number[], ids: readonly string[]): number[] {
  return [...scores.keys()].sort((a, b) => scores[b]! - scores[a]! || compareAsUtf8(ids[b]!, ids[a]!))
}

/** Bytes of UTF-8 are in the order of the code points; the units of a string are not. */
function compareAsUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  let at = 0
  while (at < length && a.charCodeAt(at) === b.charCodeAt(at)) at += 1
  if (at === length) return a.length - b.length
  // Within a pair of surrogates the first unit was the same, and the second tells.
  return (a.codePointAt(at) ?? 0) - (b.codePointAt(at) ?? 0)
}

export interface RankingMeasures {
  readonly dcgLinear: number
  readonly ndcgLinear: number
  readonly dcgExp: number
  readonly ndcgExp: number
  readonly precision: number
  readonly recall: number
  /** 1 where a relevant document is among the first k. */
  readonly hit: number
  /** Reciprocal rank, 0 where it lies past k. */
  readonly mrr: number
  /** Average precision over all relevant documents. */
  readonly map: number
  /** The same over min(k, relevant documents). */
  readonly mapTruncated: number
}

/**
 * All measures at k; each is 0 where the query has no relevant document.
 * @param ranked relevance in ranked order   @param unretrieved relevance of judged documents that are not in the list
 */
export function measureRanking(ranked: readonly number[], unretrieved: readonly number[], k: number): RankingMeasures {
  const judged = [...ranked, ...unretrieved]
  const relevant = judged.filter((value) => value > 0).length
  const top = ranked.slice(0, k)
  const found = top.filter((value) => value > 0).length
  const first = top.findIndex((value) => value > 0)
  let seen = 0
  let precisions = 0
  top.forEach((value, place) => {
    if (value <= 0) return
    seen += 1
    precisions += seen / (place + 1)
  })
  const share = (value: number, whole: number): number => (whole === 0 ? 0 : value / whole)
  return {
    dcgLinear: dcg(ranked, k, 'linear'),
    ndcgLinear: share(dcg(ranked, k, 'linear'), idealDiscountedGain(judged, k, 'linear')),
    dcgExp: dcg(ranked, k, 'exp'),
    ndcgExp: share(dcg(ranked, k, 'exp'), idealDiscountedGain(judged, k, 'exp')),
    precision: found / k,
    recall: share(found, relevant),
    hit: found > 0 ? 1 : 0,
    mrr: first < 0 ? 0 : 1 / (first + 1),
    map: share(precisions, relevant),
    mapTruncated: share(precisions, Math.min(k, relevant)),
  }
}
