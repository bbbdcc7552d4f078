// What both directions of a head’s attention are written with.
import type { FunctionScope } from './assemble-module.ts'
import { type Code, get, i32, type Local, loopTo, set } from './assembler.ts'
import type { TileShape } from './wasm-gemm.ts'
import { bytes } from './wasm-lanes.ts'

/** Queries that go through together; keys past the last of them are never touched, which saves near half the work. */
export const QUERY_BLOCK = 32

/** The table of rows: where each starts, its length, and its probabilities as bytes from the first. */
export const ROW_ENTRY = { start: 0, length: 4, probabilities: 8, bytes: 12 } as const

export const many = (scope: FunctionScope, count: number): Local[] =>
  Array.from({ length: count }, () => scope.local('i32'))

export const add = (...terms: readonly Code[]): Code => terms.reduce((sum, term) => i32.add(sum, term))

export const mul = (...factors: readonly Code[]): Code => factors.reduce((product, factor) => i32.mul(product, factor))

export const upTo = (count: Code, unit: number): Code =>
  i32.mul(i32.div(i32.add(count, i32.const(unit - 1)), i32.const(unit)), i32.const(unit))

/** What both directions know of their head and of the block of queries at hand. */
export function headLocals(scope: FunctionScope) {
  const [row, head, start, length, block, queryRow, keyRow, first, count, from, seen, width, own] = many(
    scope,
    13,
  ) as Local[]
  return {
    row: row!,
    head: head!,
    start: start!,
    length: length!,
    block: block!,
    queryRow: queryRow!,
    keyRow: keyRow!,
    first: first!,
    count: count!,
    from: from!,
    seen: seen!,
    width: width!,
    own: own!,
  }
}

export type HeadLocals = ReturnType<typeof headLocals>

export interface Shape {
  readonly table: Local
  readonly heads: Local
  readonly kvHeads: Local
  readonly headDim: Local
  readonly causal: Local
  readonly window: Local
}

export const lookUp = (h: HeadLocals, s: Shape): Code => {
  const entry = i32.add(get(s.table), i32.mul(get(h.row), i32.const(ROW_ENTRY.bytes)))
  return [
    set(h.start, i32.load(entry, ROW_ENTRY.start)),
    set(h.length, i32.load(entry, ROW_ENTRY.length)),
    set(h.queryRow, mul(get(s.heads), bytes(s.headDim))),
    set(h.keyRow, mul(get(s.kvHeads), bytes(s.headDim))),
  ]
}

export const probabilitiesAt = (h: HeadLocals, s: Shape, base: Local): Code =>
  add(
    get(base),
    i32.load(i32.add(get(s.table), i32.mul(get(h.row), i32.const(ROW_ENTRY.bytes))), ROW_ENTRY.probabilities),
    mul(get(h.head), get(h.length), bytes(h.length)),
  )

/** Byte offset of this head in a tensor of queries, and of its key-value head in one of keys. */
export const queryOffset = (h: HeadLocals, s: Shape): Code =>
  add(mul(get(h.start), get(h.queryRow)), mul(get(h.head), bytes(s.headDim)))

export const keyOffset = (h: HeadLocals, s: Shape, kvHead: Code): Code =>
  add(mul(get(h.start), get(h.keyRow)), mul(kvHead, bytes(s.headDim)))

/** Runs `body` for each block of queries, with the range of keys that it sees: from `from`, a panel's first column, to `seen`. */
export function eachBlock(h: HeadLocals, s: Shape, tile: TileShape, body: Code): Code {
  const earliest = i32.max(i32.const(0), i32.sub(get(h.first), i32.sub(get(s.window), i32.const(1))))
  const ifCode = (condition: Code, then: Code, otherwise: Code): Code => [then, otherwise, condition, 0x1b]
  return [
    set(h.first, i32.const(0)),
    loopTo(h.first, get(h.length), i32.const(QUERY_BLOCK), [
      set(h.count, i32.min(i32.const(QUERY_BLOCK), i32.sub(get(h.length), get(h.first)))),
      set(h.seen, ifCode(get(s.causal), i32.add(get(h.first), get(h.count)), get(h.length))),
      set(h.from, ifCode(get(s.window), i32.and(earliest, i32.const(-tile.columns)), i32.const(0))),
      set(h.width, i32.sub(get(h.seen), get(h.from))),
      body,
    ]),
  ]
}

export const panel = (tile: TileShape, depth: Local): Code => i32.mul(get(depth), i32.const(tile.columns * 4))
