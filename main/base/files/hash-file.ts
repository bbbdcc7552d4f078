import { createHash } from 'node:crypto'
import { closeSync, createReadStream, openSync, readSync } from 'node:fs'

const READ_BYTES = 1024 * 1024

/** sha256 of a file's bytes, in hexadecimal; a megabyte at a time. @throws what the system says */
export async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file, { highWaterMark: READ_BYTES })) hash.update(chunk as Buffer) // no encoding was asked for
  return hash.digest('hex')
}

/** The same at once, where nothing waits: before the app is open, after it is closed. */
export function hashFileNow(file: string): string {
  const hash = createHash('sha256')
  const bytes = Buffer.allocUnsafe(READ_BYTES)
  const handle = openSync(file, 'r')
  try {
    for (let count = readSync(handle, bytes); count > 0; count = readSync(handle, bytes))
      hash.update(bytes.subarray(0, count))
  } finally {
    closeSync(handle)
  }
  return hash.digest('hex')
}
