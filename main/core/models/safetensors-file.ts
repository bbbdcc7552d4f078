import { closeSync, readSync } from 'node:fs'
import path from 'node:path'
import { AppError } from '../../../shared/errors.ts'
import { openRegularFileSync } from '../../base/files/regular-file.ts'
import type { WeightsReader } from './weights-reader.ts'
import { packedBytes } from '../learn/models/packed.ts'
import { floatsOf, readSafeTensorsHeader, sizeOf, type TensorEntry } from '../learn/models/safetensors.ts'

/** A header has about 100 bytes a tensor; the largest published models keep some ten thousand in a file. */
const HEADER_LIMIT_BYTES = 32_000_000

/** @throws AppError `model-unsupported` for a file that is cut short or is none, naming it */
export function openSafeTensors(file: string): WeightsReader {
  const name = path.basename(file)
  const damaged = (what: string, cause?: unknown): AppError =>
    new AppError({
      code: 'model-unsupported',
      message: `${name}: ${what}.`,
      hint: 'The file is damaged or was not copied whole; fetch it again.',
      cause,
    })
  const { descriptor, sizeBytes: size } = openRegularFileSync(file)
  try {
    const length = Buffer.alloc(8)
    if (readSync(descriptor, length, 0, 8, 0) !== 8) throw damaged('too short to be a safetensors file')
    const headerBytes = Number(length.readBigUInt64LE())
    if (headerBytes > HEADER_LIMIT_BYTES || 8 + headerBytes > size)
      throw damaged(`its header claims ${headerBytes} bytes`) // before memory is taken for them
    const header = Buffer.alloc(8 + headerBytes)
    readFully(descriptor, header, 0)
    const { entries, dataStart } = readHeader(header, damaged)
    checkRanges(entries, size - dataStart, damaged)
    const entryOf = (tensor: string): TensorEntry => {
      const entry = entries[tensor]
      if (entry === undefined) throw damaged(`it holds no tensor ${tensor}`)
      return entry
    }
    const fill = (bytes: Uint8Array, { begin }: TensorEntry, tensor: string): void => {
      if (!readFully(descriptor, bytes, dataStart + begin)) throw damaged(`it ends inside ${tensor}`)
    }
    return {
      file,
      entries,
      read(tensor) {
        const entry = entryOf(tensor)
        const bytes = Buffer.allocUnsafeSlow(entry.end - entry.begin) // filled, or nothing is given
        fill(bytes, entry, tensor)
        return withNamedDamage(() => floatsOf(bytes, entry.dtype, tensor), damaged)
      },
      readPacked(tensor) {
        const entry = entryOf(tensor)
        const [rows, columns, ...more] = entry.shape
        if (entry.dtype !== 'BF16' || rows === undefined || columns === undefined || more.length > 0) return null
        const words = new Int32Array(packedBytes('bfloat16', rows * columns) / 4)
        fill(new Uint8Array(words.buffer, 0, entry.end - entry.begin), entry, tensor)
        return { form: 'bfloat16', words, shape: [rows, columns] }
      },
      close: () => closeSync(descriptor),
    }
  } catch (error) {
    closeSync(descriptor)
    throw error
  }
}

type Damage = (what: string, cause?: unknown) => AppError

function readHeader(header: Buffer, damaged: Damage): ReturnType<typeof readSafeTensorsHeader> {
  return withNamedDamage(() => readSafeTensorsHeader(header), damaged)
}

function withNamedDamage<T>(work: () => T, damaged: Damage): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof RangeError) throw damaged(error.message, error)
    throw error
  }
}

/** Tensors may not overlap or lie past the end, and each must have as many bytes as its shape says. */
function checkRanges(entries: Readonly<Record<string, TensorEntry>>, dataBytes: number, damaged: Damage): void {
  const widths: Readonly<Record<string, number>> = {
    F64: 8,
    I64: 8,
    U64: 8,
    F32: 4,
    I32: 4,
    U32: 4,
    F16: 2,
    BF16: 2,
    I16: 2,
    U16: 2,
    I8: 1,
    U8: 1,
    BOOL: 1,
  }
  let last = { name: '', end: 0 }
  for (const [name, { dtype, shape, begin, end }] of Object.entries(entries).toSorted(
    ([, a], [, b]) => a.begin - b.begin,
  )) {
    if (end > dataBytes) throw damaged(`it ends inside ${name}`)
    if (begin < last.end) throw damaged(`${name} overlaps ${last.name}`)
    const width = widths[dtype]
    if (width !== undefined && sizeOf(shape) * width !== end - begin)
      throw damaged(`${name} has ${end - begin} bytes for shape [${shape.join(', ')}] of ${dtype}`)
    last = { name, end }
  }
}

function readFully(descriptor: number, buffer: Uint8Array, position: number): boolean {
  let done = 0
  while (done < buffer.length) {
    const count = readSync(descriptor, buffer, done, Math.min(buffer.length - done, 2 ** 30), position + done)
    if (count === 0) return false
    done += count
  }
  return true
}
