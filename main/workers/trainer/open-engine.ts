import type { RunSpec } from '../../../shared/run-spec.ts'
import { AppError, toWire, type WireError } from '../../../shared/errors.ts'
import type { EngineName } from '../../../shared/domain.ts'
import { openEngine } from '../engine/choose.ts'
import type { Engine } from '../engine/engine.ts'
import { selfTest } from '../engine/self-test.ts'

export interface OpenedEngine {
  readonly engine: Engine
  /** Engines that were to be tried before it, and why each is not used. */
  readonly passedOver: readonly { readonly name: EngineName; readonly error: WireError }[]
}

/**
 * The engine that a run names; where it was chosen for the person, the next one if it cannot be opened or computes wrong
 * numbers.
 * @throws AppError `engine-unavailable`: the named one cannot be opened, or none can
 */
export async function openRunEngine(
  spec: Pick<RunSpec, 'engine' | 'engineChoice' | 'threads' | 'enginesFolder'>,
): Promise<OpenedEngine> {
  const { automatic, others } = spec.engineChoice
  const options = { threads: spec.threads, enginesFolder: spec.enginesFolder }
  if (!automatic) return { engine: await openEngine(spec.engine, options), passedOver: [] }
  const passedOver: { name: EngineName; error: WireError }[] = []
  for (const name of [spec.engine, ...others]) {
    try {
      const engine = await openEngine(name, options)
      // Its test was some time ago: a driver or a library may be another by now.
      if (name === 'tensorflow' || name === 'webgpu') await selfTest(name)
      return { engine, passedOver }
    } catch (error) {
      console.error(`the ${name} engine could not be used`, error)
      passedOver.push({ name, error: toWire(error) })
    }
  }
  throw new AppError({
    code: 'engine-unavailable',
    message: `No engine could be opened: ${passedOver.map(({ name, error }) => `${name}: ${error.message}`).join(' ')}`,
    hint: 'Open Settings → Compute, test the engines, and mend what it names.',
  })
}
