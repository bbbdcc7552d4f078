// The text of a file of data: as it stands, decompressed, or, of a Parquet file, its rows as JSON lines.
import { openBytes, readHead, type ByteSource } from '../../base/files/bytes.ts'
import { openRegularFile } from '../../base/files/regular-file.ts'
import { isParquet, parquetLines } from './parquet.ts'

/** Opens a file for streaming. @throws AppError file-not-found, format-unknown */
export async function openText(path: string, chunkBytes?: number): Promise<ByteSource> {
  const { handle, sizeBytes } = await openRegularFile(path)
  const parquet = await isParquet(handle).finally(() => handle.close())
  if (!parquet) return openBytes(path, chunkBytes)
  let taken = 0
  return {
    totalBytes: sizeBytes,
    bytesRead: () => taken,
    chunks: () => parquetLines(path, (bytes) => (taken = bytes)),
  }
}

/** The first bytes of that text. @throws AppError file-not-found, format-unknown */
export async function readTextHead(path: string, limitBytes: number): Promise<Buffer> {
  const { handle } = await openRegularFile(path)
  const parquet = await isParquet(handle).finally(() => handle.close())
  if (!parquet) return readHead(path, limitBytes)
  const pieces: Buffer[] = []
  let length = 0
  for await (const piece of parquetLines(path, () => undefined)) {
    pieces.push(piece)
    length += piece.length
    if (length >= limitBytes) break
  }
  return Buffer.concat(pieces).subarray(0, limitBytes)
}
