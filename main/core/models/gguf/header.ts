// The beginning of a GGUF file, versions 2 and 3: what the model is, its vocabulary, and where its tensors lie. After
// the file format's description in the ggml repository (docs/gguf.md); little-endian, as every published file is.
import { closeSync, readSync } from 'node:fs'
import path from 'node:path'
import { AppError } from '../../../../shared/errors.ts'
import { openRegularFileSync } from '../../../base/files/regular-file.ts'
import { blockOf, typeName } from './blocks.ts'

export type GgufValue = string | number | boolean | readonly GgufValue[]

export interface GgufTensor {
  /** As in the file: `blk.0.attn_q.weight`. */
  readonly name: string
  /** Outermost first, as the other libraries write it; the file has it the other way round. */
  readonly shape: readonly number[]
  /** e.g. Q4_K */
  readonly type: string
  /** Bytes from the start of the file. */
  readonly begin: number
  readonly end: number
}

export interface GgufHeader {
  readonly file: string
  readonly metadata: ReadonlyMap<string, GgufValue>
  readonly tensors: readonly GgufTensor[]
}

/** Vocabularies are the largest part: 256,000 tokens with their merges have some 20 MB. */
const HEADER_LIMIT_BYTES = 256_000_000
const PIECE_BYTES = 4 * 2 ** 20
const MOST_TENSORS = 100_000
const MOST_KEYS = 100_000
const MOST_DIMENSIONS = 4
const MOST_NESTED = 4
const DEFAULT_ALIGNMENT = 32

/** Value types by their numbers. 64-bit numbers past 2⁵³ lose their last digits; none that is read is that large. */
const NUMBERS: Readonly<Record<number, { readonly width: number; read(bytes: Buffer): number | boolean }>> = {
  0: { width: 1, read: (bytes) => bytes.readUInt8() },
  1: { width: 1, read: (bytes) => bytes.readInt8() },
  2: { width: 2, read: (bytes) => bytes.readUInt16LE() },
  3: { width: 2, read: (bytes) => bytes.readInt16LE() },
  4: { width: 4, read: (bytes) => bytes.readUInt32LE() },
  5: { width: 4, read: (bytes) => bytes.readInt32LE() },
  6: { width: 4, read: (bytes) => bytes.readFloatLE() },
  7: { width: 1, read: (bytes) => bytes.readUInt8() !== 0 },
  10: { width: 8, read: (bytes) => Number(bytes.readBigUInt64LE()) },
  11: { width: 8, read: (bytes) => Number(bytes.readBigInt64LE()) },
  12: { width: 8, read: (bytes) => bytes.readDoubleLE() },
}
const STRING = 8
const ARRAY = 9

/** @throws AppError `model-unsupported` naming the file and the byte; `file-not-found` */
export function readGgufHeader(file: string): GgufHeader {
  const { descriptor, sizeBytes } = openRegularFileSync(file)
  try {
    return parse(new Cursor(descriptor, sizeBytes, file))
  } finally {
    closeSync(descriptor)
  }
}

function parse(cursor: Cursor): GgufHeader {
  const { file } = cursor
  if (cursor.bytes(4).toString('latin1') !== 'GGUF') throw cursor.damaged('it does not begin as a GGUF file does')
  const version = cursor.uint32()
  if (version !== 2 && version !== 3)
    throw new AppError({
      code: 'model-unsupported',
      message: `${path.basename(file)} is written in version ${version > 0xffff ? 'of a big-endian machine' : version} of GGUF; versions 2 and 3 are read.`,
      hint: 'Fetch a newer conversion of the model.',
    })
  const tensorCount = cursor.count('tensors', MOST_TENSORS)
  const keyCount = cursor.count('keys', MOST_KEYS)
  const metadata = new Map<string, GgufValue>()
  for (let at = 0; at < keyCount; at += 1) {
    const key = cursor.string()
    metadata.set(key, cursor.value(cursor.uint32(), 0))
  }
  const found = Array.from({ length: tensorCount }, () => readTensor(cursor))
  const asked = metadata.get('general.alignment')
  const alignment = typeof asked === 'number' && asked > 0 ? asked : DEFAULT_ALIGNMENT
  const dataStart = Math.ceil(cursor.position / alignment) * alignment
  return { file, metadata, tensors: place(found, dataStart, cursor) }
}

type Unplaced = Omit<GgufTensor, 'begin' | 'end'> & { readonly offset: number; readonly sizeBytes: number }

function readTensor(cursor: Cursor): Unplaced {
  const name = cursor.string()
  const dimensions = cursor.uint32()
  if (dimensions < 1 || dimensions > MOST_DIMENSIONS) throw cursor.damaged(`${name} has ${dimensions} dimensions`)
  const shape = Array.from({ length: dimensions }, () => cursor.count(`numbers in ${name}`, 2 ** 40)).reverse()
  const type = cursor.uint32()
  const block = blockOf(type)
  if (block === null)
    throw new AppError({
      code: 'model-unsupported',
      message: `${path.basename(cursor.file)}: the tensor ${name} is stored as ${typeName(type)}, which is not read.`,
      hint: 'Take a version in F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K or Q6_K (Q4_K_M and Q5_K_M are made of these).',
    })
  const count = shape.reduce((product, size) => product * size, 1)
  if (shape.at(-1)! % block.numbers !== 0)
    throw cursor.damaged(`rows of ${name} are no whole blocks of ${block.numbers}`)
  const sizeBytes = (count / block.numbers) * block.bytes
  return { name, shape, type: block.type, offset: cursor.count('bytes', 2 ** 50), sizeBytes }
}

/** Tensors may not overlap or lie past the end. */
function place(found: readonly Unplaced[], dataStart: number, cursor: Cursor): GgufTensor[] {
  const tensors = found.map(({ offset, sizeBytes, ...tensor }): GgufTensor => {
    const begin = dataStart + offset
    if (begin + sizeBytes > cursor.sizeBytes) throw cursor.damaged(`it ends inside ${tensor.name}`)
    return { ...tensor, begin, end: begin + sizeBytes }
  })
  const order = tensors.toSorted((a, b) => a.begin - b.begin)
  for (const [at, tensor] of order.entries()) {
    const before = order[at - 1]
    if (before !== undefined && tensor.begin < before.end)
      throw cursor.damaged(`${tensor.name} overlaps ${before.name}`)
  }
  if (new Set(tensors.map((tensor) => tensor.name)).size !== tensors.length)
    throw cursor.damaged('two tensors have one name')
  return tensors
}

/** Reads on from where it stands, a few megabytes at a time: the weights that follow are many times the header. */
class Cursor {
  position = 0
  private buffer = Buffer.alloc(0)
  private bufferStart = 0
  private readonly descriptor: number
  readonly sizeBytes: number
  readonly file: string

  constructor(descriptor: number, sizeBytes: number, file: string) {
    this.descriptor = descriptor
    this.sizeBytes = sizeBytes
    this.file = file
  }

  damaged(what: string): AppError {
    return new AppError({
      code: 'model-unsupported',
      message: `${path.basename(this.file)}, byte ${this.position}: ${what}.`,
      hint: 'The file is damaged or was not copied whole; fetch it again.',
    })
  }

  bytes(length: number): Buffer {
    const end = this.position + length
    if (end > this.sizeBytes) throw this.damaged('it ends inside its header')
    if (end > HEADER_LIMIT_BYTES) throw this.damaged(`its header has more than ${HEADER_LIMIT_BYTES} bytes`)
    if (end > this.bufferStart + this.buffer.length) this.fill(length)
    const from = this.position - this.bufferStart
    this.position = end
    return this.buffer.subarray(from, from + length)
  }

  private fill(length: number): void {
    const wanted = Math.min(Math.max(length, PIECE_BYTES), this.sizeBytes - this.position)
    const next = Buffer.alloc(wanted)
    let done = 0
    while (done < wanted) {
      const count = readSync(this.descriptor, next, done, wanted - done, this.position + done)
      if (count === 0) throw this.damaged('it was cut while it was read')
      done += count
    }
    this.buffer = next
    this.bufferStart = this.position
  }

  uint32(): number {
    return this.bytes(4).readUInt32LE(0)
  }

  count(what: string, most: number): number {
    const value = this.bytes(8).readBigUInt64LE(0)
    if (value > BigInt(most)) throw this.damaged(`it claims ${value} ${what}`)
    return Number(value)
  }

  string(): string {
    return this.bytes(this.count('bytes of text', HEADER_LIMIT_BYTES)).toString('utf8')
  }

  value(type: number, depth: number): GgufValue {
    if (type === STRING) return this.string()
    if (type === ARRAY) {
      if (depth >= MOST_NESTED) throw this.damaged('lists stand inside each other too deep')
      const of = this.uint32()
      const length = this.count('values in a list', HEADER_LIMIT_BYTES)
      const list: GgufValue[] = []
      for (let at = 0; at < length; at += 1) list.push(this.value(of, depth + 1)) // no memory before the bytes are there
      return list
    }
    const number = NUMBERS[type]
    if (number === undefined) throw this.damaged(`a value has the unknown type ${type}`)
    return number.read(this.bytes(number.width))
  }
}
