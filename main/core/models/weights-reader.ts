import type { PackedMatrix } from '../learn/models/packed.ts'
import type { TensorEntry } from '../learn/models/safetensors.ts'

/** A file of weights of which only the header is in memory. */
export interface WeightsReader {
  readonly file: string
  readonly entries: Readonly<Record<string, TensorEntry>>
  /** One tensor as float32, read from the disk now. @throws AppError `model-unsupported` */
  read(name: string): Float32Array
  /** The same in fewer bits, as the file has it; null where it stands there as numbers alone. */
  readPacked?(name: string): PackedMatrix | null
  close(): void
}
