import { createReadStream } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { createGunzip, gunzipSync, constants as zlib } from 'node:zlib'
import { AppError } from '../../shared/errors.ts'

const CHUNK_BYTES = 256 * 1024
const GZIP_MAGIC = [0x1f, 0x8b]
const UTF8_BOM = [0xef, 0xbb, 0xbf]

/** Files people do drop on the import page, told apart by their first bytes so that the answer can be a helpful one. */
const BINARY_MAGIC: readonly { readonly bytes: readonly number[]; readonly what: string; readonly hint: string }[] = [
  { bytes: [0x50, 0x41, 0x52, 0x31], what: 'a Parquet file', hint: 'Convert it to JSONL first; Parquet cannot be read yet.' },
  { bytes: [0x41, 0x52, 0x52, 0x4f, 0x57, 0x31], what: 'an Arrow file', hint: 'Convert it to JSONL first; Arrow cannot be read yet.' },
  { bytes: [0x50, 0x4b, 0x03, 0x04], what: 'a zip archive or a spreadsheet', hint: 'Unpack it, or save the sheet as CSV, and import that file.' },
  { bytes: [0x89, 0x48, 0x44, 0x46], what: 'an HDF5 file', hint: 'Preference pairs are read from JSONL, JSON, CSV or TSV.' },
  { bytes: [0x53, 0x51, 0x4c, 0x69, 0x74, 0x65], what: 'an SQLite database', hint: 'Export the table as CSV or JSONL and import that file.' },
  { bytes: [0xff, 0xfe], what: 'UTF-16 text', hint: 'Save it again as UTF-8.' },
  { bytes: [0xfe, 0xff], what: 'UTF-16 text', hint: 'Save it again as UTF-8.' },
]

/** The decompressed bytes of a file, piece by piece. */
export interface ByteSource {
  readonly totalBytes: number
  /** Bytes taken from the file itself so far (compressed ones if it is compressed): what a progress bar needs. */
  bytesRead(): number
  /** A chunk is valid until the next one is asked for: its memory is used again. */
  chunks(): AsyncGenerator<Buffer>
}

function startsWith(bytes: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, index) => bytes[index] === byte)
}

/** System errors in the user's words. Unknown ones are returned as they came. */
export function describeFileError(error: unknown, path: string): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'ENOENT') return new AppError({ code: 'file-not-found', message: `There is no file at ${path}.`, hint: 'Check the path; the file may have been moved or renamed.', cause: error })
  if (code === 'EACCES' || code === 'EPERM') return new AppError({ code: 'file-not-found', message: `The file ${path} may not be read.`, hint: 'Give yourself the permission to read it, or copy it to another folder.', cause: error })
  if (code === 'EISDIR') return new AppError({ code: 'input-invalid', message: `${path} is a folder.`, hint: 'Choose one file: JSONL, JSON, CSV or TSV, optionally compressed with gzip.', cause: error })
  if (code.startsWith('Z_')) return new AppError({ code: 'dataset-invalid', message: `The compressed file ${path} is damaged or was cut off.`, hint: 'Download or compress it again, then import it once more.', cause: error })
  return error
}

/**
 * The first bytes of a file, decompressed and without a byte order mark.
 * @throws AppError file-not-found, format-unknown (a known binary format, or bytes that are no text)
 */
export async function readHead(path: string, limitBytes: number): Promise<Buffer> {
  try {
    const file = await open(path, 'r')
    try {
      if ((await file.stat()).isDirectory()) throw Object.assign(new Error('is a directory'), { code: 'EISDIR' })
      const buffer = Buffer.alloc(limitBytes)
      const { bytesRead } = await file.read(buffer, 0, limitBytes, 0)
      let head = buffer.subarray(0, bytesRead)
      // SYNC_FLUSH: the head of a compressed stream ends in the middle of it, which is no error here.
      if (startsWith(head, GZIP_MAGIC)) head = gunzipSync(head, { finishFlush: zlib.Z_SYNC_FLUSH }).subarray(0, limitBytes)
      refuseBinary(head, path)
      return startsWith(head, UTF8_BOM) ? head.subarray(UTF8_BOM.length) : head
    } finally {
      await file.close()
    }
  } catch (error) {
    throw describeFileError(error, path)
  }
}

function refuseBinary(head: Buffer, path: string): void {
  const known = BINARY_MAGIC.find((entry) => startsWith(head, entry.bytes))
  if (known !== undefined) throw new AppError({ code: 'format-unknown', message: `${path} is ${known.what}, not a text file.`, hint: known.hint })
  if (head.includes(0)) throw new AppError({ code: 'format-unknown', message: `${path} is not a text file.`, hint: 'Preference pairs are read from JSONL, JSON, CSV or TSV, optionally compressed with gzip.' })
}

/** Opens a file for streaming. Nothing is read before `chunks()` is iterated. */
export async function openBytes(path: string, chunkBytes = CHUNK_BYTES): Promise<ByteSource> {
  let totalBytes: number
  let compressed: boolean
  try {
    const file = await open(path, 'r')
    try {
      totalBytes = (await file.stat()).size
      const magic = Buffer.alloc(2)
      compressed = (await file.read(magic, 0, 2, 0)).bytesRead === 2 && startsWith(magic, GZIP_MAGIC)
    } finally {
      await file.close()
    }
  } catch (error) {
    throw describeFileError(error, path)
  }
  let taken = 0
  const onRead = (bytes: number): void => { taken = bytes }
  async function* chunks(): AsyncGenerator<Buffer> {
    try {
      yield* withoutMark(compressed ? gunzipped(path, chunkBytes, onRead) : plain(path, chunkBytes, onRead))
    } catch (error) {
      throw describeFileError(error, path)
    }
  }
  return { totalBytes, bytesRead: () => taken, chunks }
}

/** One piece of memory for the whole file: fresh ones would wait for the garbage collector by the dozen. */
async function* plain(path: string, chunkBytes: number, onRead: (totalBytes: number) => void): AsyncGenerator<Buffer> {
  const file: FileHandle = await open(path, 'r')
  try {
    const buffer = Buffer.allocUnsafeSlow(chunkBytes)
    for (let total = 0; ;) {
      const { bytesRead } = await file.read(buffer, 0, chunkBytes, null)
      if (bytesRead === 0) return
      total += bytesRead
      onRead(total)
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    await file.close()
  }
}

async function* gunzipped(path: string, chunkBytes: number, onRead: (totalBytes: number) => void): AsyncGenerator<Buffer> {
  const file = createReadStream(path, { highWaterMark: chunkBytes })
  const gunzip = createGunzip({ chunkSize: Math.max(chunkBytes, 64) })
  file.on('error', (error) => gunzip.destroy(error))
  file.pipe(gunzip)
  try {
    for await (const chunk of gunzip) {
      onRead(file.bytesRead)
      yield chunk as Buffer // no encoding was set
    }
    onRead(file.bytesRead)
  } finally {
    gunzip.destroy()
    file.destroy()
  }
}

/** Drops a UTF-8 byte order mark, even one that is split over the first chunks. */
async function* withoutMark(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let held: Buffer | null = Buffer.alloc(0)
  for await (const chunk of source) {
    if (held === null) {
      yield chunk
      continue
    }
    held = Buffer.concat([held, chunk])
    if (held.length < UTF8_BOM.length) continue
    const first: Buffer = startsWith(held, UTF8_BOM) ? held.subarray(UTF8_BOM.length) : held
    held = null
    if (first.length > 0) yield first
  }
  if (held !== null && held.length > 0) yield held
}
