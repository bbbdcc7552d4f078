import { closeSync, ftruncateSync, openSync, readFileSync, readSync, writeFileSync, writeSync } from 'node:fs'
import path from 'node:path'
import { makeModelFolder } from './model-folder.ts'

/**
 * A tiny model whose weights file also holds a tensor that nothing reads, of as many bytes as wanted. They are a hole
 * in the file, which takes no space on the disk.
 */
export async function makeSparseModel(folder: string, extraBytes: number): Promise<void> {
  await makeModelFolder(folder)
  const file = path.join(folder, 'model.safetensors')
  const bytes = readFileSync(file)
  const headerBytes = Number(bytes.readBigUInt64LE())
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + headerBytes)) as Record<string, unknown>
  const dataBytes = bytes.length - 8 - headerBytes
  header['extra.weight'] = { dtype: 'U8', shape: [extraBytes], data_offsets: [dataBytes, dataBytes + extraBytes] }
  const json = Buffer.from(JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(json.length))
  const whole = Buffer.concat([length, json, bytes.subarray(8 + headerBytes)])
  writeFileSync(file, whole)
  const descriptor = openSync(file, 'r+')
  ftruncateSync(descriptor, whole.length + extraBytes)
  closeSync(descriptor)
}

/** Turns one bit of a file, its size and place kept. */
export function flipByte(file: string, position: number): void {
  const descriptor = openSync(file, 'r+')
  const byte = Buffer.alloc(1)
  readSync(descriptor, byte, 0, 1, position)
  byte[0]! ^= 1
  writeSync(descriptor, byte, 0, 1, position)
  closeSync(descriptor)
}
