// Neural PG-RANK (Gao et al., 2023), arXiv 2310.04407
import type { Gain } from '../ranking-metrics.ts'
import { discountedGain, idealDiscountedGain } from '../ranking-metrics.ts'
import { tf } from '../tf.ts'
import { placementGradient, placementLogProbs, placementLogProbsOf, placementLogProbsOfLists } from './plackett-luce.ts'

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

/** nDCG@k of each sampled ranking; 0 for all where nothing is relevant. @param relevance by document   @returns [ranking] */
export function rankingUtilities(rankings: readonly (readonly number[])[], relevance: readonly number[], k: number, gain: Gain): number[] {
  return tailUtilities(rankings, relevance, k, gain).map((tails) => tails[0] ?? 0)
}

/** What places i … k still add to nDCG@k, for each i. → [ranking, place] */
export function tailUtilities(rankings: readonly (readonly number[])[], relevance: readonly number[], k: number, gain: Gain): number[][] {
  return rankings.map((ranking) => tailsOf(placeRewards(ranking, { relevance }, k, `ndcg-${gain}`)))
}

/** Δ_i − mean of the others; one sample alone has nothing to be compared with and keeps its utility. [ranking] → the same */
export function leaveOneOut(utilities: readonly number[]): number[] {
  if (utilities.length < 2) return [...utilities]
  const sum = utilities.reduce((total, value) => total + value, 0)
  return utilities.map((value) => value - (sum - value) / (utilities.length - 1))
}

/** The same place by place. [ranking, place] → the same */
export function leaveOneOutTails(tails: readonly (readonly number[])[]): number[][] {
  const columns = (tails[0] ?? []).map((_value, place) => leaveOneOut(tails.map((row) => row[place]!)))
  return tails.map((_row, ranking) => columns.map((column) => column[ranking]!))
}

/** How the advantage of a sampled ranking is formed. */
export const estimatorNames = ['reward-to-go', 'leave-one-out', 'none'] as const
export type Estimator = (typeof estimatorNames)[number]

export interface SampleOptions {
  readonly k: number
  readonly utility: Utility
  readonly estimator: Estimator
  /** H: −log π enters the utility with this weight, which is an unbiased gradient of the entropy. */
  readonly entropy: number
}

/**
 * The weight of ∇log π at each place: what the ranking is worth less what the others are, whole (leave-one-out) or from
 * that place on (reward-to-go); `none` compares with nothing. Every estimator's expectation is the gradient.
 * @param scores of the list, already divided by the temperature   @returns [ranking, place]
 */
export function placeAdvantages(scores: readonly number[], rankings: readonly (readonly number[])[], list: JudgedList, { k, utility, estimator, entropy }: SampleOptions): number[][] {
  const tails = rankings.map((ranking) => {
    const rewards = placeRewards(ranking, list, k, utility)
    if (entropy === 0) return tailsOf(rewards)
    const logProbs = placementLogProbsOf(scores, ranking, k)
    return tailsOf(rewards.map((reward, place) => reward - entropy * logProbs[place]!))
  })
  if (estimator === 'reward-to-go') return leaveOneOutTails(tails)
  const whole = tails.map((row) => row[0] ?? 0)
  const advantages = estimator === 'none' ? whole : leaveOneOut(whole)
  return tails.map((row, ranking) => row.map(() => advantages[ranking]!))
}

/**
 * −(1/N) Σ_i A_i log π(r_i), its gradient that of the expected utility up to the sign (Eq. 5 there).
 * @param scores [document]   @param advantages of whole rankings [ranking], or place by place [ranking, place]
 */
export function pgRankLoss(scores: tf.Tensor1D, rankings: readonly (readonly number[])[], advantages: readonly number[] | readonly (readonly number[])[], k: number): tf.Scalar {
  return tf.tidy(() => {
    const places = Math.min(k, scores.shape[0])
    const weights = advantages.map((one: number | readonly number[]) => (typeof one === 'number' ? Array.from({ length: places }, () => one) : [...one]))
    return tf.squeeze<tf.Scalar>(pgRankListLosses(tf.expandDims(scores, 0), [rankings], [weights], k))
  })
}

/**
 * The same for several lists at once; shorter lists are padded as for `placementLogProbsOfLists`.
 * @param scores [list, document]   @param rankings, advantages [list, ranking, place]   @returns [list]
 */
export function pgRankListLosses(scores: tf.Tensor2D, rankings: readonly (readonly (readonly number[])[])[], advantages: readonly (readonly (readonly number[])[])[], k: number): tf.Tensor1D {
  return tf.tidy(() => {
    const placed = placementLogProbsOfLists(scores, rankings, k) // [list, ranking, place]
    const [lists, perList, places] = placed.shape
    const weights = new Float32Array(lists * perList * places)
    advantages.forEach((ofList, list) => ofList.forEach((row, ranking) => weights.set(row.slice(0, places), (list * perList + ranking) * places)))
    return tf.neg(tf.div(tf.sum(tf.mul(placed, tf.tensor3d(weights, placed.shape)), [1, 2]), Math.max(1, perList))) as tf.Tensor1D
  })
}

/** E_{r ~ π}[nDCG@k] over all n! rankings; for lists of at most 8. scores [document] → [] with its gradient */
export function exactUtility(scores: tf.Tensor1D, relevance: readonly number[], k: number, gain: Gain): tf.Scalar {
  const all = permutations(relevance.length)
  const utilities = rankingUtilities(all, relevance, k, gain)
  return tf.tidy(() => tf.sum(tf.mul(tf.exp(tf.sum(placementLogProbs(scores, all, relevance.length), 1)), tf.tensor1d(utilities))) as tf.Scalar)
}

/** E_{r ~ π}[utility] and its gradient by the scores, over all n! rankings in double precision; for lists of at most 8. */
export function exactExpectation(scores: readonly number[], list: JudgedList, k: number, utility: Utility): { readonly value: number; readonly gradient: readonly number[] } {
  const gradient = scores.map(() => 0)
  let value = 0
  for (const ranking of permutations(scores.length)) {
    const probability = Math.exp(placementLogProbsOf(scores, ranking, scores.length).reduce((sum, one) => sum + one, 0))
    const worth = probability * placeRewards(ranking, list, k, utility).reduce((sum, one) => sum + one, 0)
    value += worth
    for (const [document, one] of placementGradient(scores, ranking, scores.map(() => worth), scores.length).entries()) gradient[document]! += one
  }
  return { value, gradient }
}

/** All orders of 0 … count−1; for at most 8. */
export function permutations(count: number): number[][] {
  if (count > 8) throw new RangeError(`${count}! rankings are too many`)
  if (count === 0) return [[]]
  return permutations(count - 1).flatMap((shorter) => Array.from({ length: count }, (_none, at) => shorter.toSpliced(at, 0, count - 1)))
}
