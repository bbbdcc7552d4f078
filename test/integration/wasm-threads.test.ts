import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { createDecoder, presetConfig } from '../../main/core/learn/models/decoder.ts'
import { createRandom } from '../../main/core/learn/random.ts'
import { tf } from '../../main/core/learn/tf.ts'
import { openEngine } from '../../main/workers/engine/choose.ts'
import type { Engine } from '../../main/workers/engine/engine.ts'
import { createNative } from '../../main/workers/engine/wasm-native.ts'
import { shareMemory } from '../../main/workers/engine/wasm-shared.ts'

/** The runtime has it; Node's types do not list it. */
declare const WebAssembly: { readonly Memory: new (limits: { initial: number }) => { readonly buffer: ArrayBuffer } }

let engine: Engine | null = null
afterAll(() => engine?.dispose())

/** A loss and all its gradients, of a model large enough that every job has several chunks. */
function gradients(): Float32Array[] {
  const decoder = createDecoder({ ...presetConfig('micro', 600), kvHeads: 2 }, createRandom(5))
  const ids = Int32Array.from({ length: 5 * 67 }, (_, at) => (at * 7919) % 600)
  const mask = Float32Array.from({ length: 5 * 67 }, (_, at) => (at % 67 < 67 - 9 * Math.floor(at / 67) ? 1 : 0))
  let result: Float32Array[] = []
  tf.tidy(() => {
    const tokens = {
      ids: tf.tensor2d(ids, [5, 67], 'int32'),
      attention: tf.tensor2d(mask, [5, 67]),
      completion: tf.tensor2d(mask, [5, 67]),
    }
    const { value, grads } = tf.variableGrads(
      () => tf.neg(tf.mean(decoder.tokenLogProbs(tokens))) as tf.Scalar,
      Object.values(decoder.variables),
    )
    result = [value, ...Object.values(grads)].map((tensor) => tensor.dataSync<'float32'>().slice())
  })
  decoder.dispose()
  return result
}

describe('threads', () => {
  test('change no bit of a gradient, however many there are', async () => {
    const results: Float32Array[][] = []
    for (const threads of [1, 2, 3]) {
      engine = await openEngine('wasm', { threads })
      expect(engine.threads).toBe(threads)
      results.push(gradients())
    }
    expect(results[0]!.every((values) => values.every(Number.isFinite))).toBe(true)
    expect(results[1]).toEqual(results[0])
    expect(results[2]).toEqual(results[0])
  })

  test('go on after the memory has grown', async () => {
    engine = await openEngine('wasm', { threads: 2 })
    const before = engine.memory().peakBytes!
    const blocks = Array.from({ length: 4 }, () => tf.zeros([8 * 2 ** 20]))
    expect(engine.memory().peakBytes!).toBeGreaterThan(before)
    const sum = tf.tidy(() => tf.sum(tf.matMul(tf.ones([300, 200]), tf.ones([200, 300]))).dataSync()[0])
    expect(sum).toBe(300 * 300 * 200)
    tf.dispose(blocks)
  })

  test('stay at one where memory cannot be shared, and the kernels work', async () => {
    const memory = new WebAssembly.Memory({ initial: 32 })
    let next = 65_536
    const native = createNative({
      memory,
      allocate: (sizeBytes) => (next += Math.ceil(sizeBytes / 64) * 64) - Math.ceil(sizeBytes / 64) * 64,
      free: () => undefined,
    })
    expect(await native.setThreads(3)).toBe(1)
    new Float32Array(memory.buffer, 0, 9).set([1, 2, 3, 4, 5, 6, 7, 8, 9])
    native.product(
      { at: 0, stride: 3, transposed: false },
      { at: 0, stride: 3, transposed: false },
      { at: 1024, stride: 3 },
      3,
      3,
      3,
      false,
    )
    expect([...new Float32Array(memory.buffer, 1024, 9)]).toEqual([30, 36, 42, 66, 81, 96, 102, 126, 150])
  })

  test('let the process end, by itself and when told', () => {
    const script = (end: string): string => `
      import { openEngine } from ${JSON.stringify(fileURLToPath(new URL('../../main/workers/engine/choose.ts', import.meta.url)))}
      import { tf } from ${JSON.stringify(fileURLToPath(new URL('../../main/core/learn/tf.ts', import.meta.url)))}
      const engine = await openEngine('wasm', { threads: 3 })
      tf.matMul(tf.ones([200, 200]), tf.ones([200, 200])).dataSync()
      ${end}`
    for (const [end, status] of [
      ['', 0],
      ['await engine.dispose()', 0],
      ['process.exit(5)', 5],
    ] as const) {
      const done = spawnSync(process.execPath, ['--input-type=module-typescript', '-e', script(end)], {
        encoding: 'utf8',
        timeout: 30_000,
      })
      expect(done.stderr, end).toBe('')
      expect(done.status, end).toBe(status)
    }
  })
})

describe('shareMemory', () => {
  test("changes one byte of the library's module", () => {
    const folder = path.dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/package.json'))
    const bytes = readFileSync(path.join(folder, 'dist/tfjs-backend-wasm-simd.wasm'))
    const shared = shareMemory(bytes)
    expect([...shared.keys()].filter((at) => shared[at] !== bytes[at]).map((at) => [bytes[at], shared[at]])).toEqual([
      [1, 3],
    ])
  })

  test('leaves a module without such a memory alone', () => {
    const empty = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)
    expect(shareMemory(empty)).toEqual(empty)
  })
})
