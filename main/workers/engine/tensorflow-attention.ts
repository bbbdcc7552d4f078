// Attention within each row as TensorFlow's batched products.
import { type KernelCall, type OutputInfo, type TensorHandle, Work } from './tensorflow-ops.ts'

export interface AttentionAttributes {
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
  readonly causal: boolean
  readonly window: number | null
  readonly offsets: Int32Array
}

const HIDDEN = -1e9

/** How rows of slots stand in a padded batch. */
interface Layout {
  readonly rows: number
  readonly time: number
  readonly lengths: readonly number[]
  /** Null where no row is padded: the slots are the batch. */
  readonly places: number | null
}

function layoutOf(work: Work, offsets: Int32Array): Layout {
  const rows = offsets.length - 1
  const lengths = Array.from({ length: rows }, (_, row) => offsets[row + 1]! - offsets[row]!)
  const time = Math.max(0, ...lengths)
  if (lengths.every((length) => length === time)) return { rows, time, lengths, places: null }
  const places = work.table(`places ${lengths.join(' ')}`, [offsets[rows]!, 1], () =>
    Int32Array.from(lengths.flatMap((length, row) => Array.from({ length }, (_, at) => row * time + at))),
  )
  return { rows, time, lengths, places }
}

/** [slot, heads · headDim] → [row, head, time, headDim] */
function spread(work: Work, x: number, heads: number, headDim: number, { rows, time, places }: Layout): number {
  const padded = places === null ? x : work.op('ScatterNd', places, x, work.ints([rows * time, heads * headDim]))
  return work.op('Transpose', work.reshape(padded, [rows, time, heads, headDim]), work.ints([0, 2, 1, 3]))
}

/** The way back. */
function collect(work: Work, x: number, heads: number, headDim: number, { rows, time, places }: Layout): OutputInfo {
  const shape = work.ints([rows * time, heads * headDim])
  const padded = work.one('Reshape', [work.op('Transpose', x, work.ints([0, 2, 1, 3])), shape])
  return places === null ? padded : work.one('GatherNd', [padded.id, places])
}

/** 0 where a token may look, −10⁹ elsewhere [row or 1, 1, query or 1, key]; null where it may look everywhere */
function mask(
  work: Work,
  { rows, time, lengths, places }: Layout,
  { causal, window }: AttentionAttributes,
): number | null {
  if (!causal && places === null) return null
  if (!causal) {
    return work.table(`padding ${lengths.join(' ')}`, [rows, 1, 1, time], () => {
      const values = new Float32Array(rows * time)
      lengths.forEach((length, row) => values.fill(HIDDEN, row * time + length, (row + 1) * time))
      return values
    })
  }
  // What pads a row stands after all that looks back.
  return work.table(`causal ${time} ${window}`, [1, 1, time, time], () => {
    const values = new Float32Array(time * time)
    for (let query = 0; query < time; query += 1) {
      values.fill(HIDDEN, query * time + query + 1, (query + 1) * time)
      if (window !== null && query >= window) values.fill(HIDDEN, query * time, query * time + query - window + 1)
    }
    return values
  })
}

/** Query heads that share keys and values stand in one product: [row, head, time, x] as [row, kvHead, group · time, x] */
function grouped(
  work: Work,
  x: number,
  { heads, kvHeads }: AttentionAttributes,
  { rows, time }: Layout,
  width: number,
): number {
  return heads === kvHeads ? x : work.reshape(x, [rows, kvHeads, (heads / kvHeads) * time, width])
}

function apart(
  work: Work,
  x: number,
  { heads, kvHeads }: AttentionAttributes,
  { rows, time }: Layout,
  width: number,
): number {
  return heads === kvHeads ? x : work.reshape(x, [rows, heads, time, width])
}

/** → [slot, heads · headDim] and the probabilities [row, head, query, key] */
export function attention({ inputs, backend, attrs }: KernelCall<AttentionAttributes>): TensorHandle[] {
  const work = new Work(backend)
  const { heads, kvHeads, headDim } = attrs
  const layout = layoutOf(work, attrs.offsets)
  const [q, k, v] = work.of(inputs.q!, inputs.k!, inputs.v!) as [number, number, number]
  const scaled = work.op('Mul', q, work.number(1 / Math.sqrt(headDim)))
  const queries = grouped(work, spread(work, scaled, heads, headDim, layout), attrs, layout, headDim)
  const scores = apart(
    work,
    work.product(queries, spread(work, k, kvHeads, headDim, layout), false, true),
    attrs,
    layout,
    layout.time,
  )
  const hidden = mask(work, layout, attrs)
  const probabilities = work.one('Softmax', [hidden === null ? scores : work.op('AddV2', scores, hidden)])
  const mixed = work.product(
    grouped(work, probabilities.id, attrs, layout, layout.time),
    spread(work, v, kvHeads, headDim, layout),
  )
  return work.give(collect(work, apart(work, mixed, attrs, layout, headDim), heads, headDim, layout), probabilities)
}

/** → dq, dk, dv. With P the probabilities: dV = Pᵀ dO, dP = dO Vᵀ, dS = P ⊙ (dP − Σ dP ⊙ P) */
export function attentionGrad({ inputs, backend, attrs }: KernelCall<AttentionAttributes>): TensorHandle[] {
  const work = new Work(backend)
  const { heads, kvHeads, headDim } = attrs
  const layout = layoutOf(work, attrs.offsets)
  const { time } = layout
  const [q, k, v, all, dy] = work.of(inputs.q!, inputs.k!, inputs.v!, inputs.probabilities!, inputs.dy!) as [
    number,
    number,
    number,
    number,
    number,
  ]
  const probabilities = grouped(work, all, attrs, layout, time)
  const dOut = grouped(work, spread(work, dy, heads, headDim, layout), attrs, layout, headDim)
  const dValues = work.product(probabilities, dOut, true)
  const dProbabilities = work.product(dOut, spread(work, v, kvHeads, headDim, layout), false, true)
  const weighted = work.op('Mul', dProbabilities, probabilities)
  const dScores = work.op('Sub', weighted, work.op('Mul', probabilities, work.over('Sum', weighted, 3)))
  const scale = work.number(1 / Math.sqrt(headDim))
  const queries = grouped(work, spread(work, q, heads, headDim, layout), attrs, layout, headDim)
  const dQueries = work.op('Mul', work.product(dScores, spread(work, k, kvHeads, headDim, layout)), scale)
  const dKeys = work.op('Mul', work.product(dScores, queries, true), scale)
  return work.give(
    collect(work, apart(work, dQueries, attrs, layout, headDim), heads, headDim, layout),
    collect(work, dKeys, kvHeads, headDim, layout),
    collect(work, dValues, kvHeads, headDim, layout),
  )
}
