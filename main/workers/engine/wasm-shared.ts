// The library's WebAssembly, loaded so that its memory can be shared with threads.
import { readFileSync } from 'node:fs'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import { tf } from '../../core/learn/tf.ts'

const MEMORY_SECTION = 5
const LIMITS_WITH_MAXIMUM = 0x01
const LIMITS_SHARED = 0x03

/** Makes the wasm backend the one in use. @throws when its files are not in the folder (which ends with a slash) */
export async function openShared(folder: string): Promise<void> {
  setWasmPaths(folder, true)
  const platform = tf.env().platform
  const { fetch } = platform
  // The library asks its platform for the file; it gets it with one byte changed.
  platform.fetch = async (file) => new Response(shareMemory(readFileSync(file)))
  try {
    if (!(await tf.setBackend('wasm'))) throw new Error('the wasm backend did not start')
    await tf.ready()
  } finally {
    platform.fetch = fetch
  }
}

/** Marks the module's memory as shared; a module of another make is left as it is, and then runs on one thread. */
export function shareMemory(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const shared = Uint8Array.from(bytes)
  for (let at = 8; at < shared.length;) {
    const section = shared[at]!
    const [size, body] = readUnsigned(shared, at + 1)
    const [memories, limits] = readUnsigned(shared, body)
    if (section === MEMORY_SECTION && memories === 1 && shared[limits] === LIMITS_WITH_MAXIMUM)
      shared[limits] = LIMITS_SHARED
    at = body + size
  }
  return shared
}

/** LEB128 → its value, and where it ends */
function readUnsigned(bytes: Uint8Array, start: number): readonly [number, number] {
  let value = 0
  let at = start
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at]!
    value += (byte & 0x7f) * 2 ** shift
    at += 1
    if (byte < 0x80) return [value, at]
  }
}
