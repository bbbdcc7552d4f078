import { tf } from '../tf.ts'
import type { Decoder } from './decoder.ts'
import { attention, type AttentionShape, cachedAttention, type CachedRows, gatherRows, scatterRows } from './fused.ts'
import { lastTokens, packSequences } from './packing.ts'

/** Rows that grow token by token; what earlier tokens left in each layer is kept, not computed again. */
export interface Growth {
  /** Logits after the last token of each row [row · vocab] */
  readonly logits: Float32Array
  /** Adds one token to each row. */
  extend(ids: readonly number[]): Promise<void>
  /** Goes on with these rows alone, in this order. */
  keep(rows: readonly number[]): void
  dispose(): void
}

/**
 * Reads the prompts and stands ready to add up to `room` tokens to each.
 * @param prompts at least one token each
 */
export async function startGrowth(
  decoder: Decoder,
  prompts: readonly (readonly number[])[],
  room: number,
): Promise<Growth> {
  const capacity = Math.max(0, ...prompts.map((prompt) => prompt.length)) + room
  let lengths = Int32Array.from(prompts, (prompt) => prompt.length)
  const { layers, logits: first } = await readPrompts(decoder, prompts, capacity)
  let logits = first

  return {
    get logits() {
      return logits
    },
    async extend(ids) {
      const places = lengths.map((length, row) => row * capacity + length)
      const result = tf.tidy(() => {
        const hidden = decoder.hiddenStatesWith(Int32Array.from(ids), lengths, null, (layer, q, k, v) => {
          const { out, keys, values } = cachedAttention(
            q,
            k,
            v,
            layers[layer]!,
            { lengths, capacity, places },
            decoder.config,
          )
          replace(layers, layer, { keys, values })
          return out
        })
        return decoder.project(hidden)
      })
      logits = await take(result)
      lengths = lengths.map((length) => length + 1)
    },
    keep(rows) {
      const indices = Int32Array.from(rows)
      layers.forEach((cached, layer) => {
        const part = (x: tf.Tensor2D): tf.Tensor2D =>
          tf.tidy(() =>
            tf.reshape(gatherRows(tf.reshape(x, [lengths.length, -1]), indices), [rows.length * capacity, x.shape[1]]),
          )
        const smaller = { keys: part(cached.keys), values: part(cached.values) }
        tf.dispose([cached.keys, cached.values])
        layers[layer] = smaller
      })
      const vocab = decoder.config.vocabSize
      const kept = new Float32Array(rows.length * vocab)
      rows.forEach((row, at) => kept.set(logits.subarray(row * vocab, (row + 1) * vocab), at * vocab))
      logits = kept
      lengths = indices.map((row) => lengths[row]!)
    },
    dispose() {
      for (const { keys, values } of layers) tf.dispose([keys, values])
    },
  }
}

async function readPrompts(
  decoder: Decoder,
  prompts: readonly (readonly number[])[],
  capacity: number,
): Promise<{ layers: CachedRows[]; logits: Float32Array }> {
  const layers: CachedRows[] = []
  const packing = packSequences(prompts)
  const places = packing.members.map((_token, slot) => slot)
  for (let row = 0; row < packing.rows; row += 1) {
    const start = packing.offsets[row]!
    for (let slot = start; slot < packing.offsets[row + 1]!; slot += 1) places[slot] = row * capacity + slot - start
  }
  const shape: AttentionShape = decoder.config
  const logits = tf.tidy(() => {
    const hidden = decoder.hiddenStatesWith(packing.ids, packing.positions, lastTokens(packing), (_layer, q, k, v) => {
      const spread = (x: tf.Tensor2D): tf.Tensor2D =>
        tf.keep(scatterRows(gatherRows(x, packing.members), places, packing.rows * capacity))
      layers.push({ keys: spread(k), values: spread(v) })
      return attention(q, k, v, packing, shape)
    })
    return decoder.project(hidden)
  })
  return { layers, logits: await take(logits) }
}

function replace(layers: CachedRows[], layer: number, next: CachedRows): void {
  const before = layers[layer]!
  for (const part of ['keys', 'values'] as const) {
    if (before[part] === next[part]) continue
    tf.keep(next[part])
    before[part].dispose()
  }
  layers[layer] = next
}

async function take(tensor: tf.Tensor): Promise<Float32Array> {
  try {
    return await tensor.data<'float32'>()
  } finally {
    tensor.dispose()
  }
}
