// The block formats in which GGUF files keep weights, after ggml's definitions (ggml-common.h): numbers in blocks, each
// with a scale, some with an offset; the K types in blocks of 256 whose parts have scales of six bits of their own.
import { floatsOf, halfTable } from '../../learn/models/safetensors.ts'

export interface Block {
  readonly type: string
  /** In a block. */
  readonly numbers: number
  readonly bytes: number
}

interface Format extends Block {
  /** ggml's, of the type. */
  readonly number: number
  /** Blocks from `bytes` to float32, each operation rounded to float32, as the format's own readers do. */
  unpack(bytes: Uint8Array, to: Float32Array): void
}

const round = Math.fround
const HALVES = 32
const SUPER = 256

/** A float16 in the bytes. */
export function halfAt(bytes: Uint8Array, at: number): number {
  return halfTable()[bytes[at]! | (bytes[at + 1]! << 8)]!
}

/** Four bits a number: the low halves of sixteen bytes are the first sixteen numbers, the high halves the others. */
function unpackFour(bytes: Uint8Array, to: Float32Array, hasOffset: boolean): void {
  const head = hasOffset ? 4 : 2
  const width = head + 16
  for (let from = 0, out = 0; from < bytes.length; from += width, out += HALVES) {
    const scale = halfAt(bytes, from)
    const offset = hasOffset ? halfAt(bytes, from + 2) : 0
    for (let at = 0; at < 16; at += 1) {
      const both = bytes[from + head + at]!
      const [low, high] = [both & 15, both >>> 4]
      to[out + at] = hasOffset ? round(scale * low) + offset : scale * (low - 8)
      to[out + 16 + at] = hasOffset ? round(scale * high) + offset : scale * (high - 8)
    }
  }
}

/** As with four bits; the fifth of each number stands in a word of 32 bits before them. */
function unpackFive(bytes: Uint8Array, to: Float32Array, hasOffset: boolean): void {
  const head = hasOffset ? 4 : 2
  const width = head + 4 + 16
  for (let from = 0, out = 0; from < bytes.length; from += width, out += HALVES) {
    const scale = halfAt(bytes, from)
    const offset = hasOffset ? halfAt(bytes, from + 2) : 0
    const fifths = from + head
    for (let at = 0; at < HALVES; at += 1) {
      const both = bytes[fifths + 4 + (at & 15)]!
      const fifth = (bytes[fifths + (at >>> 3)]! >>> (at & 7)) & 1
      const value = (at < 16 ? both & 15 : both >>> 4) | (fifth << 4)
      to[out + at] = hasOffset ? round(scale * value) + offset : scale * (value - 16)
    }
  }
}

function unpackEight(bytes: Uint8Array, to: Float32Array): void {
  for (let from = 0, out = 0; from < bytes.length; from += 34, out += HALVES) {
    const scale = halfAt(bytes, from)
    for (let at = 0; at < HALVES; at += 1) to[out + at] = scale * ((bytes[from + 2 + at]! << 24) >> 24)
  }
}

/** The scale and the minimum of a part of 32, six bits each, of the twelve bytes at `from`. */
export function scaleOf(bytes: Uint8Array, from: number, part: number): number {
  return part < 4 ? bytes[from + part]! & 63 : (bytes[from + part + 4]! & 15) | ((bytes[from + part - 4]! >>> 6) << 4)
}

export function minimumOf(bytes: Uint8Array, from: number, part: number): number {
  return part < 4 ? bytes[from + part + 4]! & 63 : (bytes[from + part + 4]! >>> 4) | ((bytes[from + part]! >>> 6) << 4)
}

/** Q4_K and Q5_K: the integers of one of eight parts of 32; pairs of parts lie in the halves of the same bytes. */
export function partsOf(bytes: Uint8Array, from: number, part: number, hasFifth: boolean, to: Int32Array): void {
  const fifths = from + 16
  const start = (hasFifth ? fifths + 32 : fifths) + (part >>> 1) * 32
  for (let at = 0; at < 32; at += 1) {
    const four = part & 1 ? bytes[start + at]! >>> 4 : bytes[start + at]! & 15
    to[at] = hasFifth ? four | (((bytes[fifths + at]! >>> part) & 1) << 4) : four
  }
}

function unpackParts(bytes: Uint8Array, to: Float32Array, hasFifth: boolean): void {
  const width = hasFifth ? 176 : 144
  const integers = new Int32Array(32)
  for (let from = 0, out = 0; from < bytes.length; from += width, out += SUPER) {
    const [scale, minimum] = [halfAt(bytes, from), halfAt(bytes, from + 2)]
    for (let part = 0; part < 8; part += 1) {
      partsOf(bytes, from, part, hasFifth, integers)
      const d = round(scale * scaleOf(bytes, from + 4, part))
      const m = round(minimum * minimumOf(bytes, from + 4, part))
      for (let at = 0; at < 32; at += 1) to[out + part * 32 + at] = round(d * integers[at]!) - m
    }
  }
}

/** Q6_K: the integer of a number. Two halves of 128; four bits of a number in one place, two in another. */
export function sixAt(bytes: Uint8Array, from: number, at: number): number {
  const side = at >>> 7
  const quarter = (at >>> 5) & 3
  const column = at & 31
  const both = bytes[from + side * 64 + (quarter & 1) * 32 + column]!
  const four = quarter < 2 ? both & 15 : both >>> 4
  const two = (bytes[from + 128 + side * 32 + column]! >>> (2 * quarter)) & 3
  return (four | (two << 4)) - 32
}

/** A signed scale for each sixteen. */
function unpackSix(bytes: Uint8Array, to: Float32Array): void {
  for (let from = 0, out = 0; from < bytes.length; from += 210, out += SUPER) {
    const scale = halfAt(bytes, from + 208)
    for (let at = 0; at < SUPER; at += 1) {
      const own = (bytes[from + 192 + (at >>> 4)]! << 24) >> 24
      to[out + at] = round(scale * own) * sixAt(bytes, from, at)
    }
  }
}

/** Numbers that stand alone, as safetensors have them too. */
function unpackAlone(bytes: Uint8Array, to: Float32Array, type: string): void {
  to.set(floatsOf(bytes, type, 'a tensor'))
}

const FORMATS: readonly Format[] = [
  { number: 0, type: 'F32', numbers: 1, bytes: 4, unpack: (bytes, to) => unpackAlone(bytes, to, 'F32') },
  { number: 1, type: 'F16', numbers: 1, bytes: 2, unpack: (bytes, to) => unpackAlone(bytes, to, 'F16') },
  { number: 2, type: 'Q4_0', numbers: 32, bytes: 18, unpack: (bytes, to) => unpackFour(bytes, to, false) },
  { number: 3, type: 'Q4_1', numbers: 32, bytes: 20, unpack: (bytes, to) => unpackFour(bytes, to, true) },
  { number: 6, type: 'Q5_0', numbers: 32, bytes: 22, unpack: (bytes, to) => unpackFive(bytes, to, false) },
  { number: 7, type: 'Q5_1', numbers: 32, bytes: 24, unpack: (bytes, to) => unpackFive(bytes, to, true) },
  { number: 8, type: 'Q8_0', numbers: 32, bytes: 34, unpack: unpackEight },
  { number: 12, type: 'Q4_K', numbers: 256, bytes: 144, unpack: (bytes, to) => unpackParts(bytes, to, false) },
  { number: 13, type: 'Q5_K', numbers: 256, bytes: 176, unpack: (bytes, to) => unpackParts(bytes, to, true) },
  { number: 14, type: 'Q6_K', numbers: 256, bytes: 210, unpack: unpackSix },
  { number: 30, type: 'BF16', numbers: 1, bytes: 2, unpack: (bytes, to) => unpackAlone(bytes, to, 'BF16') },
]

/** Types that are known by name and not read. */
const OTHERS: Readonly<Record<number, string>> = {
  9: 'Q8_1',
  10: 'Q2_K',
  11: 'Q3_K',
  15: 'Q8_K',
  16: 'IQ2_XXS',
  17: 'IQ2_XS',
  18: 'IQ3_XXS',
  19: 'IQ1_S',
  20: 'IQ4_NL',
  21: 'IQ3_S',
  22: 'IQ2_S',
  23: 'IQ4_XS',
  24: 'I8',
  25: 'I16',
  26: 'I32',
  27: 'I64',
  28: 'F64',
  29: 'IQ1_M',
  34: 'TQ1_0',
  35: 'TQ2_0',
  39: 'MXFP4',
}

/** Null for a type that is not read. */
export function blockOf(type: number): Block | null {
  return FORMATS.find((one) => one.number === type) ?? null
}

export function typeName(type: number): string {
  return blockOf(type)?.type ?? OTHERS[type] ?? `type ${type}`
}

/** @throws RangeError for a type that is not read */
export function blockNamed(type: string): Format {
  const format = FORMATS.find((one) => one.type === type)
  if (format === undefined) throw new RangeError(`numbers of type ${type} are not read`)
  return format
}

/** As F32, F16 (to the nearest, ties to even), Q8_0 or Q4_0 (ggml's reference rounding). @throws RangeError for another type */
export function packBlocks(data: Float32Array, type: string): Uint8Array {
  if (type === 'F32') return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  if (type === 'F16') {
    const to = new Uint16Array(data.length)
    for (let at = 0; at < data.length; at += 1) to[at] = toHalf(data[at]!)
    return new Uint8Array(to.buffer)
  }
  if (type === 'Q4_0') return packFour(data)
  if (type !== 'Q8_0') throw new RangeError(`numbers of type ${type} are not written`)
  const to = new Uint8Array((data.length / HALVES) * 34)
  for (let from = 0, out = 0; from < data.length; from += HALVES, out += 34) {
    let most = 0
    for (let at = 0; at < HALVES; at += 1) most = Math.max(most, Math.abs(data[from + at]!))
    const scale = round(most / 127)
    const inverse = scale === 0 ? 0 : round(1 / scale)
    const bits = toHalf(scale)
    to[out] = bits & 255
    to[out + 1] = bits >>> 8
    for (let at = 0; at < HALVES; at += 1) {
      const value = round(data[from + at]! * inverse)
      to[out + 2 + at] = Math.sign(value) * Math.floor(Math.abs(value) + 0.5)
    }
  }
  return to
}

/** The number farthest from 0 becomes −8. */
function packFour(data: Float32Array): Uint8Array {
  const to = new Uint8Array((data.length / HALVES) * 18)
  for (let from = 0, out = 0; from < data.length; from += HALVES, out += 18) {
    let most = 0
    for (let at = 0; at < HALVES; at += 1) if (Math.abs(data[from + at]!) > Math.abs(most)) most = data[from + at]!
    const scale = round(most / -8)
    const inverse = scale === 0 ? 0 : round(1 / scale)
    const bits = toHalf(scale)
    to[out] = bits & 255
    to[out + 1] = bits >>> 8
    const four = (at: number): number => Math.min(15, Math.trunc(round(round(data[from + at]! * inverse) + 8.5)))
    for (let at = 0; at < 16; at += 1) to[out + 2 + at] = four(at) | (four(at + 16) << 4)
  }
  return to
}

const bits32 = new Uint32Array(1)
const float32 = new Float32Array(bits32.buffer)

/** binary32 → binary16, to the nearest, ties to even; past the largest, infinity. */
function toHalf(value: number): number {
  float32[0] = value
  const bits = bits32[0]!
  const sign = (bits >>> 16) & 0x8000
  const size = bits & 0x7fffffff
  if (size > 0x7f800000) return sign | 0x7e00
  if (size >= 0x477ff000) return sign | 0x7c00 // 65,520 and more round to infinity
  if (size < 0x38800000) return sign | roundEven(Math.abs(float32[0]) * 2 ** 24) // below 2^-14 the steps are even
  return sign | ((size - 0x38000000 + 0xfff + ((size >>> 13) & 1)) >>> 13)
}

function roundEven(value: number): number {
  const floor = Math.floor(value)
  const rest = value - floor
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor
}

/** @param bytes whole blocks @throws RangeError for a type that is not read, or bytes that end inside a block */
export function unpackBlocks(bytes: Uint8Array, type: string): Float32Array {
  const format = blockNamed(type)
  if (bytes.length % format.bytes !== 0) throw new RangeError(`the bytes end inside a block of ${type}`)
  const to = new Float32Array((bytes.length / format.bytes) * format.numbers)
  format.unpack(bytes, to)
  return to
}
