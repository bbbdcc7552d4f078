// A zip of NumPy arrays, read with yauzl and written by hand: one entry an array, deflated.
import { createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import { crc32, deflateRawSync } from 'node:zlib'
import { openPromise, type Entry, type ZipFile } from 'yauzl'
import { AppError } from '../../../shared/errors.ts'
import { openRegularFile } from '../../base/files/regular-file.ts'
import { decodeNpy, encodeNpy, type NpyArray } from '../../base/files/npy.ts'

/** Most that is unpacked into memory. */
const MOST_BYTES = 2 ** 31
const ZIP_MAGIC = Buffer.from('PK\x03\x04', 'latin1')
/** Names that are told; no set of arrays has as many. */
const MOST_NAMES = 1000
/** The two ways in which NumPy packs an array. */
const STORED = 0
const DEFLATED = 8

/**
 * Every array of the file, by its name without `.npy`.
 * @throws AppError `dataset-invalid` naming the entry and the byte where it fails, `file-not-found`
 */
export async function readNpz(file: string): Promise<Record<string, NpyArray>> {
  const zip = await openZip(file)
  // A damaged list of entries can be told of twice; a second telling has nobody left who waits for it.
  zip.on('error', () => undefined)
  const arrays = new Map<string, NpyArray>()
  let total = 0
  let last: string | null = null
  try {
    for await (const entry of zip.eachEntry()) {
      last = entry.fileName
      if (!entry.fileName.endsWith('.npy')) continue
      total += entry.uncompressedSize
      if (total > MOST_BYTES)
        throw new AppError({
          code: 'dataset-invalid',
          message: `${file} unpacks to more than 2 GiB with ${entry.fileName} (byte ${entry.relativeOffsetOfLocalHeader} of the file).`,
          hint: 'Write fewer segments into one file.',
          details: { entry: entry.fileName, offset: entry.relativeOffsetOfLocalHeader },
        })
      const name = entry.fileName.slice(0, -4)
      if (arrays.has(name))
        throw damaged(file, entry.relativeOffsetOfLocalHeader, `it has two arrays called "${name}"`, {
          entry: entry.fileName,
        })
      arrays.set(name, decodeNpy(await readEntry(zip, entry, file), name))
    }
  } catch (error) {
    if (error instanceof AppError) throw error
    // The list of entries, at the end of the file: how far it could be read.
    throw damaged(
      file,
      Number(zip.readEntryCursor),
      `its list of entries is broken${last === null ? '' : ` after ${last}`}: ${reasonOf(error)}`,
      { cause: error },
    )
  } finally {
    zip.close()
  }
  return Object.fromEntries(arrays)
}

/** True for a zip by its first bytes, or what is called one of arrays: reading it then says what is wrong. @throws AppError when the file cannot be read */
export async function holdsArrays(file: string): Promise<boolean> {
  if (/\.npz$/i.test(file)) return true
  const { handle } = await openRegularFile(file)
  try {
    const start = Buffer.alloc(ZIP_MAGIC.length)
    await handle.read(start, 0, start.length, 0)
    return start.equals(ZIP_MAGIC)
  } finally {
    await handle.close()
  }
}

/** The names of the arrays, without `.npy`, read off the list of entries alone. @throws AppError as `readNpz` */
export async function listNpz(file: string): Promise<string[]> {
  const zip = await openZip(file)
  zip.on('error', () => undefined)
  const names: string[] = []
  try {
    for await (const { fileName } of zip.eachEntry())
      if (fileName.endsWith('.npy') && names.length < MOST_NAMES) names.push(fileName.slice(0, -4))
  } catch (error) {
    throw damaged(file, Number(zip.readEntryCursor), `its list of entries is broken: ${reasonOf(error)}`, {
      cause: error,
    })
  } finally {
    zip.close()
  }
  return names
}

async function openZip(file: string): Promise<ZipFile> {
  const { handle, sizeBytes } = await openRegularFile(file)
  await handle.close() // it is one, and can be read; yauzl opens it by itself
  try {
    return await openPromise(file)
  } catch (error) {
    throw damaged(file, sizeBytes, `it does not end as a zip does: ${reasonOf(error)}`, { cause: error })
  }
}

/** The bytes of an array. Both its length and its checksum are held against what the zip says. */
async function readEntry(zip: ZipFile, entry: Entry, file: string): Promise<Uint8Array> {
  const at = entry.relativeOffsetOfLocalHeader
  const name = entry.fileName
  if (entry.isEncrypted()) throw damaged(file, at, `${name} is encrypted`, { entry: name })
  if (entry.compressionMethod !== STORED && entry.compressionMethod !== DEFLATED)
    throw damaged(file, at, `${name} is packed by method ${entry.compressionMethod}, which NumPy does not use`, {
      entry: name,
    })
  const chunks: Uint8Array[] = []
  let unpacked = 0
  try {
    for await (const chunk of await zip.openReadStreamPromise(entry)) {
      const bytes = chunk as Uint8Array // no encoding was set
      unpacked += bytes.length
      chunks.push(bytes)
    }
  } catch (error) {
    throw damaged(
      file,
      at,
      `${name} cannot be unpacked past byte ${unpacked} of ${entry.uncompressedSize}: ${reasonOf(error)}`,
      { entry: name, cause: error },
    )
  }
  const whole = Buffer.concat(chunks)
  if (whole.length !== entry.uncompressedSize)
    throw damaged(file, at, `${name} has ${whole.length} bytes where the zip says ${entry.uncompressedSize}`, {
      entry: name,
    })
  if (crc32(whole) !== entry.crc32)
    throw damaged(file, at, `${name} is not what was written: its checksum differs`, { entry: name })
  return whole
}

function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 200)
}

/** @param offset of the file, from 0 */
function damaged(
  file: string,
  offset: number,
  what: string,
  { entry, cause }: { readonly entry?: string; readonly cause?: unknown } = {},
): AppError {
  return new AppError({
    code: 'dataset-invalid',
    message: `${file} cannot be read as a zip of NumPy arrays: ${what} (byte ${offset} of the file).`,
    hint: 'Copy or download it again, or write it again with numpy.savez or numpy.savez_compressed.',
    details: { ...(entry === undefined ? {} : { entry }), offset },
    ...(cause === undefined ? {} : { cause }),
  })
}

export interface ArrayToWrite {
  readonly shape: readonly number[]
  readonly data: Float32Array
}

/** As numpy.savez_compressed writes it; numpy.load reads it. @throws AppError `disk-full` through the stream's own error */
export async function writeNpz(file: string, arrays: Readonly<Record<string, ArrayToWrite>>): Promise<void> {
  const output = createWriteStream(file)
  const directory: Buffer[] = []
  let offset = 0
  for (const [name, { shape, data }] of Object.entries(arrays)) {
    const raw = encodeNpy(shape, data)
    const packed = deflateRawSync(raw)
    const fields = { name: Buffer.from(`${name}.npy`), crc: crc32(raw), packed: packed.length, raw: raw.length, offset }
    const head = localHeader(fields)
    output.write(head)
    output.write(packed)
    directory.push(centralHeader(fields))
    offset += head.length + packed.length
  }
  const central = Buffer.concat(directory)
  output.write(central)
  output.end(endRecord(directory.length, central.length, offset))
  await finished(output)
}

interface EntryFields {
  readonly name: Buffer
  readonly crc: number
  readonly packed: number
  readonly raw: number
  readonly offset: number
}

/** Version needed 2.0, deflated, first of January 1980: the same arrays give the same bytes. */
function common({ name, crc, packed, raw }: EntryFields): Buffer {
  const bytes = Buffer.alloc(26)
  bytes.writeUInt16LE(20, 0)
  bytes.writeUInt16LE(8, 4)
  bytes.writeUInt16LE(0x21, 8)
  bytes.writeUInt32LE(crc, 10)
  bytes.writeUInt32LE(packed, 14)
  bytes.writeUInt32LE(raw, 18)
  bytes.writeUInt16LE(name.length, 22)
  return bytes
}

function localHeader(fields: EntryFields): Buffer {
  return Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common(fields), fields.name])
}

function centralHeader(fields: EntryFields): Buffer {
  const made = Buffer.alloc(2)
  made.writeUInt16LE(20, 0)
  const rest = Buffer.alloc(14)
  rest.writeUInt32LE(fields.offset, 10)
  return Buffer.concat([Buffer.from('PK\x01\x02', 'latin1'), made, common(fields), rest, fields.name])
}

function endRecord(entries: number, sizeBytes: number, offset: number): Buffer {
  const bytes = Buffer.alloc(22)
  bytes.write('PK\x05\x06', 'latin1')
  bytes.writeUInt16LE(entries, 8)
  bytes.writeUInt16LE(entries, 10)
  bytes.writeUInt32LE(sizeBytes, 12)
  bytes.writeUInt32LE(offset, 16)
  return bytes
}
