// Scores by which segments are compared: the regret of CPL, and the sum of rewards that most work on preferences uses.
import { segmentReturns, type SegmentSet } from '../../../shared/segments.ts'
import { createRandom } from '../learn/random.ts'
import type { CollectedSegments } from './collect.ts'
import type { Policy, World, WorldKind, WorldState } from './define.ts'

/** Σ A*(s_t, a_t) with the closed-form advantage [segment]. @throws RangeError where the world has none */
export function exactRegretScores(kind: WorldKind, set: CollectedSegments): Float64Array {
  const { advantage } = kind
  if (advantage === undefined) throw new RangeError(`the advantage of ${kind.info.id} is not known in closed form`)
  const { observationSize, actionSize, time } = set
  return Float64Array.from({ length: set.count }, (_, segment) => {
    let sum = 0
    for (let row = segment * time; row < (segment + 1) * time; row += 1) {
      if (set.mask[row]! > 0)
        sum += advantage(
          set.observations.subarray(row * observationSize, (row + 1) * observationSize),
          set.actions.subarray(row * actionSize, (row + 1) * actionSize),
        )
    }
    return sum
  })
}

/**
 * `rl_sum` of CPL's data: Σ_{t < T−1} r_t + V(s_{T−1}) − V(s_0), the sum of advantages without discount, telescoped, so
 * that only two values enter. @param first, last V before the first and the last step [segment]   @returns [segment]
 */
export function telescopedRegretScores(
  set: SegmentSet,
  first: ArrayLike<number>,
  last: ArrayLike<number>,
): Float64Array {
  return Float64Array.from({ length: set.count }, (_, segment) => {
    let sum = 0
    for (let t = 0; t < set.time - 1; t += 1)
      sum += set.rewards[segment * set.time + t]! * set.mask[segment * set.time + t]!
    return sum + last[segment]! - first[segment]!
  })
}

export function rewardScores(set: CollectedSegments): Float64Array {
  return segmentReturns(set)
}

export interface ValueOptions {
  /** Steps that are looked ahead. */
  readonly steps: number
  /** 1 goes with sums that are not discounted. */
  readonly discount: number
}

/** V of a policy that draws nothing, from a state: by acting it out. As exact as the horizon is long. */
export function createRollOutValue(
  world: World,
  policy: Policy,
  { steps, discount }: ValueOptions,
): (state: WorldState) => number {
  const random = createRandom(0) // not used by such a policy
  return (state) => {
    world.restore(state)
    let [sum, weight] = [0, 1]
    for (let step = 0; step < steps; step += 1) {
      const { reward, done } = world.step(policy(Float32Array.from(world.observe()), random))
      sum += weight * reward
      weight *= discount
      if (done) break
    }
    return sum
  }
}

export interface BoundaryValues {
  /** V before the first and before the last step [segment] */
  readonly first: Float64Array
  readonly last: Float64Array
}

/** The expert's value at both ends of every segment, acted out from these very states. */
export async function rollOutValues(
  kind: WorldKind,
  set: CollectedSegments,
  options: ValueOptions,
  breathe?: (segments: number) => Promise<void>,
): Promise<BoundaryValues> {
  const world = await kind.open()
  const values = { first: new Float64Array(set.count), last: new Float64Array(set.count) }
  try {
    world.reset(createRandom(0))
    const value = createRollOutValue(world, kind.expert, options)
    for (let segment = 0; segment < set.count; segment += 1) {
      values.first[segment] = value(set.firstStates[segment]!)
      values.last[segment] = value(set.lastStates[segment]!)
      await breathe?.(segment + 1)
    }
    return values
  } finally {
    world.dispose()
  }
}

/** `rl_sum` with these values [segment] */
export async function rollOutRegretScores(
  kind: WorldKind,
  set: CollectedSegments,
  options: ValueOptions,
  breathe?: (segments: number) => Promise<void>,
): Promise<Float64Array> {
  const { first, last } = await rollOutValues(kind, set, options, breathe)
  return telescopedRegretScores(set, first, last)
}
