import { createHash, type Hash } from 'node:crypto'
import { open, type FileHandle } from 'node:fs/promises'
import { AppError } from '../../shared/errors.ts'

/** A file that is only ever added to, with its length and sha256 known at every moment. */
export interface AppendFile {
  readonly sizeBytes: number
  append(bytes: Buffer): Promise<void>
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
  async function close(): Promise<void> {
    if (!isOpen) return
    isOpen = false
    await handle.close()
  }
  return {
    get sizeBytes() {
      return sizeBytes
    },
    async append(bytes) {
      if (bytes.length === 0) return
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
  return new AppError({ code: 'disk-full', message: `The disk is full: ${path} could not be written. Nothing was imported.`, hint: 'Free some space, or choose a data folder on another disk, and import the file again.', cause: error })
}
