// The torque-limited pendulum: too weak to lift itself, it has to swing up and then balance.
import { clip, expectSize, type Policy, type World, type WorldInfo, type WorldKind } from './define.ts'

const STEP_SECONDS = 0.05
const GRAVITY = 10
const LENGTH = 1
const MASS = 1
const TORQUE = 2
const SPEED_LIMIT = 8

const info: WorldInfo = {
  id: 'pendulum',
  name: 'Pendulum',
  summary: 'A pendulum too weak to lift itself has to swing up and balance.',
  observation: ['cos angle', 'sin angle', 'angular velocity / 8'],
  action: ['torque'],
  actionLimit: 1,
  episodeSteps: 200,
  stepSeconds: STEP_SECONDS,
  success: 'upright within 10° and nearly still',
  discount: 0.99,
  qposSize: 1,
}

/** Above the rest energy of hanging, per unit: ½ m l² ω² + m g l cos θ, with θ = 0 upright. */
export function pendulumEnergy(angle: number, speed: number): number {
  return 0.5 * MASS * LENGTH ** 2 * speed ** 2 + MASS * GRAVITY * LENGTH * Math.cos(angle)
}

/** −π to π, 0 upright. */
function wrap(angle: number): number {
  return angle - 2 * Math.PI * Math.round(angle / (2 * Math.PI))
}

/** Pumps energy until it suffices, then balances by a spring (Åström and Furuta, 2000). */
function swingUp(observation: ArrayLike<number>, pump: number): number[] {
  const angle = Math.atan2(observation[1]!, observation[0]!)
  const speed = observation[2]! * SPEED_LIMIT
  if (Math.abs(angle) < 0.35 && Math.abs(speed) < 3) return [clip((-14 * angle - 4 * speed) / TORQUE, 1)]
  const missing = MASS * GRAVITY * LENGTH - pendulumEnergy(angle, speed)
  return [clip(pump * missing * (speed === 0 ? 1 : Math.sign(speed)), 1)]
}

const expert: Policy = (observation) => swingUp(observation, 1)
const weak: Policy = (observation) => swingUp(observation, 0.06).map((torque) => 0.6 * torque)

function openPendulum(): World {
  /** Angle, speed */
  let s = new Float64Array(2)
  const observe = (): Float64Array => Float64Array.of(Math.cos(s[0]!), Math.sin(s[0]!), s[1]! / SPEED_LIMIT)
  return {
    info,
    reset(random) {
      s = Float64Array.of(Math.PI * (2 * random.uniform() - 1), 2 * random.uniform() - 1)
      return observe()
    },
    step(action) {
      const torque = TORQUE * clip(action[0]!, 1)
      const angle = wrap(s[0]!)
      const reward = -(angle ** 2 + 0.1 * s[1]! ** 2 + 0.001 * torque ** 2)
      const speed = clip(
        s[1]! + STEP_SECONDS * ((GRAVITY / LENGTH) * Math.sin(s[0]!) + torque / (MASS * LENGTH ** 2)),
        SPEED_LIMIT,
      )
      s = Float64Array.of(wrap(s[0]! + STEP_SECONDS * speed), speed)
      return {
        observation: observe(),
        reward,
        done: false,
        success: Math.abs(s[0]!) < (10 * Math.PI) / 180 && Math.abs(s[1]!) < 0.5,
      }
    },
    observe,
    qpos: () => [s[0]!],
    save: () => s.slice(),
    restore(saved) {
      s = expectSize(saved, 2).slice()
    },
    dispose() {},
  }
}

export const pendulum: WorldKind = { info, open: async () => openPendulum(), expert, weak }
