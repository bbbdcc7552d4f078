// What a ranking is worth, place by place.
import { discountedGain, idealDiscountedGain, type Gain } from './ranking-metrics.ts'

/** What a ranking is worth. All are sums over its places, so that each place has a reward of its own. */
export const utilityNames = ['ndcg-linear', 'ndcg-exp', 'mrr', 'recall'] as const
export type Utility = (typeof utilityNames)[number]

/** A query's list as its judges see it. */
export interface JudgedList {
  /** Grade by document of the list. */
  readonly relevance: readonly number[]
  /** Grades of judged documents that are not in the list: they count in the ideal ranking and in recall. */
  readonly unlisted?: readonly number[]
}

/**
 * What each of the first k places adds to the utility: a gain over the ideal one (nDCG@k), 1/place at the first relevant
 * document (MRR@k), one relevant document of all (recall@k). Zeros where nothing is relevant.
 */
export function placeRewards(ranking: readonly number[], { relevance, unlisted = [] }: JudgedList, k: number, utility: Utility): number[] {
  const placed = ranking.slice(0, k).map((document) => relevance[document]!)
  if (utility === 'mrr') {
    const first = placed.findIndex((grade) => grade > 0)
    return placed.map((_grade, place) => (place === first ? 1 / (place + 1) : 0))
  }
  const judged = [...relevance, ...unlisted]
  if (utility === 'recall') {
    const relevant = judged.filter((grade) => grade > 0).length
    return placed.map((grade) => (grade > 0 ? 1 / relevant : 0))
  }
  const gain: Gain = utility === 'ndcg-exp' ? 'exp' : 'linear'
  const ideal = idealDiscountedGain(judged, k, gain)
  return placed.map((grade, place) => (ideal === 0 ? 0 : discountedGain(grade, place, gain) / ideal))
}

/** What places i … still add, for each i. [place] → the same */
export function tailsOf(rewards: readonly number[]): number[] {
  const tails = [...rewards]
  for (let place = tails.length - 2; place >= 0; place -= 1) tails[place]! += tails[place + 1]!
  return tails
}
