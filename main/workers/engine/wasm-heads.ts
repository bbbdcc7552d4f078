// Attention of one head of one row, as a chunk of a job: products of small matrices inside the thread's own scratch space.
import type { ModuleBuilder } from './assemble-module.ts'
import { call, type Code, get, i32, type Local, set } from './assembler.ts'
import type { TileShape } from './wasm-gemm.ts'
import { bytes } from './wasm-lanes.ts'
import { type ProductTasks, TILE_BYTES } from './wasm-product.ts'
import type { RowFunctions, RowTasks } from './wasm-rows.ts'
import { type Argument, defineTask, ownScratch, type Task } from './wasm-tasks.ts'
import {
  add,
  eachBlock,
  headLocals,
  keyOffset,
  lookUp,
  many,
  mul,
  panel,
  probabilitiesAt,
  QUERY_BLOCK,
  queryOffset,
  type Shape,
  upTo,
} from './wasm-head-parts.ts'
import { defineBackward } from './wasm-heads-backward.ts'

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
