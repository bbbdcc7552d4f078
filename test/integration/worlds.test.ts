import { describe, expect, it, test } from 'vitest'
import { createRandom } from '../../main/core/learn/random.ts'
import { collectSegments } from '../../main/core/worlds/collect.ts'
import { rotate, type Policy, type World, type WorldKind } from '../../main/core/worlds/define.ts'
import {
  createRollOutValue,
  exactRegretScores,
  rewardScores,
  telescopedRegretScores,
} from '../../main/core/worlds/label.ts'
import { multiply, quadratic, solveLinearQuadratic } from '../../main/core/worlds/linear-quadratic.ts'
import { lqr, lqrSolution, lqrSystem } from '../../main/core/worlds/lqr.ts'
import { pendulum, pendulumEnergy } from '../../main/core/worlds/pendulum.ts'
import { POINT_MASS_WALL, pointMass } from '../../main/core/worlds/point-mass.ts'
import { linearPolicy, searchPolicy } from '../../main/core/worlds/random-search.ts'
import { findWorld, worlds } from '../../main/core/worlds/registry.ts'
import { eachOf, noisy, rollOut } from '../../main/core/worlds/roll-out.ts'

async function act(kind: WorldKind, seed: number, steps: number, from?: (world: World) => void): Promise<number[]> {
  const world = await kind.open()
  const random = createRandom(seed)
  world.reset(random)
  from?.(world)
  const seen: number[] = []
  for (let step = 0; step < steps; step += 1) {
    const { observation, reward } = world.step(kind.info.action.map(() => 2 * random.uniform() - 1))
    seen.push(...observation, reward, ...world.qpos())
  }
  world.dispose()
  return seen
}

describe.each(worlds.map((kind) => [kind.info.id, kind] as const))('%s', (_id, kind) => {
  it('gives what it says, and the same again from the same seed', async () => {
    const world = await kind.open()
    const first = world.reset(createRandom(1))
    expect(first).toHaveLength(kind.info.observation.length)
    expect(world.qpos()).toHaveLength(kind.info.qposSize)
    expect([...world.observe()]).toEqual([...first])
    expect(() => world.restore(new Float64Array(1))).toThrow(RangeError)
    world.dispose()
    const seen = await act(kind, 3, 30)
    expect(seen.every(Number.isFinite)).toBe(true)
    expect(await act(kind, 3, 30)).toEqual(seen)
    expect(await act(kind, 4, 30)).not.toEqual(seen)
  })

  it('goes on from a saved state as it would have gone on', async () => {
    const world = await kind.open()
    const random = createRandom(9)
    const other = await kind.open()
    world.reset(random)
    other.reset(createRandom(77))
    const action = kind.info.action.map((_, at) => 0.7 - 0.3 * at)
    for (let step = 0; step < 12; step += 1) world.step(action)
    other.restore(world.save())
    for (let step = 0; step < 12; step += 1)
      expect([...other.step(action).observation]).toEqual([...world.step(action).observation])
    for (const one of [world, other]) one.dispose()
  })

  it('cuts actions to their limit', async () => {
    if (!Number.isFinite(kind.info.actionLimit)) return
    const after = async (size: number): Promise<number[]> => {
      const world = await kind.open()
      world.reset(createRandom(2))
      const { observation } = world.step(kind.info.action.map(() => size))
      world.dispose()
      return [...observation]
    }
    expect(await after(50)).toEqual(await after(1))
  })
})

it('names the worlds there are', () => {
  expect(() => findWorld('atari')).toThrow('There is no world called "atari".')
})

describe('experts', () => {
  test.each([
    ['point-mass', 0.9],
    ['pendulum', 0.8],
    ['reacher', 0.8],
    ['push', 0.9],
  ])('%s reaches its end, and better than the weak policy', async (id, share) => {
    const kind = findWorld(id)
    const [expert, weak] = await Promise.all(
      [kind.expert, kind.weak].map((policy) => rollOut(kind, eachOf(policy, kind.info), { episodes: 20, seed: 5 })),
    )
    expect(expert!.filter((outcome) => outcome.success).length / 20).toBeGreaterThanOrEqual(share)
    const total = (outcomes: typeof weak): number => outcomes!.reduce((sum, outcome) => sum + outcome.total, 0)
    expect(total(expert)).toBeGreaterThan(total(weak))
  })
})

test.each(worlds.map((kind) => [kind.info.id, kind] as const))(
  'more episodes of %s than can be open at once begin as few do, and are all acted',
  async (_id, kind) => {
    const told: number[] = []
    const policy = eachOf(kind.weak, kind.info)
    const many = await rollOut(kind, policy, {
      episodes: 300,
      seed: 5,
      steps: 3,
      breathe: async (at) => void told.push(at),
    })
    expect(many.slice(0, 4)).toEqual(await rollOut(kind, policy, { episodes: 4, seed: 5, steps: 3 }))
    expect(new Set(many.map(({ total }) => total)).size).toBe(300)
    expect([told.length, told.toSorted((one, two) => one - two), told.at(-1)]).toEqual([9, told, 1])
  },
)

describe('linear-quadratic regulator', () => {
  it('solves a scalar case worked by hand', () => {
    // s′ = s + a, r = −(s² + a²), γ = 1: P solves P = 1 + P − P²/(1 + P), so P is the golden ratio.
    const one = [[1]]
    const { p, gain } = solveLinearQuadratic({ a: one, b: one, q: one, r: one, discount: 1 })
    const golden = (1 + Math.sqrt(5)) / 2
    expect(p[0]![0]).toBeCloseTo(golden, 10)
    expect(gain[0]![0]).toBeCloseTo(golden / (1 + golden), 10)
  })

  it('has the advantage that acting it out gives', async () => {
    const world = await lqr.open()
    const random = createRandom(4)
    const { discount } = lqr.info
    const value = createRollOutValue(world, lqr.expert, { steps: 1500, discount })
    for (let trial = 0; trial < 5; trial += 1) {
      const observation = world.reset(random)
      const start = world.save()
      const action = [random.normal(), random.normal()]
      expect(value(start)).toBeCloseTo(-quadratic(lqrSolution().p, observation), 6)
      world.restore(start)
      const { reward } = world.step(action)
      const q = reward + discount * value(world.save())
      expect(lqr.advantage!(observation, action)).toBeCloseTo(q - value(start), 6)
    }
    expect(lqr.advantage!([1, 2, 3, 4], lqr.expert([1, 2, 3, 4], random))).toBeCloseTo(0, 12)
  })

  it('refuses a system that nothing can steer', () => {
    expect(() => solveLinearQuadratic({ ...lqrSystem, a: [[2]], b: [[0]], q: [[1]], r: [[1]], discount: 1 })).toThrow(
      'does not settle',
    )
    expect(
      multiply(
        [
          [1, 2],
          [3, 4],
        ],
        [1, 1],
      ),
    ).toEqual([3, 7])
  })
})

describe('random search', () => {
  it('finds a policy by acting alone, the same one from the same seed', async () => {
    const options = { rounds: 12, directions: 4, kept: 2, stepSize: 0.1, noise: 0.1, episodeSteps: 60, seed: 2 }
    const means: number[] = []
    const found = await searchPolicy(pointMass, options, (_round, value) => means.push(value))
    expect(means.slice(-3).reduce((sum, value) => sum + value, 0)).toBeGreaterThan(
      means.slice(0, 3).reduce((sum, value) => sum + value, 0),
    )
    expect(await searchPolicy(pointMass, options)).toEqual(found)
    expect(
      linearPolicy({ weights: [2, 0, 0, -8], mean: [1, 0], deviation: [2, 1] })([2, 0.25], createRandom(1)),
    ).toEqual([1, -1])
  })

  it('has found a gait for the half-cheetah', async () => {
    const kind = findWorld('half-cheetah')
    const [expert, weak] = await Promise.all(
      [kind.expert, kind.weak].map((policy) => rollOut(kind, eachOf(policy, kind.info), { episodes: 6, seed: 5 })),
    )
    const mean = (outcomes: typeof weak): number =>
      outcomes!.reduce((sum, outcome) => sum + outcome.total, 0) / outcomes!.length
    expect(mean(weak)).toBeGreaterThan(300)
    expect(mean(expert)).toBeGreaterThan(mean(weak))
  })
})

describe('limits', () => {
  it('a pendulum without friction keeps its energy when nobody turns it', async () => {
    const world = await pendulum.open()
    world.reset(createRandom(8))
    world.restore(Float64Array.of(2, 0))
    const energies: number[] = []
    for (let step = 0; step < 400; step += 1) {
      world.step([0])
      const [angle, speed] = world.save() as unknown as [number, number]
      energies.push(pendulumEnergy(angle, speed))
    }
    // The integrator is symplectic: the energy swings around its start and does not drift.
    const start = pendulumEnergy(2, 0)
    expect(Math.max(...energies.map((energy) => Math.abs(energy - start)))).toBeLessThan(2)
    expect(Math.abs(energies.reduce((sum, energy) => sum + energy, 0) / energies.length - start)).toBeLessThan(0.5)
  })

  it('walls hold the point mass', async () => {
    const world = await pointMass.open()
    world.reset(createRandom(1))
    for (let step = 0; step < 200; step += 1) world.step([1, -1])
    expect(world.qpos().slice(0, 2)).toEqual([POINT_MASS_WALL, -POINT_MASS_WALL])
  })

  it('turns vectors', () => {
    const [x, y] = rotate(1, 0, Math.PI / 2)
    expect([x, y]).toEqual([expect.closeTo(0), expect.closeTo(1)])
  })
})

describe('collection', () => {
  const collect = (seed: number, segments = 10) =>
    collectSegments(
      pointMass,
      [
        { name: 'expert', policy: eachOf(pointMass.expert, pointMass.info) },
        { name: 'weak', policy: eachOf(noisy(pointMass.weak, 0.3), pointMass.info) },
      ],
      { segments, length: 32, seed },
    )

  it('cuts episodes into segments, the same ones from the same seed', async () => {
    const set = await collect(1)
    expect(set).toMatchObject({
      count: 10,
      time: 32,
      observationSize: 6,
      actionSize: 2,
      world: 'point-mass',
      episodes: [0, 0, 0, 0, 1, 1, 1, 1, 2, 2],
    })
    expect(set.behaviours).toEqual([...Array.from({ length: 8 }, () => 'expert'), 'weak', 'weak'])
    expect(await collect(1)).toEqual(set)
    expect((await collect(2)).observations).not.toEqual(set.observations)
    expect(set.mask.every((value) => value === 1)).toBe(true)
    expect(Math.max(...set.actions.map(Math.abs))).toBeLessThan(1)
    // Segment 1 goes on where segment 0 of the same episode ended.
    const world = await pointMass.open()
    world.restore(set.lastStates[0]!)
    const { observation, reward } = world.step(set.actions.subarray(31 * 2, 32 * 2))
    expect(reward).toBeCloseTo(set.rewards[31]!, 6)
    expect([...set.observations.subarray(32 * 6, 33 * 6)]).toEqual(
      [...Float32Array.from(observation)].map((value) => expect.closeTo(value, 4)),
    )
  })

  it('scores by reward, and by regret in two ways that agree', async () => {
    const policy: Policy = noisy(lqr.weak, 0.2)
    const set = await collectSegments(lqr, [{ name: 'weak', policy: eachOf(policy, lqr.info) }], {
      segments: 6,
      length: 40,
      seed: 3,
    })
    const exact = exactRegretScores(lqr, set)
    expect(Math.max(...exact)).toBeLessThan(0)
    expect(rewardScores(set)[0]).toBeCloseTo(
      set.rewards.subarray(0, 40).reduce((sum, value) => sum + value, 0),
      4,
    )
    expect(() => exactRegretScores(pointMass, set)).toThrow('not known in closed form')
    // Without discount the sum of advantages telescopes, but for the last step, which the telescoped form leaves out.
    const undiscounted = solveLinearQuadratic({ ...lqrSystem, discount: 1 })
    const observed = (row: number): Float32Array => set.observations.subarray(row * 4, row * 4 + 4)
    const advantage = (row: number): number =>
      -quadratic(
        undiscounted.curvature,
        multiply(undiscounted.gain, observed(row)).map((value, at) => value + set.actions[row * 2 + at]!),
      )
    const value = (states: readonly Float64Array[]): number[] =>
      states.map((state) => -quadratic(undiscounted.p, state))
    const telescoped = telescopedRegretScores(set, value(set.firstStates), value(set.lastStates))
    for (let segment = 0; segment < set.count; segment += 1) {
      const sum = Array.from({ length: 39 }, (_, t) => advantage(segment * 40 + t)).reduce(
        (total, one) => total + one,
        0,
      )
      expect(telescoped[segment]).toBeCloseTo(sum, 4)
    }
  })
})

test('an episode succeeds where the world counted it at any step, though it lost the goal again', async () => {
  const info = { ...lqr.info, observation: ['x'], action: ['u'], episodeSteps: 4 }
  /** At the goal at its second step alone. */
  const passing = (): World => {
    let step = 0
    return {
      info,
      reset: () => Float64Array.of(0),
      step: () => ({ observation: Float64Array.of(0), reward: 1, done: false, success: (step += 1) === 2 }),
      observe: () => Float64Array.of(0),
      qpos: () => [],
      save: () => Float64Array.of(0),
      restore: () => undefined,
      dispose: () => undefined,
    }
  }
  const kind = { ...lqr, info, open: async () => passing() } as WorldKind
  const still = eachOf(() => [0], info)
  expect(await rollOut(kind, still, { episodes: 2, seed: 1 })).toMatchObject([
    { success: true, total: 4, steps: 4 },
    { success: true, total: 4, steps: 4 },
  ])
  expect(await rollOut(kind, still, { episodes: 1, seed: 1, steps: 1 })).toMatchObject([{ success: false }])
})
