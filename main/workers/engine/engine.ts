import type { EngineCard } from '../../../shared/contract/engines.ts'
import type { EngineName } from '../../../shared/domain.ts'
import type { AppError } from '../../../shared/errors.ts'

export interface EngineOptions {
  /** Of the processor's engines; null lets the engine choose. */
  readonly threads?: number | null
  /** Where `pairlab engine add` keeps what it built; null or absent where there is none. */
  readonly enginesFolder?: string | null
  /** Which graphics adapter, by a part of its name; null takes the first. */
  readonly adapter?: string | null
}

export interface EngineMemory {
  readonly tensors: number
  /** Bytes that the tensors hold now. */
  readonly tensorBytes: number
  /** Most that the engine has taken from the system, where it knows; null where it does not. */
  readonly peakBytes: number | null
}

/** What runs the tensor operations. One is open at a time in a process. */
export interface Engine {
  readonly name: EngineName
  /** In words, e.g. "WebAssembly SIMD, 1 thread". */
  readonly device: string
  /** Threads that work on one operation; null where the device decides. */
  readonly threads: number | null
  /** True for a graphics card that is emulated by the processor: right, and slow. */
  readonly software?: boolean
  /** True where the work is done on a graphics card, and no emulated one. */
  readonly onCard?: boolean
  /** What is known of the card, where the engine itself can tell. */
  readonly card?: EngineCard
  memory(): EngineMemory
  /** What went wrong without an operation failing, on engines that work behind the program's back; null while all is well. */
  trouble?(): AppError | null
  /** Frees its memory; every tensor made with it is gone. */
  dispose(): void | Promise<void>
}
