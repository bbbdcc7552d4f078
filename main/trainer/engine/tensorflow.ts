import { AppError } from '../../../shared/errors.ts'
import type { Engine, EngineOptions } from './engine.ts'

export async function openTensorflow(_options: EngineOptions): Promise<Engine> {
  throw new AppError({ code: 'engine-unavailable', message: 'The TensorFlow engine is not installed.', hint: 'Choose the wasm engine.' })
}
