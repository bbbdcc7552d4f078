// A policy learned by acting alone: augmented random search (Mania, Guy and Recht, NeurIPS 2018), version V2-t. It needs
// no gradients, and finds gaits and swings with linear policies.
import { createRandom, type Random } from '../learn/random.ts'
import { clip, type Policy, type World, type WorldKind } from './define.ts'

export interface LinearPolicy {
  /** Row-major [action, observation] */
  readonly weights: readonly number[]
  /** Of the observations met while learning [observation] */
  readonly mean: readonly number[]
  readonly deviation: readonly number[]
}

export interface SearchOptions {
  readonly rounds: number
  /** Directions tried in a round, each both ways. */
  readonly directions: number
  /** The best of them that count. */
  readonly kept: number
  readonly stepSize: number
  /** Deviation of the trial steps. */
  readonly noise: number
  readonly episodeSteps: number
  readonly seed: number
}

/** a = W (o − mean) / deviation, cut to ±1. */
export function linearPolicy({ weights, mean, deviation }: LinearPolicy): Policy {
  const width = mean.length
  return (observation) =>
    Array.from({ length: weights.length / width }, (_, action) => {
      let sum = 0
      for (let at = 0; at < width; at += 1)
        sum += weights[action * width + at]! * ((observation[at]! - mean[at]!) / deviation[at]!)
      return clip(sum, 1)
    })
}

/** Running mean and spread of observations (Welford, 1962). */
function createSpread(width: number): {
  add(observation: ArrayLike<number>): void
  mean(): number[]
  deviation(): number[]
} {
  let count = 0
  const means = new Float64Array(width)
  const squares = new Float64Array(width)
  return {
    add(observation) {
      count += 1
      for (let at = 0; at < width; at += 1) {
        const off = observation[at]! - means[at]!
        means[at] = means[at]! + off / count
        squares[at] = squares[at]! + off * (observation[at]! - means[at]!)
      }
    },
    mean: () => [...means],
    deviation: () => [...squares].map((sum) => (count < 2 ? 1 : Math.max(1e-4, Math.sqrt(sum / (count - 1))))),
  }
}

/** @param onRound told the mean return of a round's trials */
export async function searchPolicy(
  kind: WorldKind,
  options: SearchOptions,
  onRound: (round: number, meanReturn: number) => void = () => {},
): Promise<LinearPolicy> {
  const { rounds, directions, kept, stepSize, noise, seed } = options
  const width = kind.info.observation.length
  const size = width * kind.info.action.length
  const random = createRandom(seed)
  const spread = createSpread(width)
  const world = await kind.open()
  let weights = Array.from({ length: size }, () => 0)
  try {
    for (let round = 0; round < rounds; round += 1) {
      const policyOf = (shifted: readonly number[]): Policy =>
        linearPolicy({ weights: shifted, mean: spread.mean(), deviation: spread.deviation() })
      const trials = Array.from({ length: directions }, (_, direction) => {
        const delta = Array.from({ length: size }, () => random.normal())
        const start = random.fork(`trial ${round} ${direction}`).state()
        const play = (sign: number): number =>
          playEpisode(
            world,
            policyOf(weights.map((weight, at) => weight + sign * noise * delta[at]!)),
            createRandom(start[0]),
            options.episodeSteps,
            spread.add,
          )
        return { delta, up: play(1), down: play(-1) }
      })
      const best = trials.toSorted((a, b) => Math.max(b.up, b.down) - Math.max(a.up, a.down)).slice(0, kept)
      const returns = best.flatMap(({ up, down }) => [up, down])
      const average = returns.reduce((sum, value) => sum + value, 0) / returns.length
      const deviation = Math.sqrt(returns.reduce((sum, value) => sum + (value - average) ** 2, 0) / returns.length)
      const scale = stepSize / (kept * Math.max(deviation, 1e-9))
      weights = weights.map(
        (weight, at) => weight + scale * best.reduce((sum, { delta, up, down }) => sum + (up - down) * delta[at]!, 0),
      )
      onRound(round, average)
    }
  } finally {
    world.dispose()
  }
  return { weights, mean: spread.mean(), deviation: spread.deviation() }
}

function playEpisode(
  world: World,
  policy: Policy,
  random: Random,
  steps: number,
  see: (observation: ArrayLike<number>) => void,
): number {
  let observation = world.reset(random)
  let total = 0
  for (let step = 0; step < steps; step += 1) {
    see(observation)
    const result = world.step(policy(observation, random))
    total += result.reward
    observation = result.observation
    if (result.done) break
  }
  return total
}
