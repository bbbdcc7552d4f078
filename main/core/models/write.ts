import { createHash } from 'node:crypto'
import { closeSync, fsyncSync, openSync } from 'node:fs'
import { writeFully } from '../../base/files/durable.ts'
import { safeTensorsHeader, sizeOf } from '../learn/models/safetensors.ts'

/** A tensor that is asked for when its turn to be written comes, so that a model is never held twice. */
export interface TensorToWrite {
  readonly shape: readonly number[]
  read(): Float32Array | Promise<Float32Array>
}

export interface WrittenFile {
  readonly sizeBytes: number
  readonly sha256: string
}

/**
 * One safetensors file of float32 tensors, on the disk when this returns.
 * @throws RangeError when a tensor has another size than its shape; the system's errors as they come
 */
export async function writeSafeTensors(
  file: string,
  tensors: Readonly<Record<string, TensorToWrite>>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<WrittenFile> {
  const hash = createHash('sha256')
  const descriptor = openSync(file, 'w')
  let sizeBytes = 0
  const write = (bytes: Uint8Array): void => {
    hash.update(bytes)
    writeFully(descriptor, bytes)
    sizeBytes += bytes.length
  }
  try {
    write(
      safeTensorsHeader(
        Object.fromEntries(Object.entries(tensors).map(([name, { shape }]) => [name, shape])),
        metadata,
      ),
    )
    for (const [name, tensor] of Object.entries(tensors)) {
      const data = await tensor.read()
      if (data.length !== sizeOf(tensor.shape))
        throw new RangeError(`${name} has ${data.length} values for shape [${tensor.shape.join(', ')}]`)
      write(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    }
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  return { sizeBytes, sha256: hash.digest('hex') }
}
