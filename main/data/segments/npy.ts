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

/** Any real dtype, as doubles in row-major order. @throws AppError `dataset-invalid` */
export function decodeNpy(bytes: Uint8Array, name: string): NpyArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 10 || MAGIC.some((byte, at) => bytes[at] !== byte)) throw broken(name, 'it does not begin as NumPy arrays do')
  const wide = bytes[6]! >= 2
  const start = wide ? 12 : 10
  const end = start + (wide ? view.getUint32(8, true) : view.getUint16(8, true))
  const header = new TextDecoder('latin1').decode(bytes.subarray(start, end))
  const descr = /'descr':\s*'([<>|=])?(\w+)'/.exec(header)
  const shape = /'shape':\s*\(([^)]*)\)/.exec(header)
  if (descr === null || shape === null) throw broken(name, `its header cannot be read: ${header.trim().slice(0, 80)}`)
  if (/'fortran_order':\s*True/.test(header)) throw broken(name, 'it is stored by columns; save it again with numpy.ascontiguousarray')
  const reader = READERS[descr[2]!]
  if (reader === undefined) throw broken(name, `its numbers are of type ${descr[2]}, which is not read`)
  const sizes = shape[1]!.split(',').map((part) => part.trim()).filter((part) => part !== '').map(Number)
  const count = sizes.reduce((product, size) => product * size, 1)
  const [sizeBytes, read] = reader
  if (!Number.isSafeInteger(count) || end + count * sizeBytes > bytes.length) throw broken(name, `it holds fewer numbers than its shape (${sizes.join(', ')}) says`)
  const little = descr[1] !== '>'
  return { shape: sizes, data: Float64Array.from({ length: count }, (_, at) => read(view, end + at * sizeBytes, little)) }
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

function broken(name: string, what: string): AppError {
  return new AppError({ code: 'dataset-invalid', message: `The array "${name}" cannot be read: ${what}.`, hint: 'Write the file again with numpy.savez or numpy.savez_compressed.' })
}
