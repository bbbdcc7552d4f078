// A Parquet file as JSON lines, a row a line, so that whatever reads those reads it: rows keep their numbers.
import { isUtf8 } from 'node:buffer'
import type { FileHandle } from 'node:fs/promises'
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import {
  asyncBufferFromFile,
  parquetMetadataAsync,
  parquetReadObjects,
  type AsyncBuffer,
  type Compressors,
  type FileMetaData,
} from 'hyparquet'
import { AppError } from '../../../shared/errors.ts'

const MAGIC = 'PAR1'

/** Beside Snappy, which the library has: what Node has. LZ4 is neither's. */
const COMPRESSORS: Compressors = {
  GZIP: (bytes) => gunzipSync(bytes),
  BROTLI: (bytes) => brotliDecompressSync(bytes),
  ZSTD: (bytes) => zstdDecompressSync(bytes),
}
/** A group may have a million. Of a part of it no more is unpacked than its pages. */
const ROWS_AT_ONCE = 25_000
const LINES_AT_ONCE = 1000
const FIRST_ROWS = 2000

/** By its first bytes. */
export async function isParquet(file: FileHandle): Promise<boolean> {
  const start = Buffer.alloc(MAGIC.length)
  const { bytesRead } = await file.read(start, 0, start.length, 0)
  return bytesRead === MAGIC.length && start.toString('latin1') === MAGIC
}

/**
 * A part of a group of rows is in memory at a time.
 * @param onRead told how far it is, in bytes of the file
 * @throws AppError `dataset-invalid`: damaged, or written in a way that is not read here; with the row where that began
 */
export async function* parquetLines(path: string, onRead: (totalBytes: number) => void): AsyncGenerator<Buffer> {
  const file = await asyncBufferFromFile(path)
  const metadata = await reading(path, 1, () => parquetMetadataAsync(file))
  let row = 0
  for (const group of metadata.row_groups) {
    const count = Number(group.num_rows)
    for (let from = 0; from < count;) {
      // Who wants to know what it is takes the beginning alone, and unpacks no more than that.
      const to = Math.min(count, from + (row + from === 0 ? FIRST_ROWS : ROWS_AT_ONCE))
      const rows = await reading(path, row + from + 1, () => readRows(file, metadata, row + from, row + to))
      yield* asLines(rows)
      onRead(Math.round((file.byteLength * (row + to)) / Math.max(1, Number(metadata.num_rows))))
      from = to
    }
    row += count
  }
  onRead(file.byteLength)
}

function* asLines(rows: readonly Record<string, unknown>[]): Generator<Buffer> {
  for (let from = 0; from < rows.length; from += LINES_AT_ONCE)
    yield Buffer.from(
      rows
        .slice(from, from + LINES_AT_ONCE)
        .map((one) => `${JSON.stringify(one, asJson)}\n`)
        .join(''),
    )
}

function readRows(
  file: AsyncBuffer,
  metadata: FileMetaData,
  rowStart: number,
  rowEnd: number,
): Promise<Record<string, unknown>[]> {
  return parquetReadObjects({ file, metadata, rowStart, rowEnd, compressors: COMPRESSORS, utf8: false })
}

async function reading<T>(path: string, row: number, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error)
    throw new AppError({
      code: 'dataset-invalid',
      message: `${path} cannot be read as Parquet, from row ${row} on: ${what}.`,
      hint: /unsupported compression/i.test(what)
        ? 'Write it with Snappy, gzip, zstd or Brotli, or as JSONL.'
        : 'It may be damaged or cut off, or only a pointer to the real file (Git LFS): download it again.',
      cause: error,
    })
  }
}

/**
 * Integers that a double cannot hold stay as their digits. Bytes that are not said to be text are text all the same where they can
 * be, as older programs write them; others, such as of pictures, say how many they are.
 */
function asJson(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString()
  if (value instanceof Uint8Array)
    return isUtf8(value) && !value.includes(0) ? Buffer.from(value).toString('utf8') : `${value.length} bytes`
  if (typeof value === 'number' && !Number.isFinite(value)) return null
  return value
}
