// What a world to act in looks like. Nothing random happens after a reset: the same start and the same actions give
// the same numbers on every machine.
import type { Random } from '../learn/random.ts'

export interface WorldInfo {
  /** As on the command line: point-mass. */
  readonly id: string
  readonly name: string
  readonly summary: string
  /** What each number of an observation is. */
  readonly observation: readonly string[]
  /** What each number of an action is. Actions are cut to ±`actionLimit`. */
  readonly action: readonly string[]
  /** Infinity where nothing is cut. */
  readonly actionLimit: number
  /** Steps of an episode. */
  readonly episodeSteps: number
  /** Seconds of simulated time that a step takes. */
  readonly stepSeconds: number
  /** What counts as success, in words; null where return alone counts. */
  readonly success: string | null
  /** Discount of returns in this world. */
  readonly discount: number
  /** Numbers of `qpos`, all that is needed to draw a moment. */
  readonly qposSize: number
}

export interface Step {
  readonly observation: Float64Array
  readonly reward: number
  /** The episode cannot go on: a fall, not the end of time. */
  readonly done: boolean
  /** Always false where the world has no notion of it. */
  readonly success: boolean
}

/** Everything the next step depends on. */
export type WorldState = Float64Array

export interface World {
  readonly info: WorldInfo
  /** A start drawn from `random`. */
  reset(random: Random): Float64Array
  step(action: ArrayLike<number>): Step
  observe(): Float64Array
  qpos(): number[]
  save(): WorldState
  /** The reverse of `save`. @throws RangeError for a state of another size */
  restore(state: WorldState): void
  dispose(): void
}

/** Acts on what is observed; randomness, if any, is drawn from the stream given. */
export type Policy = (observation: ArrayLike<number>, random: Random) => ArrayLike<number>

export interface WorldKind {
  readonly info: WorldInfo
  /** Worlds of one kind share what is costly to load. */
  open(): Promise<World>
  /** The best policy that is known in closed form or by script. */
  readonly expert: Policy
  /** Acts worse, in a way that a good learner can undo: weak and askew. */
  readonly weak: Policy
  /** A*(s, a) of the best policy, where it is known in closed form. */
  readonly advantage?: (observation: ArrayLike<number>, action: ArrayLike<number>) => number
}

export function clip(value: number, limit: number): number {
  return Math.min(limit, Math.max(-limit, value))
}

/** Turns a plane vector by an angle in radians. */
export function rotate(x: number, y: number, angle: number): [number, number] {
  return [Math.cos(angle) * x - Math.sin(angle) * y, Math.sin(angle) * x + Math.cos(angle) * y]
}

export function expectSize(state: WorldState, size: number): WorldState {
  if (state.length !== size) throw new RangeError(`a state of ${state.length} numbers, expected ${size}`)
  return state
}
