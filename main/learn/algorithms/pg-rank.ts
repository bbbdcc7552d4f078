// Neural PG-RANK (Gao et al., 2023), arXiv 2310.04407
import type { Gain } from '../ranking-metrics.ts'
import { discountedGain, idealDiscountedGain } from '../ranking-metrics.ts'
import { tf } from '../tf.ts'
import { placementLogProbs } from './plackett-luce.ts'

/** nDCG@k of each sampled ranking; 0 for all where nothing is relevant. @param relevance by document   @returns [ranking] */
export function rankingUtilities(rankings: readonly (readonly number[])[], relevance: readonly number[], k: number, gain: Gain): number[] {
  return tailUtilities(rankings, relevance, k, gain).map((tails) => tails[0] ?? 0)
}

/** What places i … k still add to nDCG@k, for each i. → [ranking, place] */
export function tailUtilities(rankings: readonly (readonly number[])[], relevance: readonly number[], k: number, gain: Gain): number[][] {
  const ideal = idealDiscountedGain(relevance, k, gain)
  return rankings.map((ranking) => {
    const places = Math.min(k, ranking.length)
    const tails = Array.from({ length: places }, () => 0)
    let sum = 0
    for (let place = places - 1; place >= 0; place -= 1) {
      sum += ideal === 0 ? 0 : discountedGain(relevance[ranking[place]!]!, place, gain) / ideal
      tails[place] = sum
    }
    return tails
  })
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

/**
 * −(1/N) Σ_i A_i log π(r_i), its gradient that of the expected utility up to the sign (Eq. 5 there).
 * @param scores [document]   @param advantages of whole rankings [ranking], or place by place [ranking, place]
 */
export function pgRankLoss(scores: tf.Tensor1D, rankings: readonly (readonly number[])[], advantages: readonly number[] | readonly (readonly number[])[], k: number): tf.Scalar {
  return tf.tidy(() => {
    const placed = placementLogProbs(scores, rankings, k) // [ranking, place]
    const weights = advantages.map((one: number | readonly number[]) => (typeof one === 'number' ? Array.from({ length: placed.shape[1] }, () => one) : [...one]))
    return tf.neg(tf.div(tf.sum(tf.mul(placed, tf.tensor2d(weights, placed.shape))), rankings.length)) as tf.Scalar
  })
}

/** E_{r ~ π}[nDCG@k] over all n! rankings; for lists of at most 8. scores [document] → [] with its gradient */
export function exactUtility(scores: tf.Tensor1D, relevance: readonly number[], k: number, gain: Gain): tf.Scalar {
  const all = permutations(relevance.length)
  const utilities = rankingUtilities(all, relevance, k, gain)
  return tf.tidy(() => tf.sum(tf.mul(tf.exp(tf.sum(placementLogProbs(scores, all, relevance.length), 1)), tf.tensor1d(utilities))) as tf.Scalar)
}

function permutations(count: number): number[][] {
  if (count > 8) throw new RangeError(`${count}! rankings are too many`)
  if (count === 0) return [[]]
  return permutations(count - 1).flatMap((shorter) => Array.from({ length: count }, (_none, at) => shorter.toSpliced(at, 0, count - 1)))
}
