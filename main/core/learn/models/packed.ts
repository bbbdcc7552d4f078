// Matrices in fewer bits than float32, as numbers that do not train are kept: bfloat16, or groups of small integers that
// share a scale and an offset, x = scale · q + offset, each operation rounded to float32. Read as float32 they are what the
// block formats of model files mean, bit for bit; see main/core/models/gguf/pack.ts.

/** int4 and int8: 32 numbers to a group; int8x16: sixteen. */
export type PackedForm = 'bfloat16' | 'int8' | 'int8x16' | 'int4'

/** Row by row, rows in whole groups. */
export interface PackedMatrix {
  readonly form: PackedForm
  /** As the form lays its groups; of bfloat16 two numbers to a word, the first in the low half, a last half word 0. */
  readonly words: Int32Array
  readonly shape: readonly [number, number]
}

interface Group {
  readonly numbers: number
  /** Words: the scale and the offset as float32, then the integers, a byte each; of int4 the first sixteen in the low halves of bytes. */
  readonly words: number
}

export const GROUPS: Readonly<Record<Exclude<PackedForm, 'bfloat16'>, Group>> = {
  int4: { numbers: 32, words: 6 },
  int8: { numbers: 32, words: 10 },
  int8x16: { numbers: 16, words: 6 },
}
const HEAD_BYTES = 8

/** Bytes of this many numbers in whole rows. */
export function packedBytes(form: PackedForm, count: number): number {
  if (form === 'bfloat16') return 4 * Math.ceil(count / 2)
  const { numbers, words } = GROUPS[form]
  return (count / numbers) * words * 4
}

/** Whether rows of this width are whole groups. */
export function fitsGroups(form: PackedForm, columns: number): boolean {
  return form === 'bfloat16' || columns % GROUPS[form].numbers === 0
}

/** The nearest bfloat16 of each number, ties to the even one; NaN stays NaN. */
export function toBfloat16(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length)
  const words = new Uint16Array(values.length)
  for (let at = 0; at < bits.length; at += 1) {
    const value = bits[at]!
    words[at] =
      (value & 0x7fffffff) > 0x7f800000 ? (value >>> 16) | 0x40 : (value + 0x7fff + ((value >>> 16) & 1)) >>> 16
  }
  return words
}

/** Numbers to their nearest in the form: int8 by the largest of a group, int4 between its smallest and its largest. */
export function packMatrix(
  values: Float32Array,
  shape: readonly [number, number],
  form: 'bfloat16' | 'int8' | 'int4',
): PackedMatrix {
  if (form === 'bfloat16') {
    const halves = new Uint16Array(values.length + (values.length % 2))
    halves.set(toBfloat16(values))
    return { form, words: new Int32Array(halves.buffer), shape }
  }
  const { numbers } = GROUPS[form]
  const pack = groupWriter(form, values.length)
  const integers = new Int32Array(numbers)
  for (let from = 0; from < values.length; from += numbers) {
    const group = values.subarray(from, from + numbers)
    let [least, most] = [0, 0]
    for (const value of group) [least, most] = [Math.min(least, value), Math.max(most, value)]
    const scale = Math.fround(form === 'int8' ? Math.max(most, -least) / 127 : (most - least) / 15)
    const offset = form === 'int8' ? 0 : Math.fround(least)
    for (let at = 0; at < numbers; at += 1)
      integers[at] =
        scale === 0
          ? 0
          : Math.max(
              form === 'int8' ? -127 : 0,
              Math.min(form === 'int8' ? 127 : 15, Math.round((group[at]! - offset) / scale)),
            )
    pack.group(scale, offset, integers)
  }
  return { form, words: pack.words, shape }
}

/** Writes one group after the other. @param count numbers in all */
export function groupWriter(
  form: Exclude<PackedForm, 'bfloat16'>,
  count: number,
): { readonly words: Int32Array; group(scale: number, offset: number, integers: ArrayLike<number>): void } {
  const { numbers, words: width } = GROUPS[form]
  const words = new Int32Array((count / numbers) * width)
  const floats = new Float32Array(words.buffer)
  const bytes = new Int8Array(words.buffer)
  let at = 0
  return {
    words,
    group(scale, offset, integers) {
      floats[at] = scale
      floats[at + 1] = offset
      const start = at * 4 + HEAD_BYTES
      if (form === 'int4') for (let i = 0; i < 16; i += 1) bytes[start + i] = integers[i]! | (integers[i + 16]! << 4)
      else for (let i = 0; i < numbers; i += 1) bytes[start + i] = integers[i]!
      at += width
    },
  }
}

/** Numbers `from` … of the matrix as float32; both ends between groups. */
export function widen(
  { form, words }: Pick<PackedMatrix, 'form' | 'words'>,
  from: number,
  count: number,
): Float32Array {
  const to = new Float32Array(count)
  if (form === 'bfloat16') {
    const halves = new Uint16Array(words.buffer, words.byteOffset + 2 * from, count)
    const bits = new Uint32Array(to.buffer)
    for (let at = 0; at < count; at += 1) bits[at] = halves[at]! << 16
    return to
  }
  const { numbers, words: width } = GROUPS[form]
  const first = (from / numbers) * width
  const floats = new Float32Array(words.buffer, words.byteOffset + 4 * first)
  const bytes = new Int8Array(words.buffer, words.byteOffset + 4 * first)
  for (let group = 0, out = 0; out < count; group += width, out += numbers) {
    const [scale, offset] = [floats[group]!, floats[group + 1]!]
    const start = group * 4 + HEAD_BYTES
    for (let at = 0; at < numbers; at += 1) {
      const q =
        form === 'int4'
          ? at < 16
            ? bytes[start + at]! & 15
            : (bytes[start + at - 16]! >>> 4) & 15
          : bytes[start + at]!
      to[out + at] = Math.fround(scale * q) + offset
    }
  }
  return to
}
