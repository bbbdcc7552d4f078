import { afterAll, beforeAll, expect, test } from 'vitest'
import { AppError } from '../../shared/errors.ts'
import { tf } from '../../main/core/learn/tf.ts'
import { openWasm } from '../../main/workers/engine/wasm.ts'
import type { WasmBackend } from '../../main/workers/engine/wasm-backend.ts'

const MIB = 2 ** 20
let wasm: WasmBackend['wasm']
const held: number[] = []

beforeAll(async () => {
  await openWasm({ threads: 1, enginesFolder: null })
  wasm = (tf.backend() as unknown as WasmBackend).wasm
})
afterAll(() => {
  for (const block of held.splice(0)) wasm._free(block)
  tf.removeBackend('wasm')
})

/** Takes what is left of the 4 GiB in blocks of a size, without writing to them, so that the machine need not have it. */
function fill(sizeBytes: number): void {
  for (;;) {
    try {
      held.push(wasm._malloc(sizeBytes))
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      return
    }
  }
}

function refusal(work: () => unknown): unknown {
  try {
    return work()
  } catch (error) {
    return error
  }
}

test('what finds no room is refused by name, writes over nothing, and can be done once there is room', () => {
  const a = tf.fill([2048, 512], 0.5)
  const b = tf.fill([512, 16_384], 0.25)
  for (const sizeBytes of [64 * MIB, MIB]) fill(sizeBytes)
  // The result of 128 MiB has no room; nor have, with room for that alone, the panels that the second matrix is packed into.
  for (const freed of [0, 2]) {
    for (const block of held.splice(0, freed)) wasm._free(block)
    expect(refusal(() => tf.matMul(a, b))).toMatchObject({
      code: 'out-of-memory',
      message: expect.stringContaining('reaches 4.3 GB, whatever the machine has'),
      hint: expect.stringContaining('tensorflow'),
    })
  }
  for (const block of held.splice(0)) wasm._free(block)
  const product = tf.matMul(a, b)
  expect([product.dataSync().at(0), product.dataSync().at(-1)]).toEqual([64, 64])
  expect([a.dataSync().at(-1), b.dataSync().at(-1)]).toEqual([0.5, 0.25])
  tf.dispose([a, b, product])
})

test('a kernel of the library that finds no room for its bookkeeping says so too', () => {
  const rows = tf.tensor1d(
    Int32Array.from({ length: 4096 }, (_none, at) => at % 8),
    'int32',
  )
  const table = tf.fill([8, 1], 2)
  const room = tf.zeros([4096, 1]) // of what comes out, so that only the bookkeeping is left to find
  for (let sizeBytes = 64 * MIB; sizeBytes >= 64; sizeBytes /= 2) fill(sizeBytes)
  room.dispose()
  expect(refusal(() => tf.gather(table, rows))).toMatchObject({
    code: 'out-of-memory',
    message: expect.stringContaining('reaches 4.3 GB'),
  })
})
