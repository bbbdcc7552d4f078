import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  decodeSafeTensors,
  encodeSafeTensors,
  readSafeTensorsHeader,
  type SafeTensor,
} from '../../main/core/learn/models/safetensors.ts'

const tensor = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 3 }).chain((shape) => {
  const size = shape.reduce((product, n) => product * n, 1)
  return fc
    .array(fc.float({ noDefaultInfinity: false }), { minLength: size, maxLength: size })
    .map((values): SafeTensor => ({ shape, data: Float32Array.from(values) }))
})
const names = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
  .filter((name) => name !== '__metadata__' && name !== '__proto__')

describe('safetensors', () => {
  test('what is written is read back, bit for bit', () => {
    fc.assert(
      fc.property(
        fc.dictionary(names, tensor, { noNullPrototype: true }),
        fc.dictionary(names, fc.string(), { noNullPrototype: true }),
        (tensors, metadata) => {
          const bytes = encodeSafeTensors(tensors, metadata)
          const read = decodeSafeTensors(bytes)
          expect(read.metadata).toEqual(metadata)
          expect(Object.keys(read.tensors).sort()).toEqual(Object.keys(tensors).sort())
          for (const [name, { shape, data }] of Object.entries(tensors)) {
            expect(read.tensors[name]!.shape).toEqual(shape)
            expect(new Uint32Array(read.tensors[name]!.data.buffer)).toEqual(new Uint32Array(data.buffer))
          }
          expect(readSafeTensorsHeader(bytes).dataStart % 8).toBe(0)
        },
      ),
      { numRuns: 60 },
    )
  })

  test('a damaged file is refused, never half read', () => {
    const bytes = encodeSafeTensors({ w: { shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) } })
    expect(() => decodeSafeTensors(bytes.subarray(0, bytes.length - 1))).toThrow(/ends inside w/)
    expect(() => decodeSafeTensors(bytes.subarray(0, 5))).toThrow(/too short/)
    const tooLong = bytes.slice()
    tooLong[6] = 1
    expect(() => decodeSafeTensors(tooLong)).toThrow(/claims/)
    expect(() => encodeSafeTensors({ w: { shape: [3], data: new Float32Array(2) } })).toThrow(/2 values/)
  })

  test('half-width numbers are widened', () => {
    const header = new TextEncoder().encode(
      JSON.stringify({
        b: { dtype: 'BF16', shape: [2], data_offsets: [0, 4] },
        h: { dtype: 'F16', shape: [4], data_offsets: [4, 12] },
      }),
    )
    const bytes = new Uint8Array(8 + header.length + 12)
    new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true)
    bytes.set(header, 8)
    bytes.set(new Uint8Array(Uint16Array.of(0x3f80, 0xc000, 0x3c00, 0xc100, 0x0001, 0x7c00).buffer), 8 + header.length)
    const { tensors } = decodeSafeTensors(bytes)
    expect([...tensors.b!.data]).toEqual([1, -2])
    expect([...tensors.h!.data]).toEqual([1, -2.5, 2 ** -24, Infinity])
  })

  test('a checkpoint written by another library is read', () => {
    const file = new URL('../golden/models/llama_gqa_untied/model.safetensors', import.meta.url)
    const { tensors } = decodeSafeTensors(readFileSync(file))
    expect(tensors['model.layers.1.mlp.down_proj.weight']!.shape).toEqual([48, 104])
    expect(tensors['lm_head.weight']!.data.every(Number.isFinite)).toBe(true)
  })
})
