// Best of n: a policy answers n times and a judge keeps the answer that it scores highest.
import { clusteredMean } from './clustered.ts'
import { ascending } from './intervals.ts'

export interface BestOfN {
  readonly n: number
  /** Mean over prompts of the score of the answer that is kept. */
  readonly score: number
  readonly low: number | null
  readonly high: number | null
  /** KL of the policy that keeps the best of n from the one that answers: log n − (n − 1)/n (Stiennon et al. 2020), an upper bound where answers may be equal. */
  readonly kl: number
}

/**
 * Each prompt's expected maximum of n of its N answers, over all ways to choose them: Σᵢ C(i−1, n−1)/C(N, n) · s₍ᵢ₎ of the scores in rising
 * order (Nakano et al. 2021), for n = 1 … N. Student's t over prompts.
 * @param scores of each prompt's answers, N of each
 */
export function bestOfN(scores: readonly (readonly number[])[]): BestOfN[] {
  const most = Math.min(...scores.map((own) => own.length))
  if (!Number.isFinite(most) || most < 1) return []
  const sorted = scores.map((own) => ascending(own.slice(0, most)))
  return Array.from({ length: most }, (_none, at) => {
    const n = at + 1
    const values = sorted.map((own) => expectedMaximum(own, n))
    const { mean, low, high } = clusteredMean(
      values.map((value, prompt) => ({ value, weight: 1, cluster: String(prompt) })),
    )
    const known = Number.isFinite(low) && Number.isFinite(high)
    return { n, score: mean, low: known ? low : null, high: known ? high : null, kl: Math.log(n) - (n - 1) / n }
  })
}

/** @param rising scores, as many as there are answers */
function expectedMaximum(rising: readonly number[], n: number): number {
  const all = rising.length
  // P(the i-th of them is the largest of n) falls from the top: n/N, then each by (N − n − k)/(N − 1 − k).
  let chance = n / all
  let sum = 0
  for (let below = 0; below <= all - n; below += 1) {
    sum += chance * rising[all - 1 - below]!
    chance *= (all - n - below) / Math.max(1, all - 1 - below)
  }
  return sum
}
