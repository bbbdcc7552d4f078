import { createHash, type Hash } from 'node:crypto'
import { open, type FileHandle } from 'node:fs/promises'
import { AppError } from '../../../shared/errors.ts'

/** A file that is only ever added to, with its length and sha256 known at every moment. */
export interface AppendFile {
  readonly sizeBytes: number
  /** One at a time: the next call waits for the one before. */
  append(text: string): Promise<void>
  /** Makes sure that everything is on the disk. @returns lower-case hex sha256 of the whole file */
  finish(): Promise<string>
  /** Gives the file back without a word; safe after `finish`. */
  close(): Promise<void>
}

export async function createAppendFile(path: string): Promise<AppendFile> {
  const handle: FileHandle = await open(path, 'wx')
  const hash: Hash = createHash('sha256')
  let sizeBytes = 0
  let isOpen = true
  let buffer = Buffer.allocUnsafeSlow(64 * 1024) // used again by every call
  async function close(): Promise<void> {
    if (!isOpen) return
    isOpen = false
    await handle.close()
  }
  return {
    get sizeBytes() {
      return sizeBytes
    },
    async append(text) {
      if (text === '') return
      const lengthBytes = Buffer.byteLength(text)
      if (lengthBytes > buffer.length) buffer = Buffer.allocUnsafeSlow(Math.ceil(lengthBytes * 1.25))
      buffer.write(text, 'utf8')
      const bytes = buffer.subarray(0, lengthBytes)
      try {
        for (let written = 0; written < bytes.length;) written += (await handle.write(bytes, written)).bytesWritten
      } catch (error) {
        throw describeWriteError(error, path)
      }
      hash.update(bytes)
      sizeBytes += bytes.length
    },
    async finish() {
      await handle.sync()
      await close()
      return hash.digest('hex')
    },
    close,
  }
}

/** A full disk in the user's words; anything else as it came. */
export function describeWriteError(error: unknown, path: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : ''
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error
  return new AppError({
    code: 'disk-full',
    message: `The disk is full: ${path} could not be written. Nothing was imported.`,
    hint: 'Free some space, or choose a data folder on another disk, and import the file again.',
    cause: error,
  })
}
