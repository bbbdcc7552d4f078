// A finger on a table that has to come to rest on a goal, in MuJoCo. A post stands in the middle: what runs into it stops.
import { clip, rotate, type Policy, type World, type WorldInfo, type WorldKind } from './define.ts'
import { stateWithGoal } from './goal-state.ts'
import { openSimulation } from './mujoco.ts'

const FRAMES = 4
const REACHED = 0.05
const FINGER = 0.03
const POST = 0.05
const TABLE = 0.5

const MODEL = `<mujoco model="reach">
  <option timestep="0.01" gravity="0 0 0" integrator="implicitfast" cone="elliptic"><flag warmstart="disable"/></option>
  <worldbody>
    <geom name="post" type="cylinder" size="${POST} 0.03" pos="0 0 0.03" friction="0.2 0.005 0.0001"/>
    <body name="finger" pos="0 0 0.03">
      <joint name="finger-x" type="slide" axis="1 0 0" damping="2" limited="true" range="-${TABLE} ${TABLE}"/>
      <joint name="finger-y" type="slide" axis="0 1 0" damping="2" limited="true" range="-${TABLE} ${TABLE}"/>
      <geom type="cylinder" size="${FINGER} 0.03" mass="0.5" friction="0.2 0.005 0.0001"/>
    </body>
  </worldbody>
  <actuator><motor joint="finger-x" gear="3" ctrllimited="true" ctrlrange="-1 1"/><motor joint="finger-y" gear="3" ctrllimited="true" ctrlrange="-1 1"/></actuator>
</mujoco>`

/** Distances enter an observation this many times larger, so that all its numbers are near 1. */
const SCALE = 3

const info: WorldInfo = {
  id: 'reach',
  name: 'Reach',
  summary: 'A finger has to come to rest on a goal, past a post in the middle of the table (MuJoCo).',
  observation: [
    'finger x · 3',
    'finger y · 3',
    'finger speed x',
    'finger speed y',
    '(goal x − finger x) · 3',
    '(goal y − finger y) · 3',
  ],
  action: ['force x', 'force y'],
  actionLimit: 1,
  episodeSteps: 64,
  stepSeconds: 0.01 * FRAMES,
  success: `finger within ${REACHED * 100} cm of the goal`,
  discount: 0.98,
  qposSize: 4,
}

/** A damped spring to the goal, pushed aside where the post is near. */
function pull(o: ArrayLike<number>, strength: number, damping: number, askew: number): [number, number] {
  const [x, y] = rotate(o[4]!, o[5]!, askew)
  const [px, py] = [o[0]! / SCALE, o[1]! / SCALE]
  const distance = Math.hypot(px, py)
  const near = Math.max(0, 1 - (distance - POST - FINGER) / 0.06)
  const inward = -(px * o[4]! + py * o[5]!) > 0 ? near : 0
  const side = px * o[5]! - py * o[4]! > 0 ? 1 : -1 // passes on the side where the goal lies
  const [ax, ay] = distance === 0 ? [0, 0] : [(-side * py * inward) / distance, (side * px * inward) / distance]
  return [clip(strength * x - damping * o[2]! + ax, 1), clip(strength * y - damping * o[3]! + ay, 1)]
}

const expert: Policy = (o) => pull(o, 2.6, 1, 0)
const weak: Policy = (o) => pull(o, 1.2, 0.8, (35 * Math.PI) / 180)

async function openReach(): Promise<World> {
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
      (goal[0] - p[0]!) * SCALE,
      (goal[1] - p[1]!) * SCALE,
    )
  }
  return {
    info,
    reset(random) {
      const anywhere = (): [number, number] => [
        0.8 * TABLE * (2 * random.uniform() - 1),
        0.8 * TABLE * (2 * random.uniform() - 1),
      ]
      const draw = (fits: (place: readonly [number, number]) => boolean): [number, number] => {
        let place = anywhere()
        while (!fits(place) || Math.hypot(...place) < 0.15) place = anywhere()
        return place
      }
      const start = draw(() => true)
      // Neither at hand nor across the table, so that one episode asks about as much as another.
      goal = draw((place) => Math.abs(Math.hypot(place[0] - start[0], place[1] - start[1]) - 0.4) < 0.1)
      simulation.place(start, [0, 0])
      return observe()
    },
    step(action) {
      const force = [clip(action[0]!, 1), clip(action[1]!, 1)] as const
      simulation.advance(force, FRAMES)
      const p = simulation.qpos()
      const distance = Math.hypot(goal[0] - p[0]!, goal[1] - p[1]!)
      return {
        observation: observe(),
        reward: -3 * distance - 0.02 * (force[0] ** 2 + force[1] ** 2),
        done: false,
        success: distance < REACHED,
      }
    },
    observe,
    ...stateWithGoal(simulation, 2, { get: () => goal, set: (place) => (goal = place) }),
  }
}

export const reach: WorldKind = { info, open: openReach, expert, weak }
