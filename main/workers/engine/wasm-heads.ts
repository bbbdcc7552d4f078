// Attention of one head of one row, as a chunk of a job: products of small matrices inside the thread's own scratch space.
import {
  call,
  type Code,
  f32x4,
  get,
  i32,
  loopTo,
  type Local,
  type ModuleBuilder,
  set,
  v128,
  type FunctionScope,
} from './assembler.ts'
import type { TileShape } from './wasm-gemm.ts'
import { bump, bytes } from './wasm-lanes.ts'
import { type ProductTasks, TILE_BYTES } from './wasm-product.ts'
import type { RowFunctions, RowTasks } from './wasm-rows.ts'
import { type Argument, defineTask, ownScratch, type Task } from './wasm-tasks.ts'

/** Queries that go through together; keys past the last of them are never touched, which saves near half the work. */
export const QUERY_BLOCK = 32

/** The table of rows: where each starts, its length, and its probabilities as bytes from the first. */
export const ROW_ENTRY = { start: 0, length: 4, probabilities: 8, bytes: 12 } as const

export interface HeadTasks {
  /** (q, k, v, out, probabilities, table, heads, kvHeads, headDim, causal, window, scratch, scratchStride, scale); a chunk is a head */
  readonly attention: Task
  /** (q, k, v, probabilities, dy, dq, dk, dv, table, heads, kvHeads, headDim, causal, window, scratch, scratchStride, scale); a chunk is a key-value head */
  readonly attentionGrad: Task
  /** (q, keys, values, out, lengths, heads, kvHeads, headDim, capacity, scratch, scratchStride, scale); a chunk is a head */
  readonly cachedAttention: Task
}

export function defineHeads(
  module: ModuleBuilder,
  tile: TileShape,
  product: ProductTasks,
  rows: RowTasks & RowFunctions,
): HeadTasks {
  return {
    attention: defineForward(module, tile, product, rows),
    attentionGrad: defineBackward(module, tile, product, rows),
    cachedAttention: defineCached(module, rows),
  }
}

/** Bytes of scratch space that a head of this size needs, both ways. */
export function headScratchBytes(length: number, headDim: number, tile: TileShape): number {
  const up = (count: number, unit: number): number => Math.ceil(count / unit) * unit
  const panels = headDim * up(length, tile.columns) + length * up(headDim, tile.columns)
  const block = QUERY_BLOCK * (length + up(length, tile.rows) + up(headDim, tile.columns))
  return TILE_BYTES + (panels + block) * 4
}

const many = (scope: FunctionScope, count: number): Local[] => Array.from({ length: count }, () => scope.local('i32'))
const add = (...terms: readonly Code[]): Code => terms.reduce((sum, term) => i32.add(sum, term))
const mul = (...factors: readonly Code[]): Code => factors.reduce((product, factor) => i32.mul(product, factor))
const upTo = (count: Code, unit: number): Code =>
  i32.mul(i32.div(i32.add(count, i32.const(unit - 1)), i32.const(unit)), i32.const(unit))

/** What both directions know of their head and of the block of queries at hand. */
function headLocals(scope: FunctionScope) {
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

type HeadLocals = ReturnType<typeof headLocals>

interface Shape {
  readonly table: Local
  readonly heads: Local
  readonly kvHeads: Local
  readonly headDim: Local
  readonly causal: Local
  readonly window: Local
}

const lookUp = (h: HeadLocals, s: Shape): Code => {
  const entry = i32.add(get(s.table), i32.mul(get(h.row), i32.const(ROW_ENTRY.bytes)))
  return [
    set(h.start, i32.load(entry, ROW_ENTRY.start)),
    set(h.length, i32.load(entry, ROW_ENTRY.length)),
    set(h.queryRow, mul(get(s.heads), bytes(s.headDim))),
    set(h.keyRow, mul(get(s.kvHeads), bytes(s.headDim))),
  ]
}

const probabilitiesAt = (h: HeadLocals, s: Shape, base: Local): Code =>
  add(
    get(base),
    i32.load(i32.add(get(s.table), i32.mul(get(h.row), i32.const(ROW_ENTRY.bytes))), ROW_ENTRY.probabilities),
    mul(get(h.head), get(h.length), bytes(h.length)),
  )

/** Byte offset of this head in a tensor of queries, and of its key-value head in one of keys. */
const queryOffset = (h: HeadLocals, s: Shape): Code =>
  add(mul(get(h.start), get(h.queryRow)), mul(get(h.head), bytes(s.headDim)))
const keyOffset = (h: HeadLocals, s: Shape, kvHead: Code): Code =>
  add(mul(get(h.start), get(h.keyRow)), mul(kvHead, bytes(s.headDim)))

/** Runs `body` for each block of queries, with the range of keys that it sees: from `from`, a panel's first column, to `seen`. */
function eachBlock(h: HeadLocals, s: Shape, tile: TileShape, body: Code): Code {
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

const panel = (tile: TileShape, depth: Local): Code => i32.mul(get(depth), i32.const(tile.columns * 4))

function defineForward(
  module: ModuleBuilder,
  tile: TileShape,
  { gemm, packPanels }: ProductTasks,
  { softmax }: RowFunctions,
): Task {
  const params: Argument[] = [...Array<Argument>(13).fill('i32'), 'f32']
  return defineTask(
    module,
    params,
    (
      scope,
      chunk,
      q,
      k,
      v,
      out,
      probabilities,
      table,
      heads,
      kvHeads,
      headDim,
      causal,
      window,
      scratch,
      stride,
      scale,
    ) => {
      const h = headLocals(scope)
      const s: Shape = {
        table: table!,
        heads: heads!,
        kvHeads: kvHeads!,
        headDim: headDim!,
        causal: causal!,
        window: window!,
      }
      const [queries, target, p, keys, values] = many(scope, 5) as [Local, Local, Local, Local, Local]
      const kvHead = i32.div(mul(get(h.head), get(s.kvHeads)), get(s.heads))
      const rowOf = (base: Local): Code => add(get(base), mul(get(h.first), get(h.queryRow)))
      const scores = add(get(h.block), bytes(h.from))
      return [
        set(h.row, i32.div(get(chunk), get(s.heads))),
        set(h.head, i32.remainder(get(chunk), get(s.heads))),
        lookUp(h, s),
        set(h.own, ownScratch(scratch!, stride!)),
        set(keys, i32.add(get(h.own), i32.const(TILE_BYTES))),
        set(values, add(get(keys), mul(bytes(s.headDim), upTo(get(h.length), tile.columns)))),
        set(queries, i32.add(get(q!), queryOffset(h, s))),
        set(target, i32.add(get(out!), queryOffset(h, s))),
        set(p, probabilitiesAt(h, s, probabilities!)),
        call(
          packPanels,
          add(get(k!), keyOffset(h, s, kvHead)),
          i32.const(4),
          get(h.keyRow),
          get(keys),
          get(s.headDim),
          get(h.length),
        ),
        call(
          packPanels,
          add(get(v!), keyOffset(h, s, kvHead)),
          get(h.keyRow),
          i32.const(4),
          get(values),
          get(h.length),
          get(s.headDim),
        ),
        eachBlock(h, s, tile, [
          set(h.block, add(get(p), mul(get(h.first), bytes(h.length)))),
          call(
            gemm,
            i32.const(0),
            rowOf(queries),
            get(h.queryRow),
            add(get(keys), mul(get(h.from), bytes(s.headDim))),
            panel(tile, s.headDim),
            scores,
            bytes(h.length),
            get(h.count),
            get(h.width),
            get(s.headDim),
            i32.const(0),
            get(h.own),
          ),
          call(
            softmax,
            scores,
            bytes(h.length),
            get(h.count),
            get(h.first),
            get(h.from),
            get(h.seen),
            get(s.causal),
            get(s.window),
            get(scale!),
          ),
          call(
            gemm,
            i32.const(0),
            scores,
            bytes(h.length),
            add(get(values), mul(get(h.from), i32.const(tile.columns * 4))),
            panel(tile, h.length),
            rowOf(target),
            get(h.queryRow),
            get(h.count),
            get(s.headDim),
            get(h.width),
            i32.const(0),
            get(h.own),
          ),
        ]),
      ]
    },
  )
}

function defineBackward(
  module: ModuleBuilder,
  tile: TileShape,
  { gemm, packPanels, packStrips }: ProductTasks,
  { softmaxGrad }: RowFunctions,
): Task {
  const params: Argument[] = [...Array<Argument>(16).fill('i32'), 'f32']
  return defineTask(
    module,
    params,
    (
      scope,
      chunk,
      q,
      k,
      v,
      probabilities,
      dy,
      dq,
      dk,
      dv,
      table,
      heads,
      kvHeads,
      headDim,
      causal,
      window,
      scratch,
      stride,
      scale,
    ) => {
      const h = headLocals(scope)
      const s: Shape = {
        table: table!,
        heads: heads!,
        kvHeads: kvHeads!,
        headDim: headDim!,
        causal: causal!,
        window: window!,
      }
      const [kvHead, lastHead, keyAt, queryAt, p, keys, values, ds, strips, right] = many(scope, 10) as Local[]
      const scores = add(get(h.block), bytes(h.from))
      const rowOf = (base: Local): Code => add(get(base), get(queryAt!), mul(get(h.first), get(h.queryRow)))
      /** target[from … seen] += leftᵀ · right over the block's queries */
      const gather = (left: Code, source: Local, target: Local): Code => [
        call(packStrips, left, bytes(h.length), i32.const(4), get(strips!), get(h.count), get(h.width)),
        call(packPanels, rowOf(source), get(h.queryRow), i32.const(4), get(right!), get(h.count), get(s.headDim)),
        call(
          gemm,
          i32.const(1),
          get(strips!),
          i32.const(0),
          get(right!),
          panel(tile, h.count),
          add(get(target), get(keyAt!), mul(get(h.from), get(h.keyRow))),
          get(h.keyRow),
          get(h.width),
          get(s.headDim),
          get(h.count),
          i32.const(1),
          get(h.own),
        ),
      ]
      return [
        set(h.row, i32.div(get(chunk), get(s.kvHeads))),
        set(kvHead!, i32.remainder(get(chunk), get(s.kvHeads))),
        lookUp(h, s),
        set(keyAt!, keyOffset(h, s, get(kvHead!))),
        set(h.own, ownScratch(scratch!, stride!)),
        set(values!, i32.add(get(h.own), i32.const(TILE_BYTES))),
        set(keys!, add(get(values!), mul(bytes(s.headDim), upTo(get(h.length), tile.columns)))),
        set(ds!, add(get(keys!), mul(bytes(h.length), upTo(get(s.headDim), tile.columns)))),
        set(strips!, add(get(ds!), mul(bytes(h.length), i32.const(QUERY_BLOCK)))),
        set(right!, add(get(strips!), mul(upTo(get(h.length), tile.rows), i32.const(QUERY_BLOCK * 4)))),
        clearRows(scope, add(get(dk!), get(keyAt!)), h, s),
        clearRows(scope, add(get(dv!), get(keyAt!)), h, s),
        call(
          packPanels,
          add(get(v!), get(keyAt!)),
          i32.const(4),
          get(h.keyRow),
          get(values!),
          get(s.headDim),
          get(h.length),
        ),
        call(
          packPanels,
          add(get(k!), get(keyAt!)),
          get(h.keyRow),
          i32.const(4),
          get(keys!),
          get(h.length),
          get(s.headDim),
        ),
        set(h.head, i32.div(mul(get(kvHead!), get(s.heads)), get(s.kvHeads))),
        set(lastHead!, i32.add(get(h.head), i32.div(get(s.heads), get(s.kvHeads)))),
        loopTo(h.head, get(lastHead!), i32.const(1), [
          set(queryAt!, queryOffset(h, s)),
          set(p!, probabilitiesAt(h, s, probabilities!)),
          eachBlock(h, s, tile, [
            set(h.block, add(get(p!), mul(get(h.first), bytes(h.length)))),
            // dP = dO Vᵀ, then dS in its place
            call(
              gemm,
              i32.const(0),
              rowOf(dy!),
              get(h.queryRow),
              add(get(values!), mul(get(h.from), bytes(s.headDim))),
              panel(tile, s.headDim),
              get(ds!),
              bytes(h.length),
              get(h.count),
              get(h.width),
              get(s.headDim),
              i32.const(0),
              get(h.own),
            ),
            call(
              softmaxGrad,
              scores,
              get(ds!),
              bytes(h.length),
              get(h.count),
              get(h.first),
              get(h.from),
              get(h.seen),
              get(s.causal),
              get(s.window),
              get(scale!),
            ),
            // dQ = dS K
            call(
              gemm,
              i32.const(0),
              get(ds!),
              bytes(h.length),
              add(get(keys!), mul(get(h.from), i32.const(tile.columns * 4))),
              panel(tile, h.length),
              rowOf(dq!),
              get(h.queryRow),
              get(h.count),
              get(s.headDim),
              get(h.width),
              i32.const(0),
              get(h.own),
            ),
            gather(scores, dy!, dv!), // dV += Pᵀ dO
            gather(get(ds!), q!, dk!), // dK += dSᵀ Q
          ]),
        ]),
      ]
    },
  )
}

/** Zeros for this head in a [token, kvHeads · headDim] tensor. */
function clearRows(scope: FunctionScope, start: Code, h: HeadLocals, s: Shape): Code {
  const [row, at, item] = many(scope, 3) as [Local, Local, Local]
  return [
    set(at, start),
    set(row, i32.const(0)),
    loopTo(row, get(h.length), i32.const(1), [
      set(item, i32.const(0)),
      loopTo(item, bytes(s.headDim), i32.const(4), v128.storeFirst(i32.add(get(at), get(item)), f32x4.const(0))),
      bump(at, get(h.keyRow)),
    ]),
  ]
}

/** One query a row over the keys of its cache. */
function defineCached(module: ModuleBuilder, { softmax, dots, weightedSum }: RowFunctions): Task {
  const params: Argument[] = [...Array<Argument>(11).fill('i32'), 'f32']
  return defineTask(
    module,
    params,
    (scope, chunk, q, keys, values, out, lengths, heads, kvHeads, headDim, capacity, scratch, stride, scale) => {
      const [row, head, seen, scores, query, keyRow, start] = many(scope, 7) as [
        Local,
        Local,
        Local,
        Local,
        Local,
        Local,
        Local,
      ]
      return [
        set(row, i32.div(get(chunk), get(heads!))),
        set(head, i32.remainder(get(chunk), get(heads!))),
        set(seen, i32.add(i32.load(i32.add(get(lengths!), bytes(row))), i32.const(1))),
        set(scores, ownScratch(scratch!, stride!)),
        set(query, mul(get(chunk), bytes(headDim!))),
        set(keyRow, mul(get(kvHeads!), bytes(headDim!))),
        set(
          start,
          add(
            mul(get(row), get(capacity!), get(keyRow)),
            mul(i32.div(mul(get(head), get(kvHeads!)), get(heads!)), bytes(headDim!)),
          ),
        ),
        call(
          dots,
          add(get(q!), get(query)),
          add(get(keys!), get(start)),
          get(keyRow),
          get(seen),
          get(headDim!),
          get(scores),
        ),
        call(
          softmax,
          get(scores),
          i32.const(0),
          i32.const(1),
          i32.const(0),
          i32.const(0),
          get(seen),
          i32.const(0),
          i32.const(0),
          get(scale!),
        ),
        call(
          weightedSum,
          get(scores),
          add(get(values!), get(start)),
          get(keyRow),
          get(seen),
          get(headDim!),
          add(get(out!), get(query)),
        ),
      ]
    },
  )
}
