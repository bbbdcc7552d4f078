import { expectSize, type World } from './define.ts'
import type { Simulation } from './mujoco.ts'

/**
 * What worlds with a goal on a table have in common: drawing, and a state of positions, velocities and goal.
 * @param joints positions of the model, as many as its velocities
 */
export function stateWithGoal(
  simulation: Simulation,
  joints: number,
  goal: { get(): readonly [number, number]; set(goal: readonly [number, number]): void },
): Pick<World, 'qpos' | 'save' | 'restore' | 'dispose'> {
  return {
    qpos: () => [...simulation.qpos(), ...goal.get()],
    save: () => Float64Array.of(...simulation.qpos(), ...simulation.qvel(), ...goal.get()),
    restore(state) {
      expectSize(state, 2 * joints + 2)
      goal.set([state[2 * joints]!, state[2 * joints + 1]!])
      simulation.place(state.subarray(0, joints), state.subarray(joints, 2 * joints))
    },
    dispose: () => simulation.dispose(),
  }
}
