// A Parquet file as JSON lines, a row a line, so that whatever reads those reads it: rows keep their numbers.
import { isUtf8 } from 'node:buffer'
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import {
  asyncBufferFromFile,
  parquetMetadataAsync,
  parquetSchema,
  type AsyncBuffer,
  type Compressors,
  type FileMetaData,
  type RowGroup,
} from 'hyparquet'
import { parquetReadAsync } from 'hyparquet/src/read.js'
import { assembleAsync, asyncGroupToRows } from 'hyparquet/src/rowgroup.js'
import { AppError } from '../../../shared/errors.ts'
import { openRegularFile } from '../../base/files/regular-file.ts'

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

/** By its first bytes. @throws AppError file-not-found */
export async function isParquet(path: string): Promise<boolean> {
  const { handle } = await openRegularFile(path)
  try {
    const start = Buffer.alloc(MAGIC.length)
    await handle.read(start, 0, start.length, 0) // of a shorter file the rest is zeros
    return start.toString('latin1') === MAGIC
  } finally {
    await handle.close()
  }
}

/**
 * A part of a group of rows is in memory at a time.
 * @param onRead told how far it is, in bytes of the file
 * @throws AppError `dataset-invalid`: damaged, or written in a way that is not read here; with the row where that began
 */
export async function* parquetLines(
  path: string,
  onRead: (totalBytes: number) => void = () => undefined,
): AsyncGenerator<Buffer> {
  const file = await asyncBufferFromFile(path)
  const metadata = await reading(path, 1, () => parquetMetadataAsync(file))
  let row = 0
  for (const group of metadata.row_groups) {
    const count = Number(group.num_rows)
    for (let from = 0; from < count;) {
      // Who wants to know what it is takes the beginning alone, and unpacks no more than that.
      const to = Math.min(count, from + (row + from === 0 ? FIRST_ROWS : ROWS_AT_ONCE))
      const rows = await reading(path, row + from + 1, () => readRows(file, metadata, group, from, to))
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

/**
 * Rows of a group, column after column: read side by side, as the library's own readers do it, a second damaged column would end the
 * process, since nobody waits for it any more. They fill what a file does not have with nothing, without an end.
 * @throws RangeError where the group has fewer rows than it says
 */
async function readRows(
  file: AsyncBuffer,
  metadata: FileMetaData,
  group: RowGroup,
  from: number,
  to: number,
): Promise<Record<string, unknown>[]> {
  const columns = []
  for (const column of group.columns) {
    const alone = { ...metadata, row_groups: [{ ...group, columns: [column] }] }
    const [read] = parquetReadAsync({
      file,
      metadata: alone,
      rowStart: from,
      rowEnd: to,
      compressors: COMPRESSORS,
      utf8: false,
    })
    for (const { pathInSchema, data } of read?.asyncColumns ?? [])
      columns.push({ pathInSchema, data: Promise.resolve(await data) })
  }
  const whole = assembleAsync(
    { groupStart: 0, groupRows: to, selectStart: from, selectEnd: to, asyncColumns: columns },
    parquetSchema(metadata),
  )
  for (const { data } of whole.asyncColumns) {
    const { data: pieces, skipped } = await data
    const last = skipped + pieces.reduce((sum, piece) => sum + piece.length, 0)
    if (last < to) throw new RangeError(`it has ${Math.max(from, last) - from} of the ${to - from} rows that it says`)
  }
  return asyncGroupToRows(whole, from, to, undefined, 'object')
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
        : 'It may be damaged or cut off: download it again.',
      cause: error,
    })
  }
}

/**
 * Integers that a double cannot hold stay as their digits. Bytes that are not said to be text are text all the same where they can
 * be, as older programs write them; others, such as of pictures, say how many they are.
 */
function asJson(_key: string, value: unknown): unknown {
  if (value === undefined) return null // a list or an object that is null
  if (typeof value === 'bigint') return String(Number(value)) === String(value) ? Number(value) : String(value)
  if (value instanceof Uint8Array)
    return isUtf8(value) && !value.includes(0) ? Buffer.from(value).toString('utf8') : `${value.length} bytes`
  if (typeof value === 'number' && !Number.isFinite(value)) return null
  return value
}
