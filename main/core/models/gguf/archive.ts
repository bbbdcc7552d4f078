// A model inside a zip archive; a Python wheel is one with a telling name. Models are published so where nothing else
// gets through.
import { createWriteStream, mkdirSync } from 'node:fs'
import path from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { crc32 } from 'node:zlib'
import { openPromise, type Entry, type ZipFile } from 'yauzl'
import { AppError } from '../../../../shared/errors.ts'
import { syncFolder } from '../../../base/files/durable.ts'
import { openRegularFile } from '../../../base/files/regular-file.ts'
import { isGguf } from './place.ts'

const MOST_ENTRIES = 200_000

export function isArchive(file: string): boolean {
  return /\.(zip|whl)$/i.test(file)
}

/** The one GGUF file inside. @throws AppError `model-unsupported` where there is none, or several; `file-not-found` */
export function lookInside(archive: string): Promise<{ readonly name: string; readonly sizeBytes: number }> {
  return withArchive(archive, async (zip) => {
    const entry = await onlyModel(zip, archive)
    return { name: path.posix.basename(entry.fileName), sizeBytes: entry.uncompressedSize }
  })
}

interface Unpacking {
  /** Bytes that were written since the last word, and of how many. */
  onBytes(bytes: number, totalBytes: number): void
  readonly signal: AbortSignal
}

/**
 * Writes the one GGUF file inside into the folder, whole and on the disk when it returns.
 * @throws AppError as `lookInside`; the signal's reason
 */
export function unpackModel(archive: string, folder: string, { onBytes, signal }: Unpacking): Promise<void> {
  return withArchive(archive, async (zip) => {
    const entry = await onlyModel(zip, archive)
    mkdirSync(folder, { recursive: true })
    let sum = 0
    const count = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        sum = crc32(chunk, sum)
        onBytes(chunk.length, entry.uncompressedSize)
        done(null, chunk)
      },
    })
    const to = path.join(folder, path.posix.basename(entry.fileName))
    await pipeline(await zip.openReadStreamPromise(entry), count, createWriteStream(to, { flush: true }), { signal })
    if (sum !== entry.crc32) throw damaged(archive, `${entry.fileName} is not what its checksum says`)
    syncFolder(folder)
  })
}

async function onlyModel(zip: ZipFile, archive: string): Promise<Entry> {
  if (zip.entryCount > MOST_ENTRIES) throw damaged(archive, `it says that it holds ${zip.entryCount} files`)
  const found: Entry[] = []
  for await (const entry of zip.eachEntry()) if (isGguf(entry.fileName)) found.push(entry)
  const [first] = found
  if (first !== undefined && found.length === 1) {
    if (first.isEncrypted()) throw damaged(archive, `${first.fileName} is encrypted`)
    return first
  }
  throw new AppError({
    code: 'model-unsupported',
    message:
      found.length === 0
        ? `${path.basename(archive)} holds no GGUF file.`
        : `${path.basename(archive)} holds ${found.length} GGUF files.`,
    hint: 'Unpack it, and give the model’s folder or the one file.',
  })
}

async function withArchive<T>(archive: string, work: (zip: ZipFile) => Promise<T>): Promise<T> {
  await (await openRegularFile(archive)).handle.close()
  let zip: ZipFile | null = null
  try {
    zip = await openPromise(archive, { autoClose: false, lazyEntries: true })
    zip.on('error', () => undefined) // told of twice, it has nobody left who waits for it
    return await work(zip)
  } catch (error) {
    if (error instanceof AppError || (error instanceof Error && (error.name === 'AbortError' || isSystem(error))))
      throw error
    throw damaged(archive, `it cannot be unpacked: ${error instanceof Error ? error.message : String(error)}`, error)
  } finally {
    zip?.close()
  }
}

/** A full disk, a folder that may not be written: the addition finds words for them. */
function isSystem(error: Error): boolean {
  return 'syscall' in error
}

function damaged(archive: string, what: string, cause?: unknown): AppError {
  return new AppError({
    code: 'model-unsupported',
    message: `${path.basename(archive)}: ${what}.`,
    hint: 'The file is damaged or was not fetched whole; fetch it again.',
    cause,
  })
}
