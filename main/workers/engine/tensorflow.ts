import { existsSync, readFileSync } from 'node:fs'
import Module, { createRequire } from 'node:module'
import path from 'node:path'
import util from 'node:util'
import { z } from 'zod'
import { AppError } from '../../../shared/errors.ts'
import { requireOwnEngine } from '../../base/own-engines.ts'
import { tf } from '../../core/learn/tf.ts'
import type { Engine, EngineOptions } from './engine.ts'
import { deferring, type DeferredCounts, type FunctionBinding } from './tensorflow-functions/deferred.ts'
import { cudaTrouble, loaderTrouble } from './tensorflow-trouble.ts'
import { registerTensorflowKernels } from './tensorflow-kernels.ts'

/** What `pairlab engine add tensorflow` wrote, as far as it is read here. */
const record = z.object({ tensorflowVersion: z.string(), cuda: z.boolean(), addon: z.string() })

interface Backend {
  readonly isUsingGpuDevice: boolean
}

let counts: DeferredCounts | null = null
let eagerBecause: string | null = null

/** The addon and the library behind it cannot be loaded twice in a process, nor let go. */
let loaded: { readonly folder: string; readonly version: string } | null = null

/** @throws AppError `engine-unavailable`: not added, or why it cannot be loaded */
export async function openTensorflow(options: EngineOptions): Promise<Engine> {
  const { folder, version, cuda } = load(options)
  if (!(await tf.setBackend('tensorflow'))) throw loaderTrouble(new Error('the backend did not start'), folder)
  await tf.ready()
  const onGpu = (tf.backend() as unknown as Backend).isUsingGpuDevice
  const trouble = cuda && !onGpu ? cudaTrouble() : null
  if (trouble !== null) console.warn(`TensorFlow runs on the processor: ${trouble.message} ${trouble.hint}`)
  const threads = options.threads ?? null
  return {
    name: 'tensorflow',
    onCard: onGpu,
    device: `TensorFlow ${version}, ${onGpu ? 'CUDA' : `processor${threads === null ? '' : `, ${threads} ${threads === 1 ? 'thread' : 'threads'}`}`}${trouble === null ? '' : ` (${trouble.message})`}${eagerBecause === null ? '' : `, operation by operation: ${eagerBecause}`}`,
    threads: onGpu ? null : threads,
    memory: () => ({
      tensors: tf.memory().numTensors,
      tensorBytes: tf.memory().numBytes,
      peakBytes: process.resourceUsage().maxRSS * 1024,
    }),
    dispose() {
      const factory = tf.findBackendFactory('tensorflow')
      tf.removeBackend('tensorflow')
      tf.registerBackend('tensorflow', factory, 3) // so that it can be opened again
    },
  }
}

function load(options: EngineOptions): { folder: string; version: string; cuda: boolean } {
  const folder = path.join(options.enginesFolder ?? process.env['PAIRLAB_ENGINES'] ?? '', 'tensorflow')
  const file = path.join(folder, 'engine.json')
  if (folder === 'tensorflow' || !existsSync(file)) {
    throw new AppError({
      code: 'engine-unavailable',
      message: 'TensorFlow is not added on this machine.',
      hint: 'Run: pairlab engine add tensorflow',
    })
  }
  const parsed = record.safeParse(readJson(file))
  if (!parsed.success)
    throw new AppError({
      code: 'engine-unavailable',
      message: 'The record of the TensorFlow engine cannot be read.',
      hint: 'Run: pairlab engine add tensorflow',
    })
  const { tensorflowVersion: version, cuda, addon } = parsed.data
  if (loaded === null) {
    requireOwnEngine(folder) // the folder may be named by the specification of a run that somebody else made
    setThreads(options.threads ?? null)
    try {
      registerBackend(path.resolve(folder, addon))
    } catch (error) {
      throw loaderTrouble(error, folder)
    }
    loaded = { folder, version }
  }
  return { folder, version, cuda }
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return null // refused by the schema, in words
  }
}

/** TensorFlow reads these when it is loaded, and never again. */
function setThreads(threads: number | null): void {
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2'
  process.env['TF_FORCE_GPU_ALLOW_GROWTH'] ??= 'true' // else it takes the whole card
  // Within a function: what does not wait for each other goes side by side, and products are those of oneDNN. Together they take a
  // third of the time off a small step (two threads of an AMD EPYC).
  process.env['TF_NUM_INTEROP_THREADS'] ??= threads === 1 ? '1' : '2'
  process.env['TF_ENABLE_ONEDNN_OPTS'] ??= '1'
  if (threads === null) return
  process.env['TF_NUM_INTRAOP_THREADS'] = String(threads)
  process.env['OMP_NUM_THREADS'] = String(threads)
}

/**
 * The package's JavaScript without its loader, which looks for a download. It asks for @tensorflow/tfjs by name and
 * must get the very library this program runs on, bundled or not: a second one would know none of our tensors.
 */
function registerBackend(addon: string): void {
  const legacy = util as unknown as Record<string, unknown> // called by version 4.22, gone from Node 23
  legacy['isNullOrUndefined'] = (value: unknown) => value === null || value === undefined
  legacy['isArray'] = Array.isArray
  const load = createRequire(import.meta.url)
  const packageName = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'].find((name) => canResolve(load, name))
  if (packageName === undefined)
    throw new AppError({
      code: 'engine-unavailable',
      message: 'The package @tensorflow/tfjs-node-gpu is not installed.',
      hint: 'Run npm ci: it is an optional package and may have been left out.',
    })
  const modules = Module as unknown as { _load(request: string, parent: unknown, isMain: boolean): unknown } // Node's own loader, which has no other door
  const original = modules._load
  const library = { ...tf, KernelBackend: callableBase() }
  modules._load = (request, parent, isMain) =>
    request === '@tensorflow/tfjs' ? library : original.call(modules, request, parent, isMain)
  try {
    load(`${packageName}/dist/register_all_kernels`)
    const { NodeJSKernelBackend } = load(`${packageName}/dist/nodejs_kernel_backend`) as {
      NodeJSKernelBackend: new (
        binding: unknown,
        name: string,
      ) => Parameters<typeof tf.registerBackend>[1] extends () => infer B ? Awaited<B> : never
    }
    const binding = withFunctions(load(addon) as FunctionBinding)
    registerTensorflowKernels()
    tf.registerBackend('tensorflow', () => new NodeJSKernelBackend(binding, packageName), 3)
  } finally {
    modules._load = original
  }
}

/**
 * The package's backend is a function of before there were classes, which calls its base without `new`: bundled, ours is
 * a class, and refuses. It has methods alone, so that there is nothing to call.
 */
function callableBase(): unknown {
  function KernelBackend(): void {}
  KernelBackend.prototype = tf.KernelBackend.prototype as unknown
  return KernelBackend
}

/** Operations wait for each other and are called at once, where the addon can; PAIRLAB_TENSORFLOW_EAGER says that none is to. */
function withFunctions(binding: FunctionBinding): FunctionBinding {
  eagerBecause = null
  if ((process.env['PAIRLAB_TENSORFLOW_EAGER'] ?? '') !== '') eagerBecause = 'PAIRLAB_TENSORFLOW_EAGER is set'
  else if (typeof binding.addFunction !== 'function') eagerBecause = 'its addon knows no functions; add it again'
  if (eagerBecause !== null) return binding
  const deferred = deferring(binding, (text) => console.warn(text))
  counts = deferred.counts
  return deferred.binding
}

/** What was called since the engine was loaded; null where every operation is called by itself. */
export function tensorflowCounts(): DeferredCounts | null {
  return counts
}

function canResolve(load: NodeJS.Require, name: string): boolean {
  try {
    load.resolve(`${name}/package.json`)
    return true
  } catch {
    return false // an optional package
  }
}
