// How often one of two players is preferred, with ties, and what is left of it when both had written as long.
import { clusteredShare, type Outcome } from './clustered.ts'
import type { Bounds } from './intervals.ts'
import { studentQuantile } from './student.ts'

/** One comparison: 1 where the first player won, ½ for a tie, 0 where the second did. */
export interface Bout {
  readonly outcome: number
  /** Characters of the first player's answer, less those of the second's. */
  readonly longerBy: number
  /** The prompt: its answers go together. */
  readonly cluster: string
}

export interface Rate extends Bounds {
  readonly rate: number
}

export interface Score {
  readonly bouts: number
  readonly prompts: number
  readonly wins: number
  readonly ties: number
  readonly losses: number
  /** (wins + ties/2) / bouts, Wilson's interval at the effective number of bouts, with Student's t of prompts − 1. */
  readonly winRate: Rate
  /** Null where nobody differs in length, or one side took all. */
  readonly lengthControlled: Rate | null
}

/** Null without a bout. */
export function scoreOf(bouts: readonly Bout[]): Score | null {
  if (bouts.length === 0) return null
  const count = (outcome: number): number => bouts.filter((bout) => bout.outcome === outcome).length
  const { share, low, high, clusters } = clusteredShare(
    bouts.map(({ outcome, cluster }): Outcome => ({ value: outcome, weight: 1, cluster })),
  )
  const [wins, losses] = [count(1), count(0)]
  return {
    bouts: bouts.length,
    prompts: clusters,
    wins,
    ties: bouts.length - wins - losses,
    losses,
    winRate: { rate: share, low, high },
    lengthControlled: lengthControlled(bouts),
  }
}

/** How far a coefficient is drawn to 0, in observations: enough for a maximum where one player always wins by length. */
const RIDGE = 0.1
const ROUNDS = 60

/**
 * The win rate at equal length, after the length-controlled AlpacaEval (Dubois et al., 2404.04475), without its term for the difficulty of
 * single prompts, which takes many models to estimate: P(first wins) = σ(θ + φ · tanh(Δ/s)), Δ the difference in
 * characters, s its root mean square. σ(θ) is what remains at Δ = 0. By Newton's method, outcomes ½ as they are; the interval is
 * cluster-robust on the scale of θ, with Student's t of prompts − 1.
 */
export function lengthControlled(bouts: readonly Bout[]): Rate | null {
  const scale = Math.sqrt(bouts.reduce((sum, { longerBy }) => sum + longerBy ** 2, 0) / bouts.length)
  const clusters = new Set(bouts.map(({ cluster }) => cluster)).size
  const one = bouts[0]?.outcome
  if (!(scale > 0) || clusters < 3 || bouts.every(({ outcome }) => outcome === one)) return null
  const lengths = bouts.map(({ longerBy }) => Math.tanh(longerBy / scale))
  let [theta, phi] = [0, 0]
  const expected = (at: number): number => 1 / (1 + Math.exp(-(theta + phi * lengths[at]!)))
  /** Minus the second derivatives: of θ, of both, of φ. */
  const information = (): readonly [number, number, number] => {
    const sums: [number, number, number] = [RIDGE, 0, RIDGE]
    for (const [at, x] of lengths.entries()) {
      const p = expected(at)
      sums[0] += p * (1 - p)
      sums[1] += x * p * (1 - p)
      sums[2] += x * x * p * (1 - p)
    }
    return sums
  }
  for (let round = 0; round < ROUNDS; round += 1) {
    let [down, across] = [-RIDGE * theta, -RIDGE * phi]
    for (const [at, { outcome }] of bouts.entries()) {
      down += outcome - expected(at)
      across += lengths[at]! * (outcome - expected(at))
    }
    const [a, b, d] = information()
    const det = a * d - b * b
    const step = [(d * down - b * across) / det, (a * across - b * down) / det] as const
    const damp = Math.min(1, 2 / Math.max(Math.abs(step[0]), Math.abs(step[1]), 1e-300))
    theta += damp * step[0]
    phi += damp * step[1]
    if (Math.max(Math.abs(step[0]), Math.abs(step[1])) < 1e-12) break
  }
  const scores = new Map<string, [number, number]>()
  for (const [at, { outcome, cluster }] of bouts.entries()) {
    const sums = scores.get(cluster) ?? [0, 0]
    sums[0] += outcome - expected(at)
    sums[1] += lengths[at]! * (outcome - expected(at))
    scores.set(cluster, sums)
  }
  const [a, b, d] = information()
  const det = a * d - b * b
  // The first row of the inverse, times each cluster's score.
  const parts = [...scores.values()].map(([first, second]) => (d * first - b * second) / det)
  const variance = (clusters / (clusters - 1)) * parts.reduce((sum, part) => sum + part ** 2, 0)
  const half = studentQuantile(0.975, clusters - 1) * Math.sqrt(variance)
  const share = (logit: number): number => 1 / (1 + Math.exp(-logit))
  return { rate: share(theta), low: share(theta - half), high: share(theta + half) }
}
