// Blocks of a GGUF file as groups that share a scale and an offset (learn/models/packed.ts): the same float32 when they are
// widened, in memory about as much as in the file.
import { groupWriter, type PackedForm } from '../../learn/models/packed.ts'
import { halfAt, minimumOf, partsOf, scaleOf, sixAt } from './blocks.ts'

const round = Math.fround

interface Packing {
  readonly form: Exclude<PackedForm, 'bfloat16'>
  /** Bytes of a block, and its numbers. */
  readonly bytes: number
  readonly numbers: number
  /** The group `at` of the block at `from`: its integers into `to`. → scale and offset */
  group(data: Uint8Array, from: number, at: number, to: Int32Array): readonly [scale: number, offset: number]
}

/** Four bits, or five where `fifths` is the place of the words of fifth bits. */
function simple(head: number, fifth: boolean, middle: number | null): Packing['group'] {
  return (data, from, _at, to) => {
    const scale = halfAt(data, from)
    const bits = from + head
    const fours = fifth ? bits + 4 : bits
    for (let at = 0; at < 32; at += 1) {
      const both = data[fours + (at & 15)]!
      const four = at < 16 ? both & 15 : both >>> 4
      to[at] = fifth ? four | (((data[bits + (at >>> 3)]! >>> (at & 7)) & 1) << 4) : four
    }
    return [scale, middle === null ? halfAt(data, from + 2) : -middle * scale]
  }
}

function parts(fifth: boolean): Packing['group'] {
  return (data, from, part, to) => {
    partsOf(data, from, part, fifth, to)
    const scale = round(halfAt(data, from) * scaleOf(data, from + 4, part))
    return [scale, -round(halfAt(data, from + 2) * minimumOf(data, from + 4, part))]
  }
}

const PACKINGS: Readonly<Record<string, Packing>> = {
  Q4_0: { form: 'int4', bytes: 18, numbers: 32, group: simple(2, false, 8) },
  Q4_1: { form: 'int4', bytes: 20, numbers: 32, group: simple(4, false, null) },
  Q4_K: { form: 'int4', bytes: 144, numbers: 256, group: parts(false) },
  Q5_0: { form: 'int8', bytes: 22, numbers: 32, group: simple(2, true, 16) },
  Q5_1: { form: 'int8', bytes: 24, numbers: 32, group: simple(4, true, null) },
  Q5_K: { form: 'int8', bytes: 176, numbers: 256, group: parts(true) },
  Q6_K: {
    form: 'int8x16',
    bytes: 210,
    numbers: 256,
    group(data, from, at, to) {
      for (let i = 0; i < 16; i += 1) to[i] = sixAt(data, from, 16 * at + i)
      return [round(halfAt(data, from + 208) * ((data[from + 192 + at]! << 24) >> 24)), 0]
    },
  },
  Q8_0: {
    form: 'int8',
    bytes: 34,
    numbers: 32,
    group(data, from, _at, to) {
      for (let i = 0; i < 32; i += 1) to[i] = (data[from + 2 + i]! << 24) >> 24
      return [halfAt(data, from), 0]
    },
  },
}

/** The form that blocks of a type become; null for numbers that stand alone. */
export function packedFormOf(type: string): Exclude<PackedForm, 'bfloat16'> | null {
  return PACKINGS[type]?.form ?? null
}

/** @param data whole blocks of a type that has a form */
export function packGguf(data: Uint8Array, type: string): Int32Array {
  const packing = PACKINGS[type]
  if (packing === undefined) throw new RangeError(`numbers of type ${type} are not kept as they are stored`)
  const { form, bytes, numbers, group } = packing
  const size = form === 'int8x16' ? 16 : 32
  const writer = groupWriter(form, (data.length / bytes) * numbers)
  const integers = new Int32Array(size)
  for (let from = 0; from < data.length; from += bytes)
    for (let at = 0; at < numbers / size; at += 1) {
      const [scale, offset] = group(data, from, at, integers)
      writer.group(scale, offset, integers)
    }
  return writer.words
}
