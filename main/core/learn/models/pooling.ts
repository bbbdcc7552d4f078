// How the states of a text's tokens become one vector, in sentence-transformers' words (Reimers and Gurevych, 2019).
import { tf } from '../tf.ts'
import { gatherRows, scatterRows } from './fused.ts'
import { lastTokens, paddedIndices, type Packing } from './packing.ts'

/** In the order in which several are laid end to end. */
export const POOLING_MODES = ['cls', 'max', 'mean', 'mean_sqrt_len_tokens', 'weightedmean', 'lasttoken'] as const
export type PoolingMode = (typeof POOLING_MODES)[number]

/** States of the wanted tokens (null: of all). → [token or wanted, hidden] */
export type StatesOf = (wanted: Int32Array | null) => tf.Tensor2D

/**
 * @param states asked once, and only for the tokens that are needed
 * @param modes at least one; several are laid end to end, in the order given
 * @returns [row, modes · hidden]
 */
export function pool(states: StatesOf, packing: Packing, modes: readonly PoolingMode[]): tf.Tensor2D {
  if (modes.length === 0) throw new RangeError('pooling needs at least one mode')
  return tf.tidy(() => {
    if (modes.every((mode) => mode === 'cls' || mode === 'lasttoken')) {
      const wanted = Int32Array.from(
        modes.flatMap((mode) => [...(mode === 'cls' ? firstTokens(packing) : lastTokens(packing))]),
      )
      const picked = states(wanted)
      return join(modes.map((_mode, at) => tf.slice(picked, [at * packing.rows, 0], [packing.rows, picked.shape[1]])))
    }
    const all = states(null)
    const slots = packing.firsts === null ? all : gatherRows(all, packing.members)
    return join(modes.map((mode) => poolSlots(slots, packing, mode)))
  })
}

function join(parts: tf.Tensor2D[]): tf.Tensor2D {
  return parts.length === 1 ? parts[0]! : tf.concat(parts, 1)
}

/** The first token of each row [row] */
function firstTokens(packing: Packing): Int32Array {
  return packing.offsets.subarray(0, packing.rows).map((start) => packing.members[start]!)
}

/** [slot, hidden] → [row, hidden] */
function poolSlots(slots: tf.Tensor2D, packing: Packing, mode: PoolingMode): tf.Tensor2D {
  const { rows, offsets } = packing
  if (mode === 'cls') return gatherRows(slots, offsets.slice(0, rows))
  if (mode === 'lasttoken')
    return gatherRows(
      slots,
      offsets.slice(1).map((end) => end - 1),
    )
  if (mode === 'max') return maxOfSlots(slots, packing)
  const rowOf = new Int32Array(packing.members.length)
  const weights = new Float32Array(packing.members.length)
  for (let row = 0; row < rows; row += 1) {
    const start = offsets[row]!
    const length = offsets[row + 1]! - start
    for (let at = 0; at < length; at += 1) {
      rowOf[start + at] = row
      weights[start + at] = weightOf(mode, at, length)
    }
  }
  return scatterRows(tf.mul(slots, tf.tensor2d(weights, [weights.length, 1])), rowOf, rows)
}

function weightOf(mode: Exclude<PoolingMode, 'cls' | 'max' | 'lasttoken'>, at: number, length: number): number {
  if (mode === 'mean') return 1 / length
  return mode === 'mean_sqrt_len_tokens' ? 1 / Math.sqrt(length) : (at + 1) / ((length * (length + 1)) / 2)
}

function maxOfSlots(slots: tf.Tensor2D, packing: Packing): tf.Tensor2D {
  const { rows, time, offsets } = packing
  const hidden = slots.shape[1]
  const padding = new Float32Array(rows * time)
  for (let row = 0; row < rows; row += 1)
    padding.fill(-1e9, row * time + offsets[row + 1]! - offsets[row]!, (row + 1) * time)
  const spread = scatterRows(slots, paddedIndices(packing), rows * time)
  return tf.max(
    tf.reshape(tf.add(spread, tf.tensor2d(padding, [rows * time, 1])), [rows, time, hidden]),
    1,
  ) as tf.Tensor2D
}
