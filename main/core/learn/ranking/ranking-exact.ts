// Expectations over all rankings of a short list, by enumeration: what sampled gradients are held against.
import { rankingUtilities } from '../algorithms/pg-rank.ts'
import { placementGradient, placementLogProbs, placementLogProbsOf } from '../algorithms/plackett-luce.ts'
import type { Gain } from './ranking-metrics.ts'
import { placeRewards, type JudgedList, type Utility } from './ranking-utility.ts'
import { tf } from '../tf.ts'

/** E_{r ~ π}[nDCG@k] over all n! rankings; for lists of at most 8. scores [document] → [] with its gradient */
export function exactUtility(scores: tf.Tensor1D, relevance: readonly number[], k: number, gain: Gain): tf.Scalar {
  const all = permutations(relevance.length)
  const utilities = rankingUtilities(all, relevance, k, gain)
  return tf.tidy(
    () =>
      tf.sum(
        tf.mul(tf.exp(tf.sum(placementLogProbs(scores, all, relevance.length), 1)), tf.tensor1d(utilities)),
      ) as tf.Scalar,
  )
}

/** E_{r ~ π}[utility] and its gradient by the scores, over all n! rankings in double precision; for lists of at most 8. */
export function exactExpectation(
  scores: readonly number[],
  list: JudgedList,
  k: number,
  utility: Utility,
): { readonly value: number; readonly gradient: readonly number[] } {
  const gradient = scores.map(() => 0)
  let value = 0
  for (const ranking of permutations(scores.length)) {
    const probability = Math.exp(placementLogProbsOf(scores, ranking, scores.length).reduce((sum, one) => sum + one, 0))
    const worth = probability * placeRewards(ranking, list, k, utility).reduce((sum, one) => sum + one, 0)
    value += worth
    for (const [document, one] of placementGradient(
      scores,
      ranking,
      scores.map(() => worth),
      scores.length,
    ).entries())
      gradient[document]! += one
  }
  return { value, gradient }
}

/** All orders of 0 … count−1; for at most 8. */
export function permutations(count: number): number[][] {
  if (count > 8) throw new RangeError(`${count}! rankings are too many`)
  if (count === 0) return [[]]
  return permutations(count - 1).flatMap((shorter) =>
    Array.from({ length: count }, (_none, at) => shorter.toSpliced(at, 0, count - 1)),
  )
}
