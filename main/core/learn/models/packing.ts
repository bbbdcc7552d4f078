import type { TokenBatch } from '../define.ts'
import { numbersOf } from '../host-numbers.ts'

/**
 * The tokens of a batch without its padding and without repetition. What a decoder computes at a token depends on the
 * tokens up to it alone, so rows that begin alike (a prompt before its two completions) share those tokens: each
 * distinct prefix is one token here. Rows are lists of such tokens, end to end; a place in that list is a slot.
 */
export interface Packing {
  readonly rows: number
  /** Padded length of the batch. */
  readonly time: number
  /** Token ids [token] */
  readonly ids: Int32Array
  /** Place within the row, from 0 [token] */
  readonly positions: Int32Array
  /** Row r has slots offsets[r] … offsets[r + 1] − 1 [row + 1] */
  readonly offsets: Int32Array
  /** The token in each slot [slot] */
  readonly members: Int32Array
  /** One slot of each token [token]; null where every slot has a token of its own. */
  readonly firsts: Int32Array | null
}

/** @throws RangeError when the attention mask is not one run of ones at the start of each row, at least one long */
export function packTokens(tokens: Pick<TokenBatch, 'ids' | 'attention'>): Packing {
  return packSequences(tokenRows(tokens), tokens.ids.shape[1])
}

/** Each row's ids without its padding. @throws RangeError when the attention mask is not one run of ones at the start of each row */
export function tokenRows(tokens: Pick<TokenBatch, 'ids' | 'attention'>): ArrayLike<number>[] {
  const [rows, time] = tokens.ids.shape
  const ids = numbersOf(tokens.ids)
  const attention = numbersOf(tokens.attention)
  return Array.from({ length: rows }, (_, row) => {
    const start = row * time
    let length = 0
    while (length < time && attention[start + length] === 1) length += 1
    for (let t = length; t < time; t += 1) {
      if (attention[start + t] !== 0) throw new RangeError(`row ${row} is not padded on the right alone`)
    }
    return ids.subarray(start, start + length)
  })
}

/** Rows that share nothing, for attention that looks both ways: each slot is a token of its own. */
export function packWhole(
  sequences: readonly ArrayLike<number>[],
  time = Math.max(0, ...sequences.map((sequence) => sequence.length)),
): Packing {
  const offsets = rowOffsets(sequences)
  const slots = offsets[sequences.length]!
  const ids = new Int32Array(slots)
  const positions = new Int32Array(slots)
  sequences.forEach((sequence, row) => {
    for (let position = 0; position < sequence.length; position += 1) {
      ids[offsets[row]! + position] = sequence[position]!
      positions[offsets[row]! + position] = position
    }
  })
  return {
    rows: sequences.length,
    time,
    ids,
    positions,
    offsets,
    members: Int32Array.from({ length: slots }, (_, slot) => slot),
    firsts: null,
  }
}

/** @throws RangeError for a row without a token */
function rowOffsets(sequences: readonly ArrayLike<number>[]): Int32Array {
  const offsets = new Int32Array(sequences.length + 1)
  sequences.forEach((sequence, row) => {
    if (sequence.length === 0) throw new RangeError(`row ${row} holds no token`)
    offsets[row + 1] = offsets[row]! + sequence.length
  })
  return offsets
}

/** Rows of any length, at least one token each. */
export function packSequences(
  sequences: readonly ArrayLike<number>[],
  time = Math.max(0, ...sequences.map((sequence) => sequence.length)),
): Packing {
  const offsets = rowOffsets(sequences)
  const slots = offsets[sequences.length]!
  const members = new Int32Array(slots)
  const firsts: number[] = []
  const ids: number[] = []
  const positions: number[] = []
  const children = new Map<number, number>() // the token that follows a token with an id
  sequences.forEach((sequence, row) => {
    let parent = -1
    for (let position = 0; position < sequence.length; position += 1) {
      const id = sequence[position]!
      const key = (parent + 1) * 2 ** 26 + id // ids stay far below 2²⁶
      const slot = offsets[row]! + position
      let token = children.get(key)
      if (token === undefined) {
        token = ids.length
        children.set(key, token)
        ids.push(id)
        positions.push(position)
        firsts.push(slot)
      }
      members[slot] = token
      parent = token
    }
  })
  return {
    rows: sequences.length,
    time,
    ids: Int32Array.from(ids),
    positions: Int32Array.from(positions),
    offsets,
    members,
    firsts: ids.length === slots ? null : Int32Array.from(firsts),
  }
}

/** Where the padded batch holds each slot: row · time + position [slot] */
export function paddedIndices(packing: Packing): Int32Array {
  const indices = new Int32Array(packing.members.length)
  for (let row = 0; row < packing.rows; row += 1) {
    const start = packing.offsets[row]!
    for (let slot = start; slot < packing.offsets[row + 1]!; slot += 1)
      indices[slot] = row * packing.time + slot - start
  }
  return indices
}

/** What predicts the completion tokens. */
export interface Targets {
  /** The predicting tokens [target] */
  readonly from: Int32Array
  /** The id each of them should predict [target] */
  readonly ids: Int32Array
  /** Where the log-prob belongs: row · (time − 1) + position [target] */
  readonly places: Int32Array
}

export function completionTargets(tokens: TokenBatch, packing: Packing): Targets {
  const completion = numbersOf(tokens.completion)
  const from: number[] = []
  const ids: number[] = []
  const places: number[] = []
  for (let row = 0; row < packing.rows; row += 1) {
    const start = packing.offsets[row]!
    const length = packing.offsets[row + 1]! - start
    for (let t = 0; t + 1 < length; t += 1) {
      if (completion[row * packing.time + t + 1]! <= 0) continue
      from.push(packing.members[start + t]!)
      ids.push(packing.ids[packing.members[start + t + 1]!]!)
      places.push(row * (packing.time - 1) + t)
    }
  }
  return { from: Int32Array.from(from), ids: Int32Array.from(ids), places: Int32Array.from(places) }
}

/** The last token of each row [row] */
export function lastTokens(packing: Packing): Int32Array {
  return packing.offsets.subarray(1).map((end) => packing.members[end - 1]!)
}
