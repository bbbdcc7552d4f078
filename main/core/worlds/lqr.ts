// A point on a plane with mass and friction, pushed home at quadratic cost. Optimal policy, value and advantage are exact.
import { expectSize, rotate, type Policy, type World, type WorldInfo, type WorldKind } from './define.ts'
import { multiply, quadratic, solveLinearQuadratic, type LinearQuadraticSolution } from './linear-quadratic.ts'

const STEP_SECONDS = 0.1
const FRICTION = 0.2

const info: WorldInfo = {
  id: 'lqr',
  name: 'Linear-quadratic regulator',
  summary: 'A point on a plane is pushed home at quadratic cost; the best policy and its advantage are known exactly.',
  observation: ['x', 'y', 'velocity x', 'velocity y'],
  action: ['force x', 'force y'],
  actionLimit: Infinity,
  episodeSteps: 64,
  stepSeconds: STEP_SECONDS,
  success: null,
  discount: 0.98,
  qposSize: 2,
}

const system = {
  a: [
    [1, 0, STEP_SECONDS, 0],
    [0, 1, 0, STEP_SECONDS],
    [0, 0, 1 - FRICTION * STEP_SECONDS, 0],
    [0, 0, 0, 1 - FRICTION * STEP_SECONDS],
  ],
  b: [
    [0, 0],
    [0, 0],
    [STEP_SECONDS, 0],
    [0, STEP_SECONDS],
  ],
  q: diagonal([STEP_SECONDS, STEP_SECONDS, 0.1 * STEP_SECONDS, 0.1 * STEP_SECONDS]),
  r: diagonal([0.3 * STEP_SECONDS, 0.3 * STEP_SECONDS]),
  discount: info.discount,
}

export const lqrSystem = system

let solution: LinearQuadraticSolution | null = null

/** Solved when it is first asked for: every command loads the worlds, and few play this one. */
export function lqrSolution(): LinearQuadraticSolution {
  return (solution ??= solveLinearQuadratic(system))
}

function diagonal(values: readonly number[]): number[][] {
  return values.map((value, row) => values.map((_, column) => (row === column ? value : 0)))
}

function optimalForce(state: ArrayLike<number>): [number, number] {
  const [x, y] = multiply(lqrSolution().gain, state)
  return [-x!, -y!]
}

/** Half of the best gains, turned by 40°. */
const weak: Policy = (state) => {
  const [x, y] = optimalForce(state)
  return rotate(0.5 * x, 0.5 * y, (40 * Math.PI) / 180)
}

function openLqr(): World {
  let state = new Float64Array(4)
  return {
    info,
    reset(random) {
      state = Float64Array.from([1, 1, 0.5, 0.5], (scale) => scale * (2 * random.uniform() - 1))
      return state.slice()
    },
    step(action) {
      const reward = -quadratic(system.q, state) - quadratic(system.r, action)
      const drift = multiply(system.a, state)
      const push = multiply(system.b, action)
      state = Float64Array.from(drift, (value, at) => value + push[at]!)
      return { observation: state.slice(), reward, done: false, success: false }
    },
    observe: () => state.slice(),
    qpos: () => [state[0]!, state[1]!],
    save: () => state.slice(),
    restore(saved) {
      state = expectSize(saved, 4).slice()
    },
    dispose() {},
  }
}

export const lqr: WorldKind = {
  info,
  open: async () => openLqr(),
  expert: optimalForce,
  weak,
  advantage(state, action) {
    const { gain, curvature } = lqrSolution()
    const best = multiply(gain, state)
    return -quadratic(
      curvature,
      best.map((value, at) => action[at]! + value),
    )
  },
}
