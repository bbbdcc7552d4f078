// The text of a file of data: as it stands, decompressed, or, of a Parquet file, its rows as JSON lines.
import { openBytes, readHead, type ByteSource } from '../../base/files/bytes.ts'
import { isParquet, parquetLines } from './parquet.ts'

/** Opens a file for streaming. @throws AppError file-not-found, format-unknown */
export async function openText(path: string, chunkBytes?: number): Promise<ByteSource> {
  const plain = await openBytes(path, chunkBytes)
  if (!(await isParquet(path))) return plain
  let taken = 0
  return { ...plain, bytesRead: () => taken, chunks: () => parquetLines(path, (bytes) => (taken = bytes)) }
}

/** The first bytes of that text. @throws AppError file-not-found, format-unknown */
export async function readTextHead(path: string, limitBytes: number): Promise<Buffer> {
  if (!(await isParquet(path))) return readHead(path, limitBytes)
  const pieces: Buffer[] = []
  let length = 0
  for await (const piece of parquetLines(path)) {
    pieces.push(piece)
    length += piece.length
    if (length >= limitBytes) break
  }
  return Buffer.concat(pieces).subarray(0, limitBytes)
}
