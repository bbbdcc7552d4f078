// MuJoCo in WebAssembly: one module a process, one model a kind of world, one state a world.
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import loadMujoco, { type MainModule, type MjData, type MjModel } from '@mujoco/mujoco'
import { AppError } from '../../../shared/errors.ts'

let loading: Promise<MainModule> | null = null

/** @throws AppError internal when its WebAssembly cannot be read or started */
function mujoco(): Promise<MainModule> {
  loading ??= readFile(wasmFile())
    .then((wasmBinary) => loadMujoco({ wasmBinary }))
    .catch((error: unknown) => {
      loading = null
      throw new AppError({
        code: 'internal',
        message: 'The MuJoCo simulator did not start.',
        hint: 'Install Pairlab again; its file mujoco.wasm may be missing or damaged.',
        cause: error,
      })
    })
  return loading
}

/** Beside the bundled program if it is there, else in the installed package. */
function wasmFile(): string {
  const beside = [path.join(import.meta.dirname, 'wasm'), path.join(import.meta.dirname, '..', 'wasm')]
  const bundled = beside.map((folder) => path.join(folder, 'mujoco.wasm')).find((file) => existsSync(file))
  return bundled ?? createRequire(import.meta.url).resolve('@mujoco/mujoco/mujoco.wasm')
}

/** Generalised positions, velocities and what acts on them. Reads are copies. */
export interface Simulation {
  readonly positions: number
  readonly velocities: number
  qpos(): Float64Array
  qvel(): Float64Array
  /** Of a named site, in metres. */
  site(name: string): readonly [number, number, number]
  /** Sets both, stops what was carried from before, and works out where everything is. */
  place(qpos: ArrayLike<number>, qvel: ArrayLike<number>): void
  /** Holds the controls for `frames` steps of the model. */
  advance(control: ArrayLike<number>, frames: number): void
  dispose(): void
}

const models = new Map<string, Promise<{ readonly module: MainModule; readonly model: MjModel }>>()

/** @param xml MJCF; a model is compiled once in a process and kept */
export async function openSimulation(xml: string): Promise<Simulation> {
  const known = models.get(xml) ?? mujoco().then((module) => ({ module, model: module.MjModel.from_xml_string(xml) }))
  models.set(xml, known)
  const { module, model } = await known
  return simulate(module, model, new module.MjData(model))
}

function simulate(module: MainModule, model: MjModel, data: MjData): Simulation {
  const sites = new Map<string, number>()
  const siteIndex = (name: string): number => {
    const found = sites.get(name) ?? module.mj_name2id(model, module.mjtObj.mjOBJ_SITE.value, name)
    if (found < 0) throw new RangeError(`the model has no site ${name}`)
    sites.set(name, found)
    return found
  }
  // Views into the module's memory move when it grows, so they are asked for anew each time.
  const values = (array: unknown): Float64Array => array as Float64Array // embind types its arrays as any
  return {
    positions: model.nq,
    velocities: model.nv,
    qpos: () => values(data.qpos).slice(),
    qvel: () => values(data.qvel).slice(),
    site(name) {
      const at = 3 * siteIndex(name)
      const all = values(data.site_xpos)
      return [all[at]!, all[at + 1]!, all[at + 2]!]
    },
    place(qpos, qvel) {
      module.mj_resetData(model, data)
      values(data.qpos).set(qpos)
      values(data.qvel).set(qvel)
      module.mj_kinematics(model, data)
    },
    advance(control, frames) {
      values(data.ctrl).set(control)
      for (let frame = 0; frame < frames; frame += 1) module.mj_step(model, data)
      module.mj_kinematics(model, data) // sites stand where the step began
    },
    dispose: () => data.delete(),
  }
}
