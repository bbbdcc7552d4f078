import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { setThreadsCount } from '@tensorflow/tfjs-backend-wasm'
import { AppError } from '../../../shared/errors.ts'
import { tf } from '../../core/learn/tf.ts'
import type { Engine, EngineOptions } from './engine.ts'
import { nativeModule, type WasmBackend } from './wasm-backend.ts'
import { registerFrozenKernels } from './wasm-frozen.ts'
import { registerFusedKernels } from './wasm-fused.ts'
import { registerOptimizerKernels } from './wasm-optimizer.ts'
import { registerRepairs } from './wasm-repairs.ts'
import { openShared } from './wasm-shared.ts'

/** More than this pays only for models that belong on a graphics card. */
const MOST_BY_DEFAULT = 8

/**
 * WebAssembly with products and the decoder's operations in kernels of our own, which share the work among threads;
 * the rest is the library's, on one thread. The library's one-thread build is loaded over shared memory: its build with
 * threads of its own does not start in Node.
 */
export async function openWasm(options: EngineOptions): Promise<Engine> {
  const folder = wasmFolder()
  setThreadsCount(1)
  registerRepairs()
  registerFusedKernels()
  registerFrozenKernels()
  registerOptimizerKernels()
  await openShared(folder).catch((error: unknown) => {
    throw unavailable(folder, error)
  })
  const backend = tf.backend() as unknown as WasmBackend
  const native = nativeModule(backend)
  const wanted = options.threads ?? defaultThreads()
  const threads = await native.setThreads(wanted)
  if (threads < wanted)
    console.warn(
      `The WebAssembly engine runs on ${threads} thread${threads === 1 ? '' : 's'}, not on ${wanted}: memory could not be shared, or a thread did not start.`,
    )
  const width = native.wide ? ' (256 bits)' : ''
  return {
    name: 'wasm',
    device: `WebAssembly SIMD${width}${native.relaxed ? ' with fused multiply-add' : ''}, ${threads} thread${threads === 1 ? '' : 's'}`,
    threads,
    memory: () => ({
      tensors: tf.memory().numTensors,
      tensorBytes: tf.memory().numBytes,
      peakBytes: backend.wasm.HEAPU8.byteLength,
    }), // linear memory only grows
    async dispose() {
      const factory = tf.findBackendFactory('wasm')
      tf.removeBackend('wasm')
      tf.registerBackend('wasm', factory, 2) // so that it can be opened again
      await native.setThreads(1)
    },
  }
}

/** Every core that the system lets this process use, up to eight: a thread that finds no core free only takes fewer chunks. PAIRLAB_THREADS says otherwise. */
function defaultThreads(): number {
  const asked = Number(process.env['PAIRLAB_THREADS'])
  return Number.isInteger(asked) && asked > 0 ? asked : Math.min(os.availableParallelism(), MOST_BY_DEFAULT)
}

/** Beside the bundled program if it is there, else in the installed package. With a slash at its end. */
function wasmFolder(): string {
  const beside = path.join(import.meta.dirname, 'wasm')
  const bundled = [beside, path.join(import.meta.dirname, '..', 'wasm')].find((folder) =>
    existsSync(path.join(folder, 'tfjs-backend-wasm-simd.wasm')),
  )
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
