// Arrays as NumPy writes them (format 1 to 3): a short header in Python's notation, then the numbers.
import { AppError } from '../../../shared/errors.ts'

export interface NpyArray {
  readonly shape: readonly number[]
  readonly data: Float64Array
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59] // \x93NUMPY

type Read = (view: DataView, offset: number, littleEndian: boolean) => number
const READERS: Readonly<Record<string, readonly [sizeBytes: number, read: Read]>> = {
  f2: [2, (view, at, little) => readHalf(view.getUint16(at, little))],
  f4: [4, (view, at, little) => view.getFloat32(at, little)],
  f8: [8, (view, at, little) => view.getFloat64(at, little)],
  i1: [1, (view, at) => view.getInt8(at)],
  i2: [2, (view, at, little) => view.getInt16(at, little)],
  i4: [4, (view, at, little) => view.getInt32(at, little)],
  i8: [8, (view, at, little) => Number(view.getBigInt64(at, little))],
  u1: [1, (view, at) => view.getUint8(at)],
  u2: [2, (view, at, little) => view.getUint16(at, little)],
  u4: [4, (view, at, little) => view.getUint32(at, little)],
  u8: [8, (view, at, little) => Number(view.getBigUint64(at, little))],
  b1: [1, (view, at) => view.getUint8(at)],
}

function readHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

/**
 * Any real dtype of either byte order, as doubles in row-major order, whichever order the file has.
 * @param bytes the whole array, from its first byte to its last
 * @throws AppError `dataset-invalid` naming the array and the byte in it
 */
export function decodeNpy(bytes: Uint8Array, name: string): NpyArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const { descr, isFortran, shape, start } = readHeader(bytes, view, name)
  const [, order, type = ''] = /^([<>|=])?(\w+)$/.exec(descr) ?? []
  if (type === 'O') throw broken(name, PREFIX_BYTES, 'it holds Python objects, which would have to be run to be read')
  const reader = READERS[type]
  if (reader === undefined)
    throw broken(name, PREFIX_BYTES, `its numbers are of type ${descr.slice(0, 20)}, which is not read`)
  const [sizeBytes, read] = reader
  const count = shape.reduce((product, size) => product * size, 1)
  const wanted = count * sizeBytes
  const had = bytes.length - start
  const words = `its shape (${shape.join(', ')})`
  if (!Number.isSafeInteger(wanted) || wanted > had)
    throw broken(name, bytes.length, `it holds fewer numbers than ${words} says`)
  if (wanted < had)
    throw broken(name, start + wanted, `it goes on for ${had - wanted} bytes after the last number of ${words}`)
  const data = new Float64Array(count)
  for (let at = 0; at < count; at += 1) data[at] = read(view, start + at * sizeBytes, order !== '>')
  return { shape, data: isFortran ? byRows(shape, data) : data }
}

interface Header {
  /** As NumPy writes a type: byte order, letter, bytes. */
  readonly descr: string
  readonly isFortran: boolean
  readonly shape: readonly number[]
  /** Byte at which the numbers begin. */
  readonly start: number
}

/** Sign, version and the length's first two bytes; the header text follows, or two more bytes of the length. */
const PREFIX_BYTES = 10
const VERSIONS = [1, 2, 3]

function readHeader(bytes: Uint8Array, view: DataView, name: string): Header {
  const odd = MAGIC.findIndex((byte, at) => bytes[at] !== byte)
  if (odd !== -1) throw broken(name, odd, 'it does not begin as NumPy arrays do')
  if (!VERSIONS.includes(bytes[6] ?? 0))
    throw broken(
      name,
      6,
      bytes[6] === undefined
        ? 'it ends before its version'
        : `it is of version ${bytes[6]} of the format, which is not known`,
    )
  const wide = bytes[6]! >= 2
  const textAt = wide ? PREFIX_BYTES + 2 : PREFIX_BYTES
  if (bytes.length < textAt) throw broken(name, bytes.length, 'it ends inside its header')
  const start = textAt + (wide ? view.getUint32(8, true) : view.getUint16(8, true))
  if (start > bytes.length)
    throw broken(name, bytes.length, `it ends inside its header, which should reach byte ${start}`)
  const text = new TextDecoder('latin1').decode(bytes.subarray(textAt, start))
  const descr = /'descr':\s*'([^']*)'/.exec(text)?.[1]
  const isFortran = /'fortran_order':\s*(True|False)/.exec(text)?.[1]
  const tuple = /'shape':\s*\(([\d\s,]*)\)/.exec(text)?.[1]
  if (/'descr':\s*\[/.test(text))
    throw broken(name, textAt, 'its entries have several fields; save each as an array of its own')
  if (descr === undefined || isFortran === undefined || tuple === undefined)
    throw broken(name, textAt, `its header cannot be read: ${JSON.stringify(text.trim().slice(0, 80))}`)
  const sizes = tuple
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
  return { descr, isFortran: isFortran === 'True', shape: sizes.map(Number), start }
}

/** NumPy's column order, turned round: there the first index runs fastest, here the last. */
function byRows(shape: readonly number[], data: Float64Array): Float64Array {
  const rows = new Float64Array(data.length)
  const place = shape.map(() => 0)
  for (let at = 0; at < rows.length; at += 1) {
    rows[at] = data[place.reduceRight((offset, index, axis) => offset * shape[axis]! + index, 0)]!
    for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
      place[axis] = place[axis]! + 1
      if (place[axis]! < shape[axis]!) break
      place[axis] = 0
    }
  }
  return rows
}

/** float32, little-endian, row-major, format 1.0. */
export function encodeNpy(shape: readonly number[], data: Float32Array): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': ${tuple}, }`
  const padded = `${text.padEnd(Math.ceil((10 + text.length + 1) / 64) * 64 - 11, ' ')}\n`
  const bytes = new Uint8Array(10 + padded.length + 4 * data.length)
  bytes.set([...MAGIC, 1, 0])
  const view = new DataView(bytes.buffer)
  view.setUint16(8, padded.length, true)
  bytes.set(new TextEncoder().encode(padded), 10)
  data.forEach((value, at) => view.setFloat32(10 + padded.length + 4 * at, value, true))
  return bytes
}

function broken(name: string, offset: number, what: string): AppError {
  return new AppError({
    code: 'dataset-invalid',
    message: `The array "${name}" cannot be read: ${what} (byte ${offset} of the array).`,
    hint: 'Write the file again with numpy.savez or numpy.savez_compressed, with arrays of numbers only.',
    details: { entry: name, offset },
  })
}
