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
export function placeRewards(ranking: readonly number[], list: JudgedList, k: number, utility: Utility): number[] {
  return createRewards(list, k, utility)(ranking)
}

/** The same for many rankings of one list, whose ideal order is then found once. */
export function createRewards(
  { relevance, unlisted = [] }: JudgedList,
  k: number,
  utility: Utility,
): (ranking: readonly number[]) => number[] {
  if (utility === 'mrr') {
    return (ranking) => {
      const first = ranking.slice(0, k).findIndex((document) => relevance[document]! > 0)
      return ranking.slice(0, k).map((_document, place) => (place === first ? 1 / (place + 1) : 0))
    }
  }
  const judged = [...relevance, ...unlisted]
  if (utility === 'recall') {
    const relevant = judged.filter((grade) => grade > 0).length
    return (ranking) => ranking.slice(0, k).map((document) => (relevance[document]! > 0 ? 1 / relevant : 0))
  }
  const gain: Gain = utility === 'ndcg-exp' ? 'exp' : 'linear'
  const ideal = idealDiscountedGain(judged, k, gain)
  return (ranking) =>
    ranking
      .slice(0, k)
      .map((document, place) => (ideal === 0 ? 0 : discountedGain(relevance[document]!, place, gain) / ideal))
}

/** What places i … still add, for each i. [place] → the same */
export function tailsOf(rewards: readonly number[]): number[] {
  const tails = [...rewards]
  for (let place = tails.length - 2; place >= 0; place -= 1) tails[place]! += tails[place + 1]!
  return tails
}
