import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { toBfloat16 } from '../../main/core/learn/models/packed.ts'
import { decodeSafeTensors } from '../../main/core/learn/models/safetensors.ts'

/** The folder's weights as bfloat16, as published checkpoints have them. */
export function roundWeights(place: string): void {
  const file = path.join(place, 'model.safetensors')
  const { tensors } = decodeSafeTensors(readFileSync(file))
  const header: Record<string, object> = {}
  const parts: Uint8Array[] = []
  let at = 0
  for (const [name, { shape, data }] of Object.entries(tensors)) {
    const halves = toBfloat16(data)
    parts.push(new Uint8Array(halves.buffer))
    header[name] = { dtype: 'BF16', shape, data_offsets: [at, at + halves.byteLength] }
    at += halves.byteLength
  }
  const json = Buffer.from(JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(json.length))
  writeFileSync(file, Buffer.concat([length, json, ...parts]))
}
