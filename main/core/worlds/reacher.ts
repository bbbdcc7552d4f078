// A planar arm of two links whose tip has to reach a goal, in MuJoCo.
import { clip, rotate, type Policy, type World, type WorldInfo, type WorldKind } from './define.ts'
import { stateWithGoal } from './goal-state.ts'
import { openSimulation } from './mujoco.ts'

const FRAMES = 2
const LINKS = [0.1, 0.11] as const
const REACHED = 0.015

// Without warm starts of the solver, a step depends on positions, velocities and controls alone.
const MODEL = `<mujoco model="reacher">
  <option timestep="0.01" gravity="0 0 0" integrator="implicitfast"><flag warmstart="disable" contact="disable"/></option>
  <default><joint armature="1" damping="1"/><geom density="1000"/></default>
  <worldbody>
    <body name="upper" pos="0 0 0.01">
      <joint name="shoulder" type="hinge" axis="0 0 1"/>
      <geom type="capsule" fromto="0 0 0 ${LINKS[0]} 0 0" size="0.01"/>
      <body name="lower" pos="${LINKS[0]} 0 0">
        <joint name="elbow" type="hinge" axis="0 0 1" limited="true" range="-170 170"/>
        <geom type="capsule" fromto="0 0 0 ${LINKS[1]} 0 0" size="0.01"/>
        <site name="tip" pos="${LINKS[1]} 0 0" size="0.01"/>
      </body>
    </body>
  </worldbody>
  <actuator><motor joint="shoulder" gear="40" ctrllimited="true" ctrlrange="-1 1"/><motor joint="elbow" gear="40" ctrllimited="true" ctrlrange="-1 1"/></actuator>
</mujoco>`

const info: WorldInfo = {
  id: 'reacher',
  name: 'Reacher',
  summary: 'The tip of an arm of two links has to reach a goal (MuJoCo).',
  observation: [
    'cos shoulder',
    'cos elbow',
    'sin shoulder',
    'sin elbow',
    'speed shoulder / 10',
    'speed elbow / 10',
    'goal x · 5',
    'goal y · 5',
    '(goal x − tip x) · 5',
    '(goal y − tip y) · 5',
  ],
  action: ['torque shoulder', 'torque elbow'],
  actionLimit: 1,
  episodeSteps: 128,
  stepSeconds: 0.01 * FRAMES,
  success: `tip within ${REACHED * 100} cm of the goal`,
  discount: 0.98,
  qposSize: 4,
}

/** Distances enter an observation this many times larger, so that all its numbers are near 1. */
const SCALE = 5
const SPEED = 10

/** A spring from tip to goal, through the transposed Jacobian, with damped joints. */
function pull(
  o: ArrayLike<number>,
  [x, y]: readonly [number, number],
  strength: number,
  damping: number,
): [number, number] {
  const shoulder = Math.atan2(o[2]!, o[0]!)
  const whole = shoulder + Math.atan2(o[3]!, o[1]!)
  const lower = [-LINKS[1] * Math.sin(whole), LINKS[1] * Math.cos(whole)] as const
  const both = [-LINKS[0] * Math.sin(shoulder) + lower[0], LINKS[0] * Math.cos(shoulder) + lower[1]] as const
  const torque = (jacobian: readonly [number, number], speed: number): number =>
    clip((strength * (jacobian[0] * x + jacobian[1] * y)) / SCALE - damping * speed * SPEED, 1)
  return [torque(both, o[4]!), torque(lower, o[5]!)]
}

const expert: Policy = (o) => pull(o, [o[8]!, o[9]!], 150, 0.16)
const weak: Policy = (o) => pull(o, rotate(o[8]!, o[9]!, (40 * Math.PI) / 180), 40, 0.12)

async function openReacher(): Promise<World> {
  const simulation = await openSimulation(MODEL)
  let goal: readonly [number, number] = [0, 0]
  const toGoal = (): [number, number] => {
    const [x, y] = simulation.site('tip')
    return [goal[0] - x, goal[1] - y]
  }
  const observe = (): Float64Array => {
    const [shoulder, elbow] = simulation.qpos() as unknown as [number, number]
    const [first, second] = simulation.qvel() as unknown as [number, number]
    const [x, y] = toGoal()
    return Float64Array.of(
      Math.cos(shoulder),
      Math.cos(elbow),
      Math.sin(shoulder),
      Math.sin(elbow),
      first / SPEED,
      second / SPEED,
      goal[0] * SCALE,
      goal[1] * SCALE,
      x * SCALE,
      y * SCALE,
    )
  }
  return {
    info,
    reset(random) {
      const angle = 2 * Math.PI * random.uniform()
      const distance = 0.05 + 0.13 * Math.sqrt(random.uniform())
      goal = [distance * Math.cos(angle), distance * Math.sin(angle)]
      simulation.place([2 * Math.PI * random.uniform(), (2 * random.uniform() - 1) * 2.5], [0, 0])
      return observe()
    },
    step(action) {
      const torque = [clip(action[0]!, 1), clip(action[1]!, 1)] as const
      simulation.advance(torque, FRAMES)
      const distance = Math.hypot(...toGoal())
      return {
        observation: observe(),
        reward: -10 * distance - 0.02 * (torque[0] ** 2 + torque[1] ** 2),
        done: false,
        success: distance < REACHED,
      }
    },
    observe,
    ...stateWithGoal(simulation, 2, { get: () => goal, set: (place) => (goal = place) }),
  }
}

export const reacher: WorldKind = { info, open: openReacher, expert, weak }
