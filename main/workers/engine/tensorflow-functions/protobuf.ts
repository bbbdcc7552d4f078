// As much of protocol buffers as TensorFlow's functions need: a writer, and a reader that splits a message into its fields.

export type Bytes = Uint8Array

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Collects the fields of one message. */
export class Message {
  readonly #parts: number[] = []

  bytes(): Bytes {
    return Uint8Array.from(this.#parts)
  }

  /** Also negative ones, in ten bytes, as the format wants it. */
  integer(field: number, value: number | bigint): this {
    this.#varint(BigInt(field << 3))
    this.#varint(BigInt.asUintN(64, BigInt(value)))
    return this
  }

  float(field: number, value: number): this {
    this.#varint(BigInt((field << 3) | 5))
    this.#parts.push(...new Uint8Array(Float32Array.of(value).buffer))
    return this
  }

  block(field: number, value: Bytes | string | Message): this {
    const bytes = typeof value === 'string' ? encoder.encode(value) : value instanceof Message ? value.bytes() : value
    this.#varint(BigInt((field << 3) | 2))
    this.#varint(BigInt(bytes.length))
    for (const byte of bytes) this.#parts.push(byte)
    return this
  }

  /** One entry of a map from text. */
  entry(field: number, key: string, value: Bytes | string | Message): this {
    return this.block(field, new Message().block(1, key).block(2, value))
  }

  #varint(value: bigint): void {
    let rest = value
    while (rest >= 0x80n) {
      this.#parts.push(Number(rest & 0x7fn) | 0x80)
      rest >>= 7n
    }
    this.#parts.push(Number(rest))
  }
}

export interface Field {
  readonly field: number
  /** Of a number; 0 of anything else. */
  readonly value: number
  /** Of a block; empty of a number. */
  readonly block: Bytes
}

/** The fields of a message, in their order. Numbers beyond 2⁵³ lose their last digits. @throws RangeError where it ends too early */
export function fieldsOf(message: Bytes): Field[] {
  const fields: Field[] = []
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = message[at]
      if (byte === undefined) throw new RangeError('a message ends within a number')
      at += 1
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
  }
  while (at < message.length) {
    const key = varint()
    const [field, kind] = [Math.floor(key / 8), key % 8]
    if (kind === 0) fields.push({ field, value: varint(), block: new Uint8Array() })
    else {
      const length = kind === 2 ? varint() : kind === 1 ? 8 : 4
      if (at + length > message.length) throw new RangeError('a message ends within a block')
      fields.push({ field, value: 0, block: message.subarray(at, at + length) })
      at += length
    }
  }
  return fields
}

export function textOf(block: Bytes): string {
  return decoder.decode(block)
}
