// A finger on a table that has to push a puck onto a goal, in MuJoCo. It must go around the puck first.
import { clip, rotate, type Policy, type World, type WorldInfo, type WorldKind } from './define.ts'
import { stateWithGoal } from './goal-state.ts'
import { openSimulation } from './mujoco.ts'

const FRAMES = 4
const REACHED = 0.05
const FINGER = 0.03
const PUCK = 0.05
const TABLE = 0.5

const MODEL = `<mujoco model="push">
  <option timestep="0.005" gravity="0 0 0" integrator="implicitfast" cone="elliptic"><flag warmstart="disable"/></option>
  <worldbody>
    <body name="finger" pos="0 0 0.03">
      <joint name="finger-x" type="slide" axis="1 0 0" damping="6" limited="true" range="-${TABLE} ${TABLE}"/>
      <joint name="finger-y" type="slide" axis="0 1 0" damping="6" limited="true" range="-${TABLE} ${TABLE}"/>
      <geom type="cylinder" size="${FINGER} 0.03" mass="0.5" friction="0.3 0.005 0.0001"/>
      <site name="finger" size="0.01"/>
    </body>
    <body name="puck" pos="0 0 0.03">
      <joint name="puck-x" type="slide" axis="1 0 0" damping="4" limited="true" range="-${TABLE} ${TABLE}"/>
      <joint name="puck-y" type="slide" axis="0 1 0" damping="4" limited="true" range="-${TABLE} ${TABLE}"/>
      <geom type="cylinder" size="${PUCK} 0.03" mass="0.2" friction="0.3 0.005 0.0001"/>
      <site name="puck" size="0.01"/>
    </body>
  </worldbody>
  <actuator><motor joint="finger-x" gear="8" ctrllimited="true" ctrlrange="-1 1"/><motor joint="finger-y" gear="8" ctrllimited="true" ctrlrange="-1 1"/></actuator>
</mujoco>`

/** Distances enter an observation this many times larger. */
const SCALE = 4

const info: WorldInfo = {
  id: 'push',
  name: 'Push',
  summary: 'A finger has to go around a puck and push it onto a goal (MuJoCo).',
  observation: [
    'finger x · 4',
    'finger y · 4',
    'finger speed x',
    'finger speed y',
    '(puck x − finger x) · 4',
    '(puck y − finger y) · 4',
    'puck speed x',
    'puck speed y',
    '(goal x − puck x) · 4',
    '(goal y − puck y) · 4',
    'puck x · 4',
    'puck y · 4',
  ],
  action: ['force x', 'force y'],
  actionLimit: 1,
  episodeSteps: 192,
  stepSeconds: 0.005 * FRAMES,
  success: `puck within ${REACHED * 100} cm of the goal`,
  discount: 0.98,
  qposSize: 6,
}

/** Goes to the far side of the puck, around it if need be, and pushes along the line to the goal. */
function steer(o: ArrayLike<number>, strength: number, askew: number): [number, number] {
  const puck = [o[4]! / SCALE, o[5]! / SCALE] as const // seen from the finger
  const goal = [o[8]! / SCALE, o[9]! / SCALE] as const // seen from the puck
  const distance = Math.hypot(...goal)
  if (distance < 0.5 * REACHED) return [clip(-0.5 * o[2]!, 1), clip(-0.5 * o[3]!, 1)]
  const along = rotate(goal[0] / distance, goal[1] / distance, askew)
  const behind = [puck[0] - along[0] * (PUCK + FINGER), puck[1] - along[1] * (PUCK + FINGER)] as const
  const ahead = puck[0] * along[0] + puck[1] * along[1]
  const aside = puck[1] * along[0] - puck[0] * along[1] // of the line through puck and goal, positive when the puck lies to the left
  if (ahead > 0 && Math.abs(aside) < 0.5 * (PUCK + FINGER)) {
    const speed = Math.min(1, 6 * distance + 0.15) * strength
    return [clip(speed * along[0] + 8 * aside * -along[1], 1), clip(speed * along[1] + 8 * aside * along[0], 1)]
  }
  const clear = 1.6 * (PUCK + FINGER)
  const side = aside > 0 ? -1 : 1
  const around: readonly [number, number] =
    ahead > 0.6 * (PUCK + FINGER)
      ? behind
      : [
          puck[0] - 0.9 * clear * along[0] - side * clear * along[1],
          puck[1] - 0.9 * clear * along[1] + side * clear * along[0],
        ]
  const spring = 14 * strength
  return [clip(spring * around[0] - 0.6 * o[2]!, 1), clip(spring * around[1] - 0.6 * o[3]!, 1)]
}

const expert: Policy = (o) => steer(o, 1, 0)
const weak: Policy = (o) => steer(o, 0.55, (14 * Math.PI) / 180)

async function openPush(): Promise<World> {
  const simulation = await openSimulation(MODEL)
  let goal: readonly [number, number] = [0, 0]
  const observe = (): Float64Array => {
    const p = simulation.qpos()
    const v = simulation.qvel()
    return Float64Array.of(
      p[0]! * SCALE,
      p[1]! * SCALE,
      v[0]!,
      v[1]!,
      (p[2]! - p[0]!) * SCALE,
      (p[3]! - p[1]!) * SCALE,
      v[2]!,
      v[3]!,
      (goal[0] - p[2]!) * SCALE,
      (goal[1] - p[3]!) * SCALE,
      p[2]! * SCALE,
      p[3]! * SCALE,
    )
  }
  return {
    info,
    reset(random) {
      const anywhere = (size: number): [number, number] => [
        (2 * random.uniform() - 1) * size,
        (2 * random.uniform() - 1) * size,
      ]
      const apart = (from: readonly [number, number], size: number, least: number): [number, number] => {
        let place = anywhere(size)
        while (Math.hypot(place[0] - from[0], place[1] - from[1]) < least) place = anywhere(size)
        return place
      }
      const puck = anywhere(0.25)
      goal = apart(puck, 0.35, 0.15)
      simulation.place([...apart(puck, 0.4, 0.12), ...puck], [0, 0, 0, 0])
      return observe()
    },
    step(action) {
      const force = [clip(action[0]!, 1), clip(action[1]!, 1)] as const
      simulation.advance(force, FRAMES)
      const p = simulation.qpos()
      const distance = Math.hypot(goal[0] - p[2]!, goal[1] - p[3]!)
      const reach = Math.max(0, Math.hypot(p[2]! - p[0]!, p[3]! - p[1]!) - PUCK - FINGER)
      const effort = force[0] ** 2 + force[1] ** 2
      return {
        observation: observe(),
        reward: -5 * distance - 1 * reach - 0.01 * effort,
        done: false,
        success: distance < REACHED,
      }
    },
    observe,
    ...stateWithGoal(simulation, 4, { get: () => goal, set: (place) => (goal = place) }),
  }
}

export const push: WorldKind = { info, open: openPush, expert, weak }
