import type { TokenBatch } from '../define.ts'

/**
 * The real tokens of a right-padded batch, row after row, with nothing in between. Everything but attention works
 * token by token, so a padded position costs nothing here.
 */
export interface Packing {
  readonly rows: number
  /** Padded length of the batch. */
  readonly time: number
  /** Real tokens in all rows together. */
  readonly count: number
  /** Row r holds tokens offsets[r] … offsets[r + 1] − 1 [row + 1] */
  readonly offsets: Int32Array
  /** Token ids [token] */
  readonly ids: Int32Array
  /** Place within the row, from 0 [token] */
  readonly positions: Int32Array
}

/** @throws RangeError when the attention mask is not one run of ones at the start of each row, at least one long */
export function packTokens(tokens: TokenBatch): Packing {
  const [rows, time] = tokens.ids.shape
  return packRows(tokens.ids.dataSync(), tokens.attention.dataSync(), rows, time)
}

function packRows(ids: ArrayLike<number>, attention: ArrayLike<number>, rows: number, time: number): Packing {
  const offsets = new Int32Array(rows + 1)
  for (let row = 0; row < rows; row += 1) {
    let length = 0
    while (length < time && attention[row * time + length] === 1) length += 1
    for (let t = length; t < time; t += 1) {
      if (attention[row * time + t] !== 0) throw new RangeError(`row ${row} is not padded on the right alone`)
    }
    if (length === 0) throw new RangeError(`row ${row} holds no token`)
    offsets[row + 1] = offsets[row]! + length
  }
  return packed(ids, offsets, time)
}

/** Rows of any length, given one after another. */
export function packSequences(sequences: readonly ArrayLike<number>[]): Packing {
  const time = Math.max(...sequences.map((sequence) => sequence.length))
  const offsets = new Int32Array(sequences.length + 1)
  const padded = new Int32Array(sequences.length * time)
  sequences.forEach((sequence, row) => {
    if (sequence.length === 0) throw new RangeError(`row ${row} holds no token`)
    offsets[row + 1] = offsets[row]! + sequence.length
    padded.set(sequence, row * time)
  })
  return packed(padded, offsets, time)
}

function packed(ids: ArrayLike<number>, offsets: Int32Array, time: number): Packing {
  const rows = offsets.length - 1
  const count = offsets[rows]!
  const packedIds = new Int32Array(count)
  const positions = new Int32Array(count)
  for (let row = 0; row < rows; row += 1) {
    const start = offsets[row]!
    const length = offsets[row + 1]! - start
    for (let t = 0; t < length; t += 1) {
      packedIds[start + t] = ids[row * time + t]!
      positions[start + t] = t
    }
  }
  return { rows, time, count, offsets, ids: packedIds, positions }
}

/** Where the padded batch holds each token: row · time + position [token] */
export function paddedIndices(packing: Packing): Int32Array {
  const indices = new Int32Array(packing.count)
  for (let row = 0; row < packing.rows; row += 1) {
    for (let token = packing.offsets[row]!; token < packing.offsets[row + 1]!; token += 1) indices[token] = row * packing.time + packing.positions[token]!
  }
  return indices
}

/** Which tokens predict a completion token. */
export interface Targets {
  /** The predicting tokens, as packed [target] */
  readonly from: Int32Array
  /** The id each of them should predict [target] */
  readonly ids: Int32Array
  /** Where the log-prob belongs: row · (time − 1) + position [target] */
  readonly slots: Int32Array
}

export function completionTargets(tokens: TokenBatch, packing: Packing): Targets {
  const completion = tokens.completion.dataSync()
  const from: number[] = []
  const slots: number[] = []
  for (let row = 0; row < packing.rows; row += 1) {
    const start = packing.offsets[row]!
    const length = packing.offsets[row + 1]! - start
    for (let t = 0; t + 1 < length; t += 1) {
      if (completion[row * packing.time + t + 1]! <= 0) continue
      from.push(start + t)
      slots.push(row * (packing.time - 1) + t)
    }
  }
  return { from: Int32Array.from(from), ids: Int32Array.from(from, (token) => packing.ids[token + 1]!), slots: Int32Array.from(slots) }
}

/** The last token of each row [row] */
export function lastTokens(packing: Packing): Int32Array {
  return packing.offsets.subarray(1).map((end) => end - 1)
}
