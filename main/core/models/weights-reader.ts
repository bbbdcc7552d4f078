import type { TensorEntry } from '../learn/models/safetensors.ts'

/** A file of weights of which only the header is in memory. */
export interface WeightsReader {
  readonly file: string
  readonly entries: Readonly<Record<string, TensorEntry>>
  /** One tensor as float32, read from the disk now. @throws AppError `model-unsupported` */
  read(name: string): Float32Array
  close(): void
}
