import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { EncodedCompletion } from '../../../core/learn/tokens/encode-rows.ts'
import { decodeSafeTensors, encodeSafeTensors } from '../../../core/learn/models/safetensors.ts'
import { writeRunFile } from '../../../base/run-folder/run-file.ts'

/** Numbers computed once for each row of tokens by one set of weights, kept over runs. */
export interface RowCache {
  get(key: string): Float32Array | undefined
  set(key: string, values: Float32Array): void
  /** Writes what was added. Runs that write at the same time may lose each other's additions, never read half of them. */
  save(): void
}

/** What a row's numbers depend on, beside the weights: its tokens in the layout that made them, where the completion begins, and what of it counts. */
export function rowKey({ prompt, completion, trained }: EncodedCompletion): string {
  const hash = createHash('sha256').update(Int32Array.from([prompt.length, ...prompt, ...completion]))
  if (trained != null) hash.update(trained)
  return hash.digest('hex').slice(0, 32)
}

/**
 * @param kind what the numbers are: `logprobs`, `score`
 * @param weightsHash sha256 of the weights that make them
 * @param engine engines differ in the last digits, and a run must not depend on what ran before it
 */
export function openRowCache(cacheFolder: string, kind: string, weightsHash: string, engine: string): RowCache {
  const file = path.join(cacheFolder, kind, `${weightsHash}-${engine}.safetensors`)
  const known = readRows(file)
  const added = new Map<string, Float32Array>()
  return {
    get: (key) => added.get(key) ?? known.get(key),
    set(key, values) {
      added.set(key, values)
    },
    save() {
      if (added.size === 0) return
      mkdirSync(path.dirname(file), { recursive: true })
      const all = new Map([...readRows(file), ...added])
      writeRunFile(
        file,
        encodeSafeTensors(Object.fromEntries([...all].map(([key, data]) => [key, { shape: [data.length], data }]))),
      )
      for (const [key, values] of added) known.set(key, values)
      added.clear()
    },
  }
}

/** A cache that cannot be read is as good as none: it is computed again and written over. */
function readRows(file: string): Map<string, Float32Array> {
  if (!existsSync(file)) return new Map()
  try {
    return new Map(
      Object.entries(decodeSafeTensors(readFileSync(file)).tensors).map(([key, tensor]) => [key, tensor.data]),
    )
  } catch (error) {
    console.error(`the cache ${file} is damaged and will be written anew`, error)
    return new Map()
  }
}
