import { closeSync, readSync } from 'node:fs'
import path from 'node:path'
import { AppError } from '../../../../shared/errors.ts'
import { openRegularFileSync } from '../../../base/files/regular-file.ts'
import { unpackBlocks } from './blocks.ts'
import type { GgufTensor } from './header.ts'

/** A tensor as it stands in the file. */
export function readGgufTensor(file: string, tensor: GgufTensor): Float32Array {
  const { descriptor } = openRegularFileSync(file)
  try {
    return tensorAt(descriptor, file, tensor)
  } finally {
    closeSync(descriptor)
  }
}

/** The same from a file that is open. @throws AppError `model-unsupported` for one that was cut since its header was read */
export function tensorAt(descriptor: number, file: string, tensor: GgufTensor): Float32Array {
  return unpackBlocks(bytesAt(descriptor, file, tensor), tensor.type)
}

/** Its bytes. @throws AppError as tensorAt */
export function bytesAt(descriptor: number, file: string, { name, begin, end }: GgufTensor): Buffer {
  const bytes = Buffer.allocUnsafeSlow(end - begin) // a memory of its own, which the numbers may go on using
  for (let done = 0; done < bytes.length;) {
    const count = readSync(descriptor, bytes, done, Math.min(bytes.length - done, 2 ** 30), begin + done)
    if (count === 0)
      throw new AppError({
        code: 'model-unsupported',
        message: `${path.basename(file)} ends inside ${name}.`,
        hint: 'The file was changed or cut while it was read; fetch it again.',
      })
    done += count
  }
  return bytes
}
