import type { EngineName } from '../../../shared/domain.ts'
import { openCpu } from './cpu.ts'
import type { Engine, EngineOptions } from './engine.ts'
import { openTensorflow } from './tensorflow.ts'
import { openWasm } from './wasm.ts'
import { openWebGpu } from './webgpu.ts'

const OPENERS: { readonly [N in EngineName]: (options: EngineOptions) => Promise<Engine> } = {
  tensorflow: openTensorflow,
  webgpu: openWebGpu,
  wasm: openWasm,
  cpu: openCpu,
}

/** Opens an engine and makes it the one all tensors use. @throws AppError engine-unavailable */
export function openEngine(name: EngineName, options: EngineOptions = {}): Promise<Engine> {
  return OPENERS[name](options)
}
