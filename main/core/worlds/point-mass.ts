// A mass on a walled plane that has to come to rest at a goal, with bounded force.
import { clip, expectSize, rotate, type Policy, type World, type WorldInfo, type WorldKind } from './define.ts'

const STEP_SECONDS = 0.05
const FORCE = 4
const FRICTION = 0.5
/** Half the side of the walled square. */
export const POINT_MASS_WALL = 1
const REACHED = 0.05

const info: WorldInfo = {
  id: 'point-mass',
  name: 'Point mass',
  summary: 'A mass on a walled plane has to reach a goal and stay there.',
  observation: ['x', 'y', 'velocity x', 'velocity y', 'goal x − x', 'goal y − y'],
  action: ['force x', 'force y'],
  actionLimit: 1,
  episodeSteps: 128,
  stepSeconds: STEP_SECONDS,
  success: `within ${REACHED} of the goal`,
  discount: 0.99,
  qposSize: 4,
}

/** A spring to the goal with damping. */
const expert: Policy = (o) => [clip(2.5 * o[4]! - 1.2 * o[2]!, 1), clip(2.5 * o[5]! - 1.2 * o[3]!, 1)]

const weak: Policy = (o) => {
  const [x, y] = rotate(o[4]!, o[5]!, (40 * Math.PI) / 180)
  return [clip(0.8 * x - 0.6 * o[2]!, 1), clip(0.8 * y - 0.6 * o[3]!, 1)]
}

function openPointMass(): World {
  /** x, y, velocities, goal */
  let s = new Float64Array(6)
  const observe = (): Float64Array => Float64Array.of(s[0]!, s[1]!, s[2]!, s[3]!, s[4]! - s[0]!, s[5]! - s[1]!)
  return {
    info,
    reset(random) {
      const anywhere = (): number => (2 * random.uniform() - 1) * 0.8 * POINT_MASS_WALL
      s = Float64Array.of(anywhere(), anywhere(), 0, 0, anywhere(), anywhere())
      return observe()
    },
    step(action) {
      for (const axis of [0, 1]) {
        const force = clip(action[axis]!, 1) * FORCE
        const speed = s[2 + axis]! + STEP_SECONDS * (force - FRICTION * s[2 + axis]!)
        const place = s[axis]! + STEP_SECONDS * speed
        const inside = clip(place, POINT_MASS_WALL)
        s[axis] = inside
        s[2 + axis] = inside === place ? speed : 0 // a wall stops it
      }
      const distance = Math.hypot(s[4]! - s[0]!, s[5]! - s[1]!)
      const effort = clip(action[0]!, 1) ** 2 + clip(action[1]!, 1) ** 2
      return { observation: observe(), reward: -distance - 0.01 * effort, done: false, success: distance < REACHED }
    },
    observe,
    qpos: () => [s[0]!, s[1]!, s[4]!, s[5]!],
    save: () => s.slice(),
    restore(saved) {
      s = expectSize(saved, 6).slice()
    },
    dispose() {},
  }
}

export const pointMass: WorldKind = { info, open: async () => openPointMass(), expert, weak }
