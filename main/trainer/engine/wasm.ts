import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import { AppError } from '../../../shared/errors.ts'
import { tf } from '../../learn/tf.ts'
import type { Engine, EngineOptions } from './engine.ts'
import { nativeModule, type WasmBackend } from './wasm-backend.ts'
import { registerFusedKernels } from './wasm-fused.ts'
import { registerRepairs } from './wasm-repairs.ts'

/**
 * WebAssembly on one thread: several trainers run at once, each on a core of its own. Products and the decoder's
 * operations are our kernels, the rest the library's.
 */
export async function openWasm(_options: EngineOptions): Promise<Engine> {
  const folder = wasmFolder()
  setWasmPaths(folder)
  setThreadsCount(1)
  registerRepairs()
  registerFusedKernels()
  const opened = await tf.setBackend('wasm').catch((error: unknown) => {
    throw unavailable(folder, error)
  })
  if (!opened) throw unavailable(folder, undefined)
  await tf.ready()
  const native = nativeModule(tf.backend() as unknown as WasmBackend)
  return {
    name: 'wasm',
    device: `WebAssembly SIMD${native.relaxed ? ' with fused multiply-add' : ''}, 1 thread`,
    threads: 1,
    memory: () => ({ tensors: tf.memory().numTensors, tensorBytes: tf.memory().numBytes, peakBytes: (tf.backend() as unknown as WasmBackend).wasm.HEAPU8.byteLength }), // linear memory only grows
    dispose() {
      const factory = tf.findBackendFactory('wasm')
      tf.removeBackend('wasm')
      tf.registerBackend('wasm', factory, 2) // so that it can be opened again
    },
  }
}

/** Beside the bundled program if it is there, else in the installed package. With a slash at its end. */
function wasmFolder(): string {
  const beside = path.join(import.meta.dirname, 'wasm')
  const bundled = [beside, path.join(import.meta.dirname, '..', 'wasm')].find((folder) => existsSync(path.join(folder, 'tfjs-backend-wasm-simd.wasm')))
  if (bundled !== undefined) return bundled + path.sep
  const manifest = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/package.json')
  return path.join(path.dirname(manifest), 'dist') + path.sep
}

function unavailable(folder: string, cause: unknown): AppError {
  return new AppError({
    code: 'engine-unavailable',
    message: 'The WebAssembly engine could not be started.',
    hint: `Its files should be in ${folder}; install the app again, or choose the cpu engine.`,
    cause,
  })
}
