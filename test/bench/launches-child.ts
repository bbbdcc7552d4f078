// `launches-child.ts <own | stock> <shape> <job> <layers> <tokens or all>`: one step of the webgpu engine, taken apart and counted, in a process
// of its own. `stock` is the engine without Pairlab's kernels: the backend's own, operation by operation.
import { algorithmStep } from './launches-step.ts'
import { FUSED_KERNELS } from '../../main/core/learn/models/fused.ts'
import { OPTIMIZER_KERNELS } from '../../main/core/learn/optimizer.ts'
import { tf } from '../../main/core/learn/tf.ts'
import { openEngine } from '../../main/workers/engine/choose.ts'
import type { ShapeName } from './engine-jobs.ts'

/** Up to this moment of the step. */
export interface Counted {
  launches: number
  submits: number
  /** Bytes of tensors that went to the card. */
  bytesUp: number
  /** Bytes of the kernels' own arguments. */
  argumentBytes: number
  readBacks: number
  bytesDown: number
  buffers: number
  pipelines: number
}

export interface LaunchReport {
  readonly forward: Counted
  readonly backward: Counted
  readonly update: Counted
  /** Of steps after the first, in milliseconds. */
  readonly stepMs: readonly number[]
  readonly device: string
  readonly loss: readonly number[]
}

const [kernels, shape, job, layers, tokens] = process.argv.slice(2) as [
  'own' | 'stock',
  ShapeName,
  'sft' | 'dpo',
  string,
  string,
]
const engine = await openEngine('webgpu', {})
if (kernels === 'stock')
  for (const name of [...Object.values(FUSED_KERNELS), ...Object.values(OPTIMIZER_KERNELS)])
    if (tf.getKernel(name, 'webgpu') != null) tf.unregisterKernel(name, 'webgpu')

const counted: Counted = {
  launches: 0,
  submits: 0,
  bytesUp: 0,
  argumentBytes: 0,
  readBacks: 0,
  bytesDown: 0,
  buffers: 0,
  pipelines: 0,
}

/** Of the backend, what is listened in on. */
interface Backend {
  readonly device: GPUDevice
  readonly tensorMap: {
    get(id: object): { readonly resource: unknown; readonly values: { readonly length: number } | null } | undefined
  }
  uploadToGPU(id: object): void
  getBufferData(buffer: GPUBuffer): Promise<ArrayBuffer>
}
const backend = tf.backend() as unknown as Backend

/** Calls `listen` before each call of the method. */
function tap<T extends object, K extends keyof T>(target: T, method: K, listen: (given: unknown[]) => void): void {
  const original = target[method] as (...given: unknown[]) => unknown
  target[method] = function tapped(this: T, ...given: unknown[]) {
    listen(given)
    return original.apply(this, given)
  } as T[K]
}
const { device } = backend
tap(device, 'createBuffer', () => (counted.buffers += 1))
tap(device, 'createComputePipeline', () => (counted.pipelines += 1))
tap(device.queue, 'submit', () => (counted.submits += 1))
tap(device.queue, 'writeBuffer', ([, , data]) => (counted.argumentBytes += (data as ArrayBuffer).byteLength))
tap(backend, 'uploadToGPU', ([id]) => {
  const held = backend.tensorMap.get(id as object)
  if (held?.resource == null && held?.values != null) counted.bytesUp += 4 * held.values.length
})
tap(backend, 'getBufferData', ([buffer]) => {
  counted.readBacks += 1
  counted.bytesDown += (buffer as GPUBuffer).size
})
const Pass = (globalThis as unknown as { GPUComputePassEncoder: { prototype: GPUComputePassEncoder } })
  .GPUComputePassEncoder
tap(Pass.prototype, 'dispatchWorkgroups', () => (counted.launches += 1))

const step = algorithmStep(shape, job, Number(layers), tokens === 'all' ? null : Number(tokens))
const loss: number[] = []
let parts: Counted[] = []
const stepMs: number[] = []
// The first compiles and fills the pools. Where no time is wanted, the second tells all.
for (let at = 0; at < (tokens === 'all' ? 4 : 2); at += 1) {
  const marks: Counted[] = [{ ...counted }]
  const startedAtMs = performance.now()
  loss.push(await step(() => marks.push({ ...counted })))
  await device.queue.onSubmittedWorkDone()
  if (at >= 1) stepMs.push(performance.now() - startedAtMs)
  parts = marks.slice(1).map((mark, phase) => less(mark, marks[phase]!))
}

function less(a: Counted, b: Counted): Counted {
  return Object.fromEntries(
    Object.entries(a).map(([name, value]) => [name, value - b[name as keyof Counted]]),
  ) as unknown as Counted // the same names
}

const [forward, backward, update] = parts as [Counted, Counted, Counted]
const report: LaunchReport = { forward, backward, update, stepMs, device: engine.device, loss }
console.log(JSON.stringify(report))
process.exit(0)
