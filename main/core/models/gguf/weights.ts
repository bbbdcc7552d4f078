// The weights of a GGUF file, one tensor at a time, as float32 and under the names that safetensors have.
import { closeSync } from 'node:fs'
import { openRegularFileSync } from '../../../base/files/regular-file.ts'
import type { WeightsReader } from '../weights-reader.ts'
import { hubNameOf, turnedHeads, unturnRows } from './architecture.ts'
import type { GgufHeader } from './header.ts'
import { packedFormOf, packGguf } from './pack.ts'
import { bytesAt, tensorAt } from './read-tensor.ts'

/** @throws AppError `model-unsupported` for a file that was cut since its header was read */
export function openGgufWeights(header: GgufHeader): WeightsReader {
  const { descriptor } = openRegularFileSync(header.file)
  const tensors = new Map(header.tensors.map((tensor) => [hubNameOf(tensor.name), tensor]))
  return {
    file: header.file,
    entries: Object.fromEntries(
      [...tensors].map(([name, { type, shape, begin, end }]) => [name, { dtype: type, shape, begin, end }]),
    ),
    read(name) {
      const tensor = tensors.get(name)
      if (tensor === undefined) throw new RangeError(`${header.file} holds no tensor ${name}`)
      const data = tensorAt(descriptor, header.file, tensor)
      const heads = turnedHeads(header, tensor.name)
      return heads === null ? data : unturnRows(data, tensor.shape[0]!, heads)
    },
    readPacked(name) {
      const tensor = tensors.get(name)
      const form = tensor === undefined ? null : packedFormOf(tensor.type)
      if (tensor === undefined || form === null || tensor.shape.length !== 2) return null
      const words = packGguf(bytesAt(descriptor, header.file, tensor), tensor.type)
      const [rows, columns] = tensor.shape as [number, number] // looked at
      const heads = turnedHeads(header, tensor.name)
      return { form, words: heads === null ? words : unturnRows(words, rows, heads), shape: [rows, columns] }
    },
    close: () => closeSync(descriptor),
  }
}
