// Writing with a model whose file has its weights in fewer bits: kept so, and the same text.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decoderFrom, type Decoder } from '../../main/core/learn/models/decoder.ts'
import { widen } from '../../main/core/learn/models/packed.ts'
import { createRandom } from '../../main/core/learn/random.ts'
import { sampleCompletions, type SampledCompletion } from '../../main/core/learn/sampling/sample.ts'
import { storedBytesIn } from '../../main/core/models/sizes-in.ts'
import { openModelFolder } from '../../main/core/models/folder.ts'
import { openEngine } from '../../main/workers/engine/choose.ts'
import type { Engine } from '../../main/workers/engine/engine.ts'
import { openWriter } from '../../main/workers/generator/generate-model.ts'
import { roundWeights } from '../support/bfloat16-folder.ts'
import { makeModelFolder } from '../support/model-folder.ts'

const GGUF = fileURLToPath(new URL('../fixtures/gguf/llama.gguf', import.meta.url))
let folder = ''
let engine: Engine
beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'pairlab packed '))
  engine = await openEngine('wasm', { threads: 2 })
})
afterAll(async () => {
  await engine.dispose()
  rmSync(folder, { recursive: true, force: true })
})

/** Several rows, one token at a time and long enough to leave the prompts behind. */
function write(decoder: Decoder): Promise<readonly SampledCompletion[]> {
  const prompts = [[1, 2, 3], [4], Array.from({ length: 20 }, (_none, at) => at + 5)]
  return sampleCompletions(decoder, prompts, (row) => createRandom(row), { maxTokens: 12, temperature: 1, endId: -1 })
}

function asFloats(place: string): Decoder {
  const model = openModelFolder(place)
  try {
    return decoderFrom(model.config, model)
  } finally {
    model.close()
  }
}

describe('weights in fewer bits', () => {
  test.each([
    ['a GGUF file', 0.6],
    ['bfloat16 in safetensors', 0.55],
  ] as const)('%s: less memory, and to the last bit the same', async (kind, share) => {
    const place = kind === 'a GGUF file' ? GGUF : path.join(folder, 'bf16')
    if (place !== GGUF) {
      await makeModelFolder(place)
      roundWeights(place)
    }
    const { decoder } = await openWriter({ kind: 'folder', path: place, trainedHere: false })
    const wide = asFloats(place)
    expect(decoder.weightBytes).toBeLessThan(share * wide.weightBytes)
    const written = await write(decoder)
    expect(written.map((one) => one.ids.length)).toEqual([12, 12, 12])
    expect(written).toEqual(await write(wide))
    decoder.dispose()
    wide.dispose()
  })

  test('what a matrix takes is foreseen from the file, in one piece or with names of a bare model', async () => {
    const place = path.join(folder, 'foreseen')
    await makeModelFolder(place)
    expect(storedBytesIn(place)).toBe(null)
    roundWeights(place)
    const model = openModelFolder(place)
    const { shape } = model.read('model.layers.0.mlp.up_proj.weight')
    const packed = model.readPacked!('model.layers.0.mlp.up_proj.weight')!
    expect(widen(packed, 0, packed.shape[0] * packed.shape[1])).toEqual(
      model.read('model.layers.0.mlp.up_proj.weight').data,
    )
    expect(model.readPacked!('model.norm.weight')).toBe(null)
    model.close()
    const bytes = 2 * shape[0]! * shape[1]!
    expect(storedBytesIn(place)?.('model.layers.0.mlp.up_proj.weight')).toBe(bytes)
    expect(storedBytesIn(place)?.('model.norm.weight')).toBe(null)
    const file = path.join(place, 'model.safetensors')
    // The same bytes under names without the beginning: spaces keep the header's length.
    const text = readFileSync(file)
    const size = Number(text.readBigUInt64LE())
    const header = text.subarray(8, 8 + size).toString()
    const bare = header.replaceAll('"model.', '"').padEnd(size, ' ')
    writeFileSync(file, Buffer.concat([text.subarray(0, 8), Buffer.from(bare), text.subarray(8 + size)]))
    expect(storedBytesIn(place)?.('model.layers.0.mlp.up_proj.weight')).toBe(bytes)
    rmSync(file)
    expect(storedBytesIn(place)).toBe(null)
  })
})
