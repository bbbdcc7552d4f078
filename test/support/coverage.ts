import { seededUniform } from '../../shared/statistics/bootstrap.ts'
import type { Outcome } from '../../shared/statistics/clustered.ts'
import type { CrossedItem } from '../../shared/statistics/crossed.ts'
import type { Bounds } from '../../shared/statistics/intervals.ts'

// How often an interval holds the truth, by drawing data whose truth is known.

export interface Clusters {
  readonly clusters: number
  /** Outcomes of each: so many, or from one to so many. */
  readonly size: number | { readonly upTo: number }
  /** P(1) over all clusters. */
  readonly truth: number
  /** Correlation of two outcomes of a cluster: its own P(1) is drawn from the beta distribution that has it. */
  readonly icc: number
  /** Weights of ⅓, ⅔ and 1, as those of labels. */
  readonly weighted: boolean
}

/** Runs of two configurations that are equally good, on the same items. */
export interface Crossed {
  readonly seeds: number
  readonly prompts: number
  /** Standard deviations of a seed, of a prompt (of which one configuration has more than the other), and of what is left. */
  readonly spread: readonly [seed: number, prompt: number, rest: number]
}

export interface CrossedDraw {
  readonly items: readonly CrossedItem[]
  readonly ours: readonly (readonly number[])[]
  readonly theirs: readonly (readonly number[])[]
}

export function createDraws(seed: number): {
  uniform(): number
  normal(): number
  clustered(clusters: Clusters): Outcome[]
  crossed(crossed: Crossed): CrossedDraw
} {
  const uniform = seededUniform(seed)
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())
  /** Marsaglia and Tsang (2000). */
  function gamma(shape: number): number {
    if (shape < 1) return gamma(shape + 1) * uniform() ** (1 / shape)
    const d = shape - 1 / 3
    const c = 1 / Math.sqrt(9 * d)
    for (;;) {
      const x = normal()
      const v = (1 + c * x) ** 3
      if (v > 0 && Math.log(uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v
    }
  }
  return {
    uniform,
    normal,
    clustered({ clusters, size, truth, icc, weighted }) {
      return Array.from({ length: clusters }, (_none, at) => {
        const [one, other] = icc === 0 ? [0, 0] : [gamma(truth * (1 / icc - 1)), gamma((1 - truth) * (1 / icc - 1))]
        const own = icc === 0 ? truth : one / (one + other)
        const count = typeof size === 'number' ? size : 1 + Math.floor(uniform() * size.upTo)
        return Array.from({ length: count }, () => ({
          value: uniform() < own ? 1 : 0,
          weight: weighted ? (1 + Math.floor(3 * uniform())) / 3 : 1,
          cluster: String(at),
        }))
      }).flat()
    },
    crossed({ seeds, prompts, spread: [seed, prompt, rest] }) {
      const items: CrossedItem[] = []
      const effects: number[] = []
      for (let at = 0; at < prompts; at += 1) {
        const own = prompt * normal()
        for (let pair = Math.floor(uniform() * 6); pair >= 0; pair -= 1) {
          items.push({ weight: (1 + Math.floor(3 * uniform())) / 3, cluster: String(at) })
          effects.push(own)
        }
      }
      const runs = (times: number): number[][] =>
        Array.from({ length: seeds }, () => {
          const own = seed * normal()
          return effects.map((effect) => own + times * effect + rest * normal())
        })
      return { items, ours: runs(1), theirs: runs(0) }
    },
  }
}

/** Share of the draws whose interval holds the truth. */
export function coverage<T>(draws: number, draw: () => T, interval: (data: T) => Bounds, truth: number): number {
  let held = 0
  for (let at = 0; at < draws; at += 1) {
    const { low, high } = interval(draw())
    if (low <= truth && truth <= high) held += 1
  }
  return held / draws
}
