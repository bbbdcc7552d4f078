// What we use of the wasm backend that its own types do not show.
import { AppError } from '../../../shared/errors.ts'
import { formatBytes } from '../../../shared/units.ts'
import { tf } from '../../core/learn/tf.ts'
import { createNative, type NativeModule, type ScratchSlot } from './wasm-native.ts'

export interface TensorHandle {
  readonly dataId: object
  readonly shape: number[]
  readonly dtype: 'float32' | 'int32' | 'bool'
}

export interface WasmBackend {
  readonly wasm: {
    readonly asm: { readonly memory: { readonly buffer: ArrayBufferLike } }
    _malloc(sizeBytes: number): number
    _free(address: number): void
    /** Called before the module gives up; what it throws is thrown instead. */
    onAbort?: () => void
    readonly HEAPU8: Uint8Array
  }
  readonly dataIdMap: { get(dataId: object): { readonly memoryOffset: number } }
  incRef(dataId: object): void
  makeOutput(shape: readonly number[], dtype: 'float32' | 'int32'): TensorHandle
}

/** What tf hands to a kernel. */
export interface KernelCall<A = Readonly<Record<string, never>>> {
  readonly inputs: Readonly<Record<string, TensorHandle>>
  readonly backend: WasmBackend
  readonly attrs: A
}

const modules = new WeakMap<WasmBackend, NativeModule>()

/** Our kernels in this backend's memory; made once. */
export function nativeModule(backend: WasmBackend): NativeModule {
  const known = modules.get(backend)
  if (known !== undefined) return known
  refuseEmptyAllocations(backend)
  const made = createNative({
    memory: backend.wasm.asm.memory,
    allocate: (sizeBytes) => backend.wasm._malloc(sizeBytes) >>> 0,
    free: (address) => backend.wasm._free(address),
  })
  modules.set(backend, made)
  return made
}

/** What 32-bit addresses reach. */
const MOST_BYTES = 2 ** 32
/** The library's own kernels cannot say why they give up; with the memory this full it is for want of it. */
const FULL = 0.95

/** Without it the backend takes address 0 for memory and writes over its own, and the next kernel fails somewhere else. */
function refuseEmptyAllocations({ wasm }: WasmBackend): void {
  // The module's first `_malloc` puts the real one in its own place, over whatever stands there.
  wasm._free(wasm._malloc(4))
  const allocate = wasm._malloc.bind(wasm)
  wasm._malloc = (sizeBytes) => {
    const address = allocate(sizeBytes)
    if (address === 0 && sizeBytes > 0)
      throw full(`${formatBytes(wasm.HEAPU8.byteLength)} are taken, and ${formatBytes(sizeBytes)} more were asked for`)
    return address
  }
  wasm.onAbort = () => {
    if (wasm.HEAPU8.byteLength > FULL * MOST_BYTES) throw full('a kernel found no room for its own bookkeeping')
  }
}

function full(what: string): AppError {
  return new AppError({
    code: 'out-of-memory',
    message: `The memory of the WebAssembly engine is full: it reaches ${formatBytes(MOST_BYTES)}, whatever the machine has; ${what}.`,
    hint: 'The tensorflow engine has the machine’s memory.',
  })
}

/** Byte address of a tensor's first number. */
export function addressOf(backend: WasmBackend, tensor: TensorHandle): number {
  return backend.dataIdMap.get(tensor.dataId).memoryOffset
}

export function floatsAt(backend: WasmBackend, address: number, count: number): Float32Array {
  return new Float32Array(backend.wasm.HEAPU8.buffer, address, count)
}

/** Copies integers into a scratch slot. → their address */
export function placeIntegers(backend: WasmBackend, slot: ScratchSlot, values: Int32Array): number {
  const address = nativeModule(backend).scratch(slot, Math.max(4, values.byteLength))
  new Int32Array(backend.wasm.HEAPU8.buffer, address, values.length).set(values)
  return address
}

export function placeFloats(backend: WasmBackend, slot: ScratchSlot, values: Float32Array): number {
  const address = nativeModule(backend).scratch(slot, Math.max(4, values.byteLength))
  floatsAt(backend, address, values.length).set(values)
  return address
}

/** Registers a kernel of the wasm backend, in the place of one of the same name. */
export function registerWasmKernel<A>(
  kernelName: string,
  kernelFunc: (call: KernelCall<A>) => TensorHandle | TensorHandle[],
): void {
  if (tf.getKernel(kernelName, 'wasm') != null) tf.unregisterKernel(kernelName, 'wasm')
  tf.registerKernel({
    kernelName,
    backendName: 'wasm',
    kernelFunc: kernelFunc as unknown as Parameters<typeof tf.registerKernel>[0]['kernelFunc'],
  })
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1)
}
