import { AppError } from '../../../shared/errors.ts'
import type { Engine, EngineOptions } from './engine.ts'

export async function openWebGpu(_options: EngineOptions): Promise<Engine> {
  throw new AppError({ code: 'engine-unavailable', message: 'The WebGPU engine is not installed.', hint: 'Choose the wasm engine.' })
}
