import type { EngineName } from '../../../shared/domain.ts'

/** What runs the tensor operations. One is open at a time in a process. */
export interface Engine {
  readonly name: EngineName
  /** In words, e.g. "WebAssembly SIMD, 1 thread". */
  readonly device: string
  /** Frees its memory; every tensor made with it is gone. */
  dispose(): void
}
