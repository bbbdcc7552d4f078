import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { ADAPTER_FILE, adapterFile } from '../../../shared/contract/engines.ts'
import { AppError } from '../../../shared/errors.ts'
import { tf } from '../../core/learn/tf.ts'
import type { Engine, EngineOptions } from './engine.ts'
import { registerWebGpuKernels } from './webgpu/register.ts'
import { repairWebGpu } from './webgpu-repairs.ts'
import { adapterTrouble, deviceLost, outOfMemory, wrongUse } from './webgpu-trouble.ts'

/** Of Dawn for Node, as far as it is used here. */
interface Dawn {
  create(options: string[]): GPU
  readonly globals: object
}

/** GPUAdapter.info, younger than the types that come with the backend. */
interface AdapterInfo {
  readonly vendor: string
  readonly architecture: string
  readonly device: string
  readonly description: string
  readonly isFallbackAdapter: boolean
}

/** What the backend asks of a device beyond the least that every device has. */
const LIMITS = [
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupsPerDimension',
  'maxStorageBufferBindingSize',
  'maxBufferSize',
  'maxComputeWorkgroupSizeX',
  'maxComputeInvocationsPerWorkgroup',
] as const

/**
 * A graphics card through Dawn (Vulkan, Metal or Direct3D): no CUDA, and nothing to add. Numbers come back only
 * asynchronously.
 * @throws AppError `engine-unavailable`: the package, a driver or the named adapter is missing
 */
export async function openWebGpu(options: EngineOptions): Promise<Engine> {
  const adapterName = options.adapter ?? chosenAdapter(options.enginesFolder ?? null)
  const gpu = startDawn(adapterName)
  // Rejects, with the names there are, where the one asked for is not among them.
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' }).catch((error: unknown) => {
    throw adapterTrouble(adapterName, error)
  })
  if (adapter === null) throw adapterTrouble(adapterName)
  const { info } = adapter as unknown as { readonly info: AdapterInfo }
  const device = await adapter.requestDevice({
    requiredLimits: Object.fromEntries(LIMITS.map((name) => [name, adapter.limits[name]])),
  })
  let trouble: AppError | null = null
  let closing = false
  void device.lost.then(({ reason, message }) => {
    if (!closing) trouble ??= deviceLost(reason, message)
  })
  // Such an error leaves zeros behind, which would train on in silence: whoever runs the steps asks for it.
  device.addEventListener('uncapturederror', (event) => {
    const { error } = event as GPUUncapturedErrorEvent
    trouble ??= error.constructor.name === 'GPUOutOfMemoryError' ? outOfMemory(error.message) : wrongUse(error.message)
  })
  await useBackend(device, info)
  const software =
    info.isFallbackAdapter ||
    /swiftshader|llvmpipe|lavapipe/i.test(`${info.device} ${info.description} ${info.architecture}`)
  let peakBytes = 0
  const bytesNow = (): number => (tf.memory() as { numBytesAllocatedInGPU?: number }).numBytesAllocatedInGPU ?? 0
  return {
    name: 'webgpu',
    device: `WebGPU, ${describe(info)}${software ? ' (emulated by the processor)' : ''}`,
    threads: null,
    software,
    onCard: !software,
    card: {
      name: [info.vendor, info.device].filter((part) => part !== '').join(' ') || describe(info),
      driver: info.description,
      halfPrecision: adapter.features.has('shader-f16'),
      subgroups: (adapter.features as ReadonlySet<string>).has('subgroups'),
      largestBufferBytes: adapter.limits.maxStorageBufferBindingSize,
    },
    memory() {
      peakBytes = Math.max(peakBytes, bytesNow())
      return { tensors: tf.memory().numTensors, tensorBytes: tf.memory().numBytes, peakBytes }
    },
    trouble: () => trouble,
    dispose() {
      closing = true
      tf.removeBackend('webgpu')
      device.destroy()
    },
  }
}

/** The person's choice for this machine. */
function chosenAdapter(enginesFolder: string | null): string | null {
  const file = enginesFolder === null ? null : path.join(enginesFolder, ADAPTER_FILE)
  return file === null || !existsSync(file) ? null : adapterFile.parse(JSON.parse(readFileSync(file, 'utf8'))).adapter
}

let dawn: { readonly adapterName: string | null; readonly gpu: GPU } | null = null

function startDawn(adapterName: string | null): GPU {
  if (dawn !== null && dawn.adapterName === adapterName) return dawn.gpu
  // Dawn complains where there is no desktop session, which a training process never has.
  process.env['XDG_RUNTIME_DIR'] ??= '/tmp'
  let module: Dawn
  try {
    module = createRequire(import.meta.url)('webgpu') as Dawn
  } catch (error) {
    throw new AppError({
      code: 'engine-unavailable',
      message: `Dawn, which brings WebGPU, cannot be loaded: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}.`,
      hint: 'Run npm ci: the package webgpu is optional and may have been left out, or has no build for this machine.',
      cause: error,
    })
  }
  Object.assign(globalThis, module.globals)
  const gpu = module.create(adapterName === null ? [] : [`adapter=${adapterName}`])
  // Where the backend looks for it, as in a browser. An Electron process in Node's role has no navigator.
  if (typeof navigator === 'undefined')
    Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true })
  Object.defineProperty(navigator, 'gpu', { value: gpu, configurable: true })
  dawn = { adapterName, gpu }
  return gpu
}

async function useBackend(device: GPUDevice, info: AdapterInfo): Promise<void> {
  // Its kernels are registered as it is loaded, so it is loaded only where it is used.
  const { WebGPUBackend } = await import('@tensorflow/tfjs-backend-webgpu')
  // In place of the one it registered itself, whose device nobody else can watch.
  if (tf.findBackendFactory('webgpu') != null) tf.removeBackend('webgpu')
  tf.registerBackend('webgpu', () => new WebGPUBackend(device, info as never) as never, 3) // the package's own copy of the base type
  // Else what is small and not yet sent is computed by the processor, by other kernels than what is larger.
  tf.env().set('WEBGPU_CPU_FORWARD', false)
  if (!(await tf.setBackend('webgpu'))) throw wrongUse('the backend did not start')
  await tf.ready()
  registerWebGpuKernels()
  repairWebGpu(device.limits.maxStorageBuffersPerShaderStage)
}

function describe({ vendor, device, description, architecture }: AdapterInfo): string {
  return (
    [vendor, device, description, architecture] // of Dawn's, `description` names the driver
      .filter((part, index, all) => part !== '' && all.indexOf(part) === index)
      .join(' ')
      .trim() || 'an adapter without a name'
  )
}
