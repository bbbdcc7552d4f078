import type { FileHandle } from 'node:fs/promises'
import { createGunzip, constants as zlib } from 'node:zlib'
import { AppError } from '../../../shared/errors.ts'
import { describeFileError, openRegularFile } from './regular-file.ts'

const CHUNK_BYTES = 256 * 1024
const GZIP_MAGIC = [0x1f, 0x8b]
const UTF8_BOM = [0xef, 0xbb, 0xbf]
const ZIP_MAGIC = [0x50, 0x4b, 0x03, 0x04]

/** Files people do drop on the import page, told apart by their first bytes so that the answer can be a helpful one. */
const NO_DATA: readonly { readonly bytes: readonly number[]; readonly what: string; readonly hint: string }[] = [
  {
    bytes: [0x50, 0x41, 0x52, 0x31],
    what: 'a Parquet file',
    hint: 'Unpack it first: a Parquet file is read as it stands.',
  },
  {
    bytes: [0x41, 0x52, 0x52, 0x4f, 0x57, 0x31],
    what: 'an Arrow file',
    hint: 'Convert it to JSONL first; Arrow cannot be read yet.',
  },
  {
    bytes: ZIP_MAGIC,
    what: 'a zip archive or a spreadsheet',
    hint: 'Unpack it, or save the sheet as CSV, and import that file.',
  },
  {
    bytes: [0x89, 0x48, 0x44, 0x46],
    what: 'an HDF5 file',
    hint: 'Preference pairs are read from JSONL, JSON, CSV, TSV or Parquet.',
  },
  {
    bytes: [0x53, 0x51, 0x4c, 0x69, 0x74, 0x65],
    what: 'an SQLite database',
    hint: 'Export the table as CSV or JSONL and import that file.',
  },
  {
    bytes: [...Buffer.from('version https://git-lfs.github.com/spec/')],
    what: 'a pointer of Git LFS to the real file',
    hint: 'Fetch that one: git lfs pull in its folder, or download it from its page.',
  },
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

/** Damage of a gzip stream in the user's words; anything else as the file system's. */
function describeReadError(error: unknown, path: string): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code.startsWith('Z_'))
    return new AppError({
      code: 'dataset-invalid',
      message: `The compressed file ${path} is damaged or was cut off.`,
      hint: 'Download or compress it again, then import it once more.',
      cause: error,
    })
  return describeFileError(error, path)
}

/**
 * The first bytes of a file, decompressed and without a byte order mark.
 * @throws AppError file-not-found, format-unknown (a known binary format, or bytes that are no text)
 */
export async function readHead(path: string, limitBytes: number): Promise<Buffer> {
  const head = await readStart(path, limitBytes)
  refuseNoData(head, path)
  return startsWith(head, UTF8_BOM) ? head.subarray(UTF8_BOM.length) : head
}

/** A compressed file may hold a thousand times its size: no more is unpacked than is asked for. */
async function readStart(path: string, limitBytes: number): Promise<Buffer> {
  const pieces: Buffer[] = []
  let length = 0
  try {
    for await (const piece of decompressed(path, CHUNK_BYTES, () => undefined, { cutOffAllowed: true })) {
      pieces.push(Buffer.from(piece))
      length += piece.length
      if (length >= limitBytes) break
    }
  } catch (error) {
    throw describeReadError(error, path)
  }
  return Buffer.concat(pieces).subarray(0, limitBytes)
}

function refuseNoData(head: Buffer, path: string): void {
  if (startsWith(head, ZIP_MAGIC) && head.includes('.npy'))
    throw new AppError({
      code: 'format-unknown',
      message: `${path} is a zip of NumPy arrays.`,
      hint: 'Pairs of segments are read from it by: pairlab import-segments <file>.',
    })
  const known = NO_DATA.find((entry) => startsWith(head, entry.bytes))
  if (known !== undefined)
    throw new AppError({
      code: 'format-unknown',
      message: `${path} is ${known.what}, and no text to read.`,
      hint: known.hint,
    })
  if (head.includes(0))
    throw new AppError({
      code: 'format-unknown',
      message: `${path} is not a text file.`,
      hint: 'Preference pairs are read from JSONL, JSON, CSV, TSV or Parquet, optionally compressed with gzip.',
    })
}

/** Opens a file for streaming. Nothing is read before `chunks()` is iterated. */
export async function openBytes(path: string, chunkBytes = CHUNK_BYTES): Promise<ByteSource> {
  const { handle, sizeBytes } = await openRegularFile(path)
  await handle.close()
  let taken = 0
  async function* chunks(): AsyncGenerator<Buffer> {
    try {
      yield* withoutMark(decompressed(path, chunkBytes, (bytes) => (taken = bytes)))
    } catch (error) {
      throw describeReadError(error, path)
    }
  }
  return { totalBytes: sizeBytes, bytesRead: () => taken, chunks }
}

interface Unpacking {
  /** The end of the stream inside a block is no error: only its beginning was wanted. */
  readonly cutOffAllowed: boolean
}

/** Reads no further than the file's size when it was opened: one that grows all the time would never end. */
async function* decompressed(
  path: string,
  chunkBytes: number,
  onRead: (totalBytes: number) => void,
  { cutOffAllowed }: Unpacking = { cutOffAllowed: false },
): AsyncGenerator<Buffer> {
  const { handle, sizeBytes } = await openRegularFile(path)
  try {
    const magic = Buffer.alloc(GZIP_MAGIC.length)
    const compressed =
      (await handle.read(magic, 0, magic.length, 0)).bytesRead === magic.length && startsWith(magic, GZIP_MAGIC)
    yield* compressed
      ? gunzipped(handle, sizeBytes, { chunkBytes, onRead, cutOffAllowed })
      : plain(handle, sizeBytes, chunkBytes, onRead)
  } finally {
    await handle.close()
  }
}

/** One piece of memory for the whole file: fresh ones would wait for the garbage collector by the dozen. */
async function* plain(
  file: FileHandle,
  sizeBytes: number,
  chunkBytes: number,
  onRead: (totalBytes: number) => void,
): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(chunkBytes)
  for (let total = 0; total < sizeBytes;) {
    const { bytesRead } = await file.read(buffer, 0, Math.min(chunkBytes, sizeBytes - total), total)
    if (bytesRead === 0) return
    total += bytesRead
    onRead(total)
    yield buffer.subarray(0, bytesRead)
  }
}

async function* gunzipped(
  file: FileHandle,
  sizeBytes: number,
  { chunkBytes, onRead, cutOffAllowed }: Unpacking & { readonly chunkBytes: number; onRead(totalBytes: number): void },
): AsyncGenerator<Buffer> {
  const packed = file.createReadStream({ start: 0, end: sizeBytes - 1, highWaterMark: chunkBytes, autoClose: false })
  const gunzip = createGunzip({
    chunkSize: Math.max(chunkBytes, 64),
    ...(cutOffAllowed ? { finishFlush: zlib.Z_SYNC_FLUSH } : {}),
  })
  packed.on('error', (error) => gunzip.destroy(error))
  packed.pipe(gunzip)
  try {
    for await (const chunk of gunzip) {
      onRead(packed.bytesRead)
      yield chunk as Buffer // no encoding was set
    }
    onRead(packed.bytesRead)
  } finally {
    gunzip.destroy()
    packed.destroy()
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
