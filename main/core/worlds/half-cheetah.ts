// A two-legged runner in a vertical plane, in MuJoCo: our own body with the joints of the usual half-cheetah.
import { clip, expectSize, type Policy, type World, type WorldInfo, type WorldKind } from './define.ts'
import { CHEETAH_GAIT } from './half-cheetah-gait.ts'
import { openSimulation } from './mujoco.ts'
import { linearPolicy } from './random-search.ts'

const FRAMES = 5
const JOINTS = ['back hip', 'back knee', 'back ankle', 'front hip', 'front knee', 'front ankle'] as const
const HEIGHT = 0.62

/** One leg: thigh, shin and foot below a point of the torso; angles in degrees, lengths in metres. */
function leg(
  name: string,
  x: number,
  bend: readonly [number, number],
  gears: readonly [number, number, number],
): { readonly body: string; readonly motors: string } {
  const [thigh, shin] = bend
  const body = `<body name="${name}-thigh" pos="${x} 0 0">
      <joint name="${name}-hip" axis="0 1 0" range="-45 60" damping="5" stiffness="180"/>
      <geom type="capsule" fromto="0 0 0 ${thigh} 0 -0.25" size="0.045"/>
      <body name="${name}-shin" pos="${thigh} 0 -0.25">
        <joint name="${name}-knee" axis="0 1 0" range="-45 45" damping="4" stiffness="140"/>
        <geom type="capsule" fromto="0 0 0 ${shin} 0 -0.24" size="0.04"/>
        <body name="${name}-foot" pos="${shin} 0 -0.24">
          <joint name="${name}-ankle" axis="0 1 0" range="-25 45" damping="3" stiffness="90"/>
          <geom type="capsule" fromto="-0.03 0 -0.04 0.1 0 -0.06" size="0.04"/>
        </body>
      </body>
    </body>`
  const motors = ['hip', 'knee', 'ankle']
    .map((joint, at) => `<motor joint="${name}-${joint}" gear="${gears[at]}" ctrllimited="true" ctrlrange="-1 1"/>`)
    .join('')
  return { body, motors }
}

const back = leg('back', -0.45, [0.12, -0.14], [110, 90, 60])
const front = leg('front', 0.45, [-0.1, 0.12], [110, 70, 40])

const MODEL = `<mujoco model="half-cheetah">
  <compiler angle="degree"/>
  <option timestep="0.01" integrator="implicitfast"><flag warmstart="disable"/></option>
  <default><joint armature="0.1" limited="true" solimplimit="0 0.8 0.03" solreflimit="0.02 1"/><geom contype="1" conaffinity="0" friction="0.6 0.1 0.1" density="700"/></default>
  <worldbody>
    <geom name="floor" type="plane" size="100 100 1" contype="0" conaffinity="1"/>
    <body name="torso" pos="0 0 ${HEIGHT}">
      <joint name="root-x" type="slide" axis="1 0 0" limited="false" armature="0" damping="0"/>
      <joint name="root-z" type="slide" axis="0 0 1" limited="false" armature="0" damping="0"/>
      <joint name="root-y" type="hinge" axis="0 1 0" limited="false" armature="0" damping="0"/>
      <geom type="capsule" fromto="-0.5 0 0 0.5 0 0" size="0.046"/>
      <geom type="capsule" fromto="0.5 0 0 0.65 0 0.16" size="0.046"/>
      ${back.body}
      ${front.body}
    </body>
  </worldbody>
  <actuator>${back.motors}${front.motors}</actuator>
</mujoco>`

const info: WorldInfo = {
  id: 'half-cheetah',
  name: 'Half-cheetah',
  summary: 'A runner with two legs in a vertical plane; the faster forward, the better (MuJoCo).',
  observation: [
    'height',
    'pitch',
    ...JOINTS,
    'speed x / 5',
    'speed z / 5',
    'pitch speed / 10',
    ...JOINTS.map((joint) => `${joint} speed / 10`),
  ],
  action: [...JOINTS],
  actionLimit: 1,
  episodeSteps: 200,
  stepSeconds: 0.01 * FRAMES,
  success: null,
  discount: 0.99,
  qposSize: 9,
}

const gait = linearPolicy(CHEETAH_GAIT)
const scaled =
  (share: number): Policy =>
  (observation, random) =>
    Array.from(gait(observation, random), (torque) => share * torque)
/** At a little less than full force it falls less. */
const expert = scaled(0.95)
const weak = scaled(0.8)

async function openCheetah(): Promise<World> {
  const simulation = await openSimulation(MODEL)
  const observe = (): Float64Array => {
    const p = simulation.qpos()
    const v = simulation.qvel()
    return Float64Array.of(...p.subarray(1), v[0]! / 5, v[1]! / 5, ...v.subarray(2).map((speed) => speed / 10))
  }
  return {
    info,
    reset(random) {
      const around = (size: number) => (): number => size * (2 * random.uniform() - 1)
      simulation.place(Float64Array.from({ length: 9 }, around(0.05)), Float64Array.from({ length: 9 }, around(0.1)))
      return observe()
    },
    step(action) {
      const torque = Array.from(action, (value) => clip(value, 1))
      const from = simulation.qpos()[0]!
      simulation.advance(torque, FRAMES)
      const speed = (simulation.qpos()[0]! - from) / (0.01 * FRAMES)
      return {
        observation: observe(),
        reward: speed - 0.1 * torque.reduce((sum, value) => sum + value ** 2, 0),
        done: false,
        success: false,
      }
    },
    observe,
    qpos: () => [...simulation.qpos()],
    save: () => Float64Array.of(...simulation.qpos(), ...simulation.qvel()),
    restore(state) {
      expectSize(state, 18)
      simulation.place(state.subarray(0, 9), state.subarray(9))
    },
    dispose: () => simulation.dispose(),
  }
}

export const halfCheetah: WorldKind = { info, open: openCheetah, expert, weak }
