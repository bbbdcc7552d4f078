// How a kernel of ours gets into the stream of commands that the WebGPU backend records: beside the backend's own kernels, in
// the order in which both are called, with as many results as it has.
import { tf } from '../../../core/learn/tf.ts'

/** A tensor as tf hands it to a kernel. */
export interface TensorHandle {
  readonly dataId: object
  readonly shape: number[]
  readonly dtype: 'float32' | 'int32'
}

/** Of the backend, what is used here and is not among its public types. */
export interface WebGpuBackend {
  readonly device: GPUDevice
  makeTensorInfo(shape: number[], dtype: string, values?: Float32Array | Int32Array): TensorHandle
  disposeData(dataId: object): boolean
  uploadToGPU(dataId: object): void
  readonly tensorMap: { get(dataId: object): { readonly resource: GPUBuffer; values: unknown } }
  readonly bufferManager: { acquireBuffer(size: number, usage: number): GPUBuffer }
  commandQueueOwnedIds: WeakSet<object>
  readonly uniformPendingDisposal: GPUBuffer[]
  commandEncoder: GPUCommandEncoder | null
  computePassEncoder: GPUComputePassEncoder | null
  dispatchCountInPass: number
  ensureCommandEncoderReady(): void
  endComputePassEncoder(): void
  submitQueue(): void
}

export interface KernelCall<A = object> {
  readonly inputs: Readonly<Record<string, TensorHandle | undefined>>
  readonly backend: WebGpuBackend
  readonly attrs: A
}

export interface Program {
  /** Names the pipeline: with another text or constant it has another name. */
  readonly name: string
  /**
   * WGSL with an entry point `main`. Bindings of group 0, in order: the results, what is read, and last the uniform
   * numbers, 4 bytes each. Workgroups count in one row: see `GROUP_INDEX`.
   */
  readonly code: string
}

/** Kernels of one family, each written once: a launch must not cost the making of its text. */
export function written<K>(write: (key: K) => Program): (key: K) => Program {
  const known = new Map<K, Program>()
  return (key) => {
    let program = known.get(key)
    if (program === undefined) known.set(key, (program = write(key)))
    return program
  }
}

export interface Work {
  readonly writes: readonly TensorHandle[]
  readonly reads: readonly TensorHandle[]
  /** Whole numbers as u32, the others marked. */
  readonly numbers: readonly (number | { readonly float: number })[]
  readonly workgroups: number
}

/** Most workgroups of one dimension, on every device. */
const DIMENSION = 65_535

/** Text for kernels: which workgroup this is, from 0; there may be more of them than are wanted. */
export const GROUP_INDEX = `
fn groupIndex(group: vec3<u32>, groups: vec3<u32>) -> u32 { return group.y * groups.x + group.x; }
`

/** Threads of a workgroup, unless a kernel says otherwise. */
export const LANES = 64

/** Text for kernels: Σ and max over the threads of a workgroup, called by all of them. */
export const REDUCTIONS = `
var<workgroup> shared_: array<f32, ${LANES}>;
fn sumOfGroup(value: f32, lane: u32) -> f32 {
  shared_[lane] = value;
  workgroupBarrier();
  for (var half = ${LANES / 2}u; half > 0u; half >>= 1u) {
    if (lane < half) { shared_[lane] += shared_[lane + half]; }
    workgroupBarrier();
  }
  let total = shared_[0];
  workgroupBarrier();
  return total;
}
fn maxOfGroup(value: f32, lane: u32) -> f32 {
  shared_[lane] = value;
  workgroupBarrier();
  for (var half = ${LANES / 2}u; half > 0u; half >>= 1u) {
    if (lane < half) { shared_[lane] = max(shared_[lane], shared_[lane + half]); }
    workgroupBarrier();
  }
  let largest = shared_[0];
  workgroupBarrier();
  return largest;
}
`

/** Text for kernels: the head of `main`, with `group` (its index), `lane` and, one thread a number, `index`. */
export const MAIN = `
@compute @workgroup_size(${LANES}) fn main(
  @builtin(workgroup_id) groupId: vec3<u32>,
  @builtin(num_workgroups) groupCount: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let group = groupIndex(groupId, groupCount);
  let index = group * ${LANES}u + lane;
`

const pipelines = new WeakMap<GPUDevice, Map<string, GPUComputePipeline>>()

function pipelineOf(device: GPUDevice, { name, code }: Program): GPUComputePipeline {
  let known = pipelines.get(device)
  if (known === undefined) pipelines.set(device, (known = new Map<string, GPUComputePipeline>()))
  let pipeline = known.get(name)
  if (pipeline === undefined) {
    const module = device.createShaderModule({ code: GROUP_INDEX + code, label: name })
    pipeline = device.createComputePipeline({ compute: { module, entryPoint: 'main' }, label: name, layout: 'auto' })
    known.set(name, pipeline)
  }
  return pipeline
}

/** Records one dispatch. Nothing is computed before the backend submits, and nothing is waited for. */
export function launch(backend: WebGpuBackend, program: Program, { writes, reads, numbers, workgroups }: Work): void {
  if (workgroups === 0) return
  const tensors = [...writes, ...reads]
  for (const { dataId } of tensors) backend.uploadToGPU(dataId)
  const pipeline = pipelineOf(backend.device, program)
  const buffers = tensors.map(({ dataId }) => backend.tensorMap.get(dataId).resource)
  if (numbers.length > 0) buffers.push(uniforms(backend, numbers))
  const bindGroup = backend.device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
  })
  for (const { dataId } of tensors) backend.commandQueueOwnedIds.add(dataId)
  for (const { dataId } of writes) backend.tensorMap.get(dataId).values = null // what was read of it before is no longer so
  backend.ensureCommandEncoderReady()
  backend.computePassEncoder ??= backend.commandEncoder!.beginComputePass()
  backend.computePassEncoder.setPipeline(pipeline)
  backend.computePassEncoder.setBindGroup(0, bindGroup)
  const x = Math.min(workgroups, DIMENSION)
  backend.computePassEncoder.dispatchWorkgroups(x, Math.ceil(workgroups / x))
  backend.dispatchCountInPass += 1
  if (backend.dispatchCountInPass >= Number(tf.env().get('WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE'))) {
    backend.endComputePassEncoder()
    backend.submitQueue()
  }
}

const USAGE = { uniform: 0x40, copyDestination: 0x8 } as const // GPUBufferUsage, which is no global before a device is open

function uniforms(backend: WebGpuBackend, numbers: Work['numbers']): GPUBuffer {
  const size = Math.ceil(numbers.length / 4) * 16
  const bytes = new ArrayBuffer(size)
  const [whole, real] = [new Uint32Array(bytes), new Float32Array(bytes)]
  numbers.forEach((value, at) => {
    if (typeof value === 'number') whole[at] = value
    else real[at] = value.float
  })
  const buffer = backend.bufferManager.acquireBuffer(size, USAGE.uniform | USAGE.copyDestination)
  backend.device.queue.writeBuffer(buffer, 0, bytes)
  backend.uniformPendingDisposal.push(buffer) // given back once submitted
  return buffer
}

/** A new tensor of single-precision numbers, whose values a kernel will write. */
export function output(backend: WebGpuBackend, shape: readonly number[]): TensorHandle {
  return backend.makeTensorInfo([...shape], 'float32')
}

export function like(backend: WebGpuBackend, tensor: TensorHandle): TensorHandle {
  return output(backend, tensor.shape)
}

export function sizeOf({ shape }: TensorHandle): number {
  return tf.util.sizeFromShape(shape)
}

/** Workgroups of one thread a number. */
export function groupsFor(count: number, lanes = LANES): number {
  return Math.ceil(count / lanes)
}

interface Table {
  readonly source: object
  readonly kind: string
  readonly held: TensorHandle
}

/** Tables that a batch uses in every layer and direction; those of more than a few batches are seldom of use. */
const TABLES_KEPT = 24
const tables = new WeakMap<WebGpuBackend, Table[]>()

/**
 * Numbers that lie in memory, on the card: sent once while the same array comes again, which nobody may write into meanwhile.
 * @param make what is sent of it, named by `kind`
 */
export function table<T extends Int32Array | Float32Array>(
  backend: WebGpuBackend,
  source: T,
  kind = 'itself',
  make: (source: T) => Int32Array | Float32Array = (given) => given.slice(),
): TensorHandle {
  let known = tables.get(backend)
  if (known === undefined) tables.set(backend, (known = []))
  const at = known.findIndex((one) => one.source === source && one.kind === kind)
  if (at >= 0) known.push(...known.splice(at, 1)) // the last used is the last in order
  else known.push({ source, kind, held: handleOf(backend, make(source)) })
  while (known.length > TABLES_KEPT) release(backend, known.shift()!.held)
  return known.at(-1)!.held
}

/** Numbers of one call, which go with `release`. */
export function upload(backend: WebGpuBackend, values: Int32Array): TensorHandle {
  return handleOf(backend, values.slice())
}

/** A buffer has no length of 0. */
function handleOf(backend: WebGpuBackend, values: Int32Array | Float32Array): TensorHandle {
  const type = values instanceof Float32Array ? 'float32' : 'int32'
  if (values.length === 0)
    return backend.makeTensorInfo([1], type, type === 'int32' ? new Int32Array(1) : new Float32Array(1))
  return backend.makeTensorInfo([values.length], type, values)
}

export function release(backend: WebGpuBackend, tensor: TensorHandle): void {
  backend.disposeData(tensor.dataId)
}

/** Registers a kernel, once: kernels outlive a backend. */
export function register<A = object>(
  kernelName: string,
  kernel: (call: KernelCall<A>) => TensorHandle | TensorHandle[],
): void {
  if (tf.getKernel(kernelName, 'webgpu') != null) return
  tf.registerKernel({
    kernelName,
    backendName: 'webgpu',
    kernelFunc: kernel as never, // tf's own type for kernels knows neither this backend nor these attributes
  })
}
