// The gradient of one head’s attention.
import type { FunctionScope, ModuleBuilder } from './assemble-module.ts'
import { call, type Code, f32x4, get, i32, type Local, loopTo, set, v128 } from './assembler.ts'
import type { TileShape } from './wasm-gemm.ts'
import { bump, bytes } from './wasm-lanes.ts'
import { type ProductTasks, TILE_BYTES } from './wasm-product.ts'
import type { RowFunctions } from './wasm-rows.ts'
import { type Argument, defineTask, ownScratch, type Task } from './wasm-tasks.ts'
import {
  add,
  eachBlock,
  type HeadLocals,
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

export function defineBackward(
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
