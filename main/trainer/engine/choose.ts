import type { EngineName } from '../../../shared/domain.ts'
import { toWire, type WireError } from '../../../shared/errors.ts'
import { tf } from '../../learn/tf.ts'
import { openCpu } from './cpu.ts'
import type { Engine, EngineOptions } from './engine.ts'
import { openTensorflow } from './tensorflow.ts'
import { openWasm } from './wasm.ts'
import { openWebGpu } from './webgpu.ts'

const OPENERS: { readonly [N in EngineName]: (options: EngineOptions) => Promise<Engine> } = { tensorflow: openTensorflow, webgpu: openWebGpu, wasm: openWasm, cpu: openCpu }

/** Opens an engine and makes it the one all tensors use. @throws AppError engine-unavailable */
export function openEngine(name: EngineName, options: EngineOptions = {}): Promise<Engine> {
  return OPENERS[name](options)
}

export interface EngineReport {
  readonly name: EngineName
  readonly available: boolean
  readonly device: string
  /** Time of a 256 × 256 product, as a rough sign of speed; null when it could not run. */
  readonly productMs: number | null
  readonly error: WireError | null
}

/** Tries every engine in this process, in order of preference, and leaves the first that works open. */
export async function listEngines(): Promise<EngineReport[]> {
  const reports: EngineReport[] = []
  for (const name of Object.keys(OPENERS) as EngineName[]) reports.push(await tryEngine(name))
  const best = reports.find((report) => report.available)
  if (best !== undefined) await openEngine(best.name)
  return reports
}

async function tryEngine(name: EngineName): Promise<EngineReport> {
  try {
    const engine = await openEngine(name)
    return { name, available: true, device: engine.device, productMs: selfTest(), error: null }
  } catch (error) {
    return { name, available: false, device: '', productMs: null, error: toWire(error) }
  }
}

/** Multiplies, transposed and not, and checks the sum against one that needs no engine. → ms of a product */
function selfTest(): number {
  const size = 256
  return tf.tidy(() => {
    const values = Float32Array.from({ length: size * size }, (_, index) => ((index * 7919) % 13) / 13 - 0.5)
    const a = tf.tensor2d(values, [size, size])
    const expected = values.subarray(0, size).reduce((sum, value) => sum + value * value, 0) // first row with itself
    const warm = tf.matMul(a, a, false, true).arraySync() as number[][]
    if (!(Math.abs(warm[0]![0]! - expected) < 1e-2)) throw new Error(`a product gave ${warm[0]![0]}, expected ${expected}`)
    const startedAtMs = performance.now()
    tf.matMul(a, a).dataSync()
    return performance.now() - startedAtMs
  })
}
