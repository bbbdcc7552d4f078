import { createRandom, type Random } from '../learn/random.ts'
import type { Policy, Step, World, WorldKind } from './define.ts'

/**
 * Acts for many worlds at once. A network's actions come when its engine has computed them.
 * @param observations [world, observation]   @returns [world, action]
 */
export type BatchPolicy = (
  observations: Float32Array,
  worlds: number,
  randoms: readonly Random[],
) => ArrayLike<number> | Promise<ArrayLike<number>>

/** One policy for each of many worlds, one after the other. */
export function eachOf(
  policy: Policy,
  { observation, action }: World['info'],
): (...given: Parameters<BatchPolicy>) => Float64Array {
  return (observations, worlds, randoms) => {
    const actions = new Float64Array(worlds * action.length)
    for (let world = 0; world < worlds; world += 1) {
      actions.set(
        policy(observations.subarray(world * observation.length, (world + 1) * observation.length), randoms[world]!),
        world * action.length,
      )
    }
    return actions
  }
}

/** Gaussian noise on top, of this deviation. */
export function noisy(policy: Policy, deviation: number): Policy {
  return (observation, random) =>
    Array.from(policy(observation, random), (value) => value + deviation * random.normal())
}

export interface Outcome {
  /** Sum of rewards. */
  readonly total: number
  /** Σ γᵗ r with the world's own discount. */
  readonly discounted: number
  /** At any step, as Meta-World's evaluations count it. */
  readonly success: boolean
  readonly steps: number
}

/** Worlds that are open at once: of a simulated body about 150 fill the 2 GiB that their module may take. */
const MOST_WORLDS = 128

/**
 * Episodes side by side: one call of the policy a step for up to 128 of them, then the next. Episode i starts from seed
 * and i alone, so that two policies meet the same starts, and many episodes begin as few do.
 * @param options.breathe after each of the steps that they take together: the share that is done
 */
export async function rollOut(
  kind: WorldKind,
  policy: BatchPolicy,
  options: {
    readonly episodes: number
    readonly seed: number
    readonly steps?: number
    breathe?(share: number): Promise<void>
  },
): Promise<Outcome[]> {
  const { episodes, seed, steps = kind.info.episodeSteps } = options
  const all = Array.from({ length: episodes }, (_, episode) => createRandom(seed).fork(`episode ${episode}`))
  const outcomes: Outcome[] = []
  while (outcomes.length < episodes) {
    const before = outcomes.length
    const randoms = all.slice(before, before + MOST_WORLDS)
    const breathe = (step: number): Promise<void> | undefined =>
      options.breathe?.((before + (randoms.length * step) / steps) / episodes)
    outcomes.push(...(await actTogether(kind, policy, randoms, steps, breathe)))
  }
  return outcomes
}

/** An episode for each random source, all of them open at once. */
async function actTogether(
  kind: WorldKind,
  policy: BatchPolicy,
  randoms: readonly Random[],
  steps: number,
  breathe: (step: number) => Promise<void> | undefined,
): Promise<Outcome[]> {
  const worlds: World[] = []
  try {
    for (const _random of randoms) worlds.push(await kind.open())
    worlds.forEach((world, episode) => world.reset(randoms[episode]!))
    const outcomes = worlds.map(() => ({ total: 0, discounted: 0, success: false, steps: 0, done: false }))
    for (let step = 0; step < steps; step += 1) {
      await stepTogether(worlds, policy, randoms, (episode, { reward, success, done }) => {
        const outcome = outcomes[episode]!
        if (outcome.done) return
        Object.assign(outcome, {
          total: outcome.total + reward,
          discounted: outcome.discounted + kind.info.discount ** step * reward,
          success: outcome.success || success,
          steps: step + 1,
          done,
        })
      })
      await breathe(step + 1)
    }
    return outcomes.map(({ done: _done, ...outcome }) => outcome)
  } finally {
    for (const world of worlds) world.dispose()
  }
}

/** One step of every world. */
export async function stepTogether(
  worlds: readonly World[],
  policy: BatchPolicy,
  randoms: readonly Random[],
  each: (world: number, step: Step, action: Float64Array) => void,
): Promise<void> {
  const { observation, action } = worlds[0]!.info
  const seen = new Float32Array(worlds.length * observation.length)
  worlds.forEach((world, at) => seen.set(world.observe(), at * observation.length))
  const actions = await policy(seen, worlds.length, randoms)
  worlds.forEach((world, at) => {
    const own = Float64Array.from(action, (_, axis) => actions[at * action.length + axis]!)
    each(at, world.step(own), own)
  })
}
