// The safetensors container: u64 header length (little-endian), a JSON header, then the tensors' bytes.

// On every platform this runs on, but in no list of types that has neither DOM nor Node.
declare class TextEncoder {
  encode(text: string): Uint8Array
}
declare class TextDecoder {
  constructor(label: string, options: { readonly fatal: boolean })
  decode(bytes: Uint8Array): string
}

export interface SafeTensor {
  readonly shape: readonly number[]
  readonly data: Float32Array
}

export interface SafeTensorsFile {
  readonly tensors: Record<string, SafeTensor>
  readonly metadata: Record<string, string>
}

/** Where a tensor lies, without its numbers. */
export interface TensorEntry {
  readonly dtype: string
  readonly shape: readonly number[]
  /** From the first byte after the header. */
  readonly begin: number
  readonly end: number
}

const MAX_HEADER_BYTES = 100_000_000 // the limit of the reference reader

/** What a file of these float32 tensors begins with: length, header, padding to 8 bytes. Their data follows in this order. */
export function safeTensorsHeader(
  shapes: Readonly<Record<string, readonly number[]>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const header: Record<string, unknown> = Object.keys(metadata).length > 0 ? { __metadata__: metadata } : {}
  let sizeBytes = 0
  for (const [name, shape] of Object.entries(shapes)) {
    if (name === '__metadata__') throw new RangeError('a tensor cannot be named __metadata__')
    const end = sizeBytes + 4 * sizeOf(shape)
    header[name] = { dtype: 'F32', shape, data_offsets: [sizeBytes, end] }
    sizeBytes = end
  }
  const json = new TextEncoder().encode(JSON.stringify(header))
  const headerBytes = Math.ceil(json.length / 8) * 8
  const bytes = new Uint8Array(8 + headerBytes).fill(0x20) // padded with spaces, as the format says
  bytes.set(json, 8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerBytes), true)
  return bytes
}

/** Float32 tensors and string metadata as bytes; names in the order given, the data aligned to 8 bytes. */
export function encodeSafeTensors(
  tensors: Readonly<Record<string, SafeTensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  for (const [name, tensor] of Object.entries(tensors)) {
    if (tensor.data.length !== sizeOf(tensor.shape))
      throw new RangeError(`${name} has ${tensor.data.length} values for shape [${tensor.shape.join(', ')}]`)
  }
  const header = safeTensorsHeader(
    Object.fromEntries(Object.entries(tensors).map(([name, { shape }]) => [name, shape])),
    metadata,
  )
  const bytes = new Uint8Array(
    header.length + Object.values(tensors).reduce((sum, { data }) => sum + data.byteLength, 0),
  )
  bytes.set(header)
  let at = header.length
  for (const { data } of Object.values(tensors)) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at)
    at += data.byteLength
  }
  return bytes
}

/** The header alone; `bytes` need hold no more than that. @throws RangeError on anything that is no such header */
export function readSafeTensorsHeader(bytes: Uint8Array): {
  readonly entries: Record<string, TensorEntry>
  readonly metadata: Record<string, string>
  readonly dataStart: number
} {
  if (bytes.length < 8) throw new RangeError('too short to be a safetensors file')
  const headerBytes = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true))
  if (headerBytes > MAX_HEADER_BYTES || 8 + headerBytes > bytes.length)
    throw new RangeError(`the safetensors header claims ${headerBytes} bytes`)
  let header: unknown
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, 8 + headerBytes)))
  } catch (error) {
    throw new RangeError('the safetensors header is not JSON', { cause: error })
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    throw new RangeError('the safetensors header is not an object')
  const entries = Object.create(null) as Record<string, TensorEntry> // a tensor may have any name, `constructor` too
  let metadata: Record<string, string> = {}
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') metadata = textsOf(value)
    else entries[name] = readEntry(name, value)
  }
  return { entries, metadata, dataStart: 8 + headerBytes }
}

/** Strings, by the format; what is none is left out. */
function textsOf(value: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(value ?? {}).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}

/** Everything, as float32 (F32, F64, F16 and BF16 are read). The arrays are copies. @throws RangeError on damage */
export function decodeSafeTensors(bytes: Uint8Array): SafeTensorsFile {
  const { entries, metadata, dataStart } = readSafeTensorsHeader(bytes)
  const tensors: Record<string, SafeTensor> = {}
  for (const [name, entry] of Object.entries(entries)) {
    if (dataStart + entry.end > bytes.length) throw new RangeError(`the file ends inside ${name}`)
    const data = toFloat32(copyOf(bytes.subarray(dataStart + entry.begin, dataStart + entry.end)), entry.dtype, name)
    if (data.length !== sizeOf(entry.shape))
      throw new RangeError(`${name} has ${data.length} values for shape [${entry.shape.join(', ')}]`)
    tensors[name] = { shape: entry.shape, data }
  }
  return { tensors, metadata }
}

function readEntry(name: string, value: unknown): TensorEntry {
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Record<string, unknown>
  const isSize = (x: unknown): x is number => Number.isSafeInteger(x) && (x as number) >= 0
  if (
    typeof dtype !== 'string' ||
    !Array.isArray(shape) ||
    !shape.every(isSize) ||
    !Array.isArray(offsets) ||
    offsets.length !== 2 ||
    !offsets.every(isSize)
  ) {
    throw new RangeError(`the safetensors entry ${name} is not a tensor's`)
  }
  const [begin, end] = offsets as [number, number]
  if (end < begin) throw new RangeError(`${name} ends before it begins`)
  return { dtype, shape, begin, end }
}

/** Numbers of a tensor's bytes as float32 (F32, F64, F16 and BF16 are read). @throws RangeError naming the tensor */
export function floatsOf(bytes: Uint8Array, dtype: string, name: string): Float32Array {
  // A float array needs its bytes at a multiple of its width; where they are, they are used as they lie.
  const aligned =
    bytes.byteOffset % 8 === 0 && bytes.buffer instanceof ArrayBuffer
      ? (bytes as Uint8Array<ArrayBuffer>)
      : copyOf(bytes)
  return toFloat32(aligned, dtype, name)
}

/** A true copy: a Buffer's own slice is a view. */
function copyOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes)
}

function toFloat32(bytes: Uint8Array<ArrayBuffer>, dtype: string, name: string): Float32Array {
  const width = { F32: 4, F64: 8, BF16: 2, F16: 2 }[dtype]
  if (width === undefined) throw new RangeError(`${name} is of type ${dtype}; F32, F64, F16 and BF16 are read`)
  if (bytes.length % width !== 0) throw new RangeError(`${name} is cut inside a number`)
  const count = bytes.length / width
  if (dtype === 'F32') return new Float32Array(bytes.buffer, bytes.byteOffset, count)
  if (dtype === 'F64') return Float32Array.from(new Float64Array(bytes.buffer, bytes.byteOffset, count))
  const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, count)
  if (dtype === 'BF16') return fromBfloat16(halves)
  const table = halfTable()
  const numbers = new Float32Array(count)
  for (let at = 0; at < count; at += 1) numbers[at] = table[halves[at]!]!
  return numbers
}

/** The upper half of a float32's bits. */
function fromBfloat16(halves: Uint16Array): Float32Array {
  const bits = new Uint32Array(halves.length)
  for (let index = 0; index < halves.length; index += 1) bits[index] = halves[index]! << 16
  return new Float32Array(bits.buffer)
}

let table: Float32Array | null = null

/** The number of every float16 (IEEE 754 binary16): a model has millions, and 65,536 kinds of them. */
export function halfTable(): Float32Array {
  table ??= Float32Array.from({ length: 2 ** 16 }, (_none, half) => halfToNumber(half))
  return table
}

function halfToNumber(half: number): number {
  const sign = half & 0x8000 ? -1 : 1
  const exponent = (half >>> 10) & 0x1f
  const fraction = half & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1)
}
