// A zip of NumPy arrays, read with yauzl and written by hand: one entry an array, deflated.
import { createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import { crc32, deflateRawSync } from 'node:zlib'
import { openPromise, type Entry, type ZipFile } from 'yauzl'
import { AppError } from '../../../shared/errors.ts'
import { decodeNpy, encodeNpy, type NpyArray } from './npy.ts'

/** Most that is unpacked into memory. */
const MOST_BYTES = 2 ** 31

/** Every array of the file, by its name without `.npy`. @throws AppError `dataset-invalid`, `file-not-found` */
export async function readNpz(file: string): Promise<Record<string, NpyArray>> {
  const zip = await openZip(file)
  const arrays: Record<string, NpyArray> = {}
  let total = 0
  try {
    for await (const entry of zip.eachEntry()) {
      if (!entry.fileName.endsWith('.npy')) continue
      total += entry.uncompressedSize
      if (total > MOST_BYTES) throw new AppError({ code: 'dataset-invalid', message: `${file} unpacks to more than 2 GiB.`, hint: 'Write fewer segments into one file.' })
      const name = entry.fileName.slice(0, -4)
      arrays[name] = decodeNpy(await readEntry(zip, entry), name)
    }
  } finally {
    zip.close()
  }
  return arrays
}

async function openZip(file: string): Promise<ZipFile> {
  try {
    return await openPromise(file)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') throw new AppError({ code: 'file-not-found', message: `There is no file ${file}.`, hint: 'Check the path.', cause: error })
    throw new AppError({ code: 'dataset-invalid', message: `${file} is not a zip of NumPy arrays: ${error instanceof Error ? error.message : String(error)}.`, hint: 'Give a file written by numpy.savez or numpy.savez_compressed.', cause: error })
  }
}

async function readEntry(zip: ZipFile, entry: Entry): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of await zip.openReadStreamPromise(entry)) chunks.push(chunk as Uint8Array)
  return Buffer.concat(chunks)
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
