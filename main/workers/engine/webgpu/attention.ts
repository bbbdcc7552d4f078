// Attention within rows of slots, in one pass over the keys and without a matrix of scores.
//   o_i = Σ_j p_ij v_j,  p_ij = e^(s q_i·k_j − l_i),  l_i = log Σ_j e^(s q_i·k_j),  s = headDim^−½
// over the keys j that slot i sees: those of its row; causal: none after it; with a window: none more than that many before.
//   D_i = Σ_j p_ij (do_i·v_j);  dq_i = s Σ_j p_ij (do_i·v_j − D_i) k_j
//   dk_j = s Σ_i p_ij (do_i·v_j − D_i) q_i;  dv_j = Σ_i p_ij do_i        (Dao et al., 2022)
// q, o, do, dq [slot, heads · headDim]; k, v, dk, dv [slot, kvHeads · headDim]. A thread has one slot of one head, and the
// workgroup's threads share the keys (or queries) that they go through, a tile at a time in workgroup memory.
import { FUSED_KERNELS } from '../../../core/learn/models/fused.ts'
import { type AttentionShape, NOTHING_SEEN, partsOf, weighIn } from './attention-parts.ts'
import {
  groupsFor,
  launch,
  LANES,
  like,
  MAIN,
  output,
  type Program,
  register,
  release,
  table,
  written,
  type KernelCall,
  type TensorHandle,
} from './launch.ts'

interface AttentionAttributes extends AttentionShape {
  readonly causal?: boolean
  readonly window?: number | null
  /** [row + 1] */
  readonly offsets: Int32Array
}

/** Workgroup memory that every device has, and that two tiles may fill: 16 KiB, less what the compiler may add. */
const TILE_BYTES = 15_360

function prelude(headDim: number): string {
  const tile = Math.max(1, Math.min(32, Math.floor(TILE_BYTES / (8 * headDim))))
  return `
${partsOf(headDim)}
const TILE = ${tile}u;
struct Numbers { slots: u32, heads: u32, kvHeads: u32, causal: u32, window: u32, scale: f32 };
var<workgroup> one: array<Part, TILE * PARTS>;
var<workgroup> other: array<Part, TILE * PARTS>;
/** Whether the slot sees the key: bounds are those of the slot's row. */
fn sees(slot: u32, key: u32, bounds: vec2<u32>, numbers_: Numbers) -> bool {
  return key >= bounds.x && key < bounds.y
    && (numbers_.causal == 0u || (key <= slot && (numbers_.window == 0u || slot - key < numbers_.window)));
}
`
}

/**
 * The head of a main whose workgroups are (tile of LANES slots, head): `slot` is this thread's, `last` the tile's last, and
 * from `low` to `high` are all slots of the rows that the tile touches.
 */
const BY_SLOT = (heads: string): string => `${MAIN}
  let tiles = (numbers.slots + ${LANES - 1}u) / ${LANES}u;
  if (group >= tiles * ${heads}) { return; }
  let head = group / tiles;
  let first = group % tiles * ${LANES}u;
  let last = min(first + ${LANES}u, numbers.slots) - 1u;
  let slot = min(first + lane, last);
  let mine = first + lane <= last;
  let bounds = vec2<u32>(u32(rows[2u * slot]), u32(rows[2u * slot + 1u]));
  let low = u32(rows[2u * first]);
  let high = u32(rows[2u * last + 1u]);
`

/** Both tiles filled by all threads, from slots `start` … of two matrices with one head each. */
const fill = (one: string, other: string, heads: string, head: string): string => `
    workgroupBarrier();
    for (var at = lane; at < TILE * PARTS; at += ${LANES}u) {
      let base = start + at / PARTS;
      if (base < end) {
        let place = (base * ${heads} + ${head}) * PARTS + at % PARTS;
        one[at] = ${one}[place];
        other[at] = ${other}[place];
      }
    }
    workgroupBarrier();
`

/** stats [slot, head]: l */
const forwardProgram = written((headDim: number): Program => {
  return {
    name: `attention-${headDim}`,
    code: `${prelude(headDim)}
@group(0) @binding(0) var<storage, read_write> o: array<Part>;
@group(0) @binding(1) var<storage, read_write> stats: array<f32>;
@group(0) @binding(2) var<storage, read> q: array<Part>;
@group(0) @binding(3) var<storage, read> k: array<Part>;
@group(0) @binding(4) var<storage, read> v: array<Part>;
@group(0) @binding(5) var<storage, read> rows: array<i32>;
@group(0) @binding(6) var<uniform> numbers: Numbers;
${BY_SLOT('numbers.heads')}
  let kvHead = head / (numbers.heads / numbers.kvHeads);
  let end = select(high, last + 1u, numbers.causal == 1u);
  var query: array<Part, PARTS>;
  var sum: array<Part, PARTS>;
  for (var d = 0u; d < PARTS; d += 1u) {
    query[d] = q[(slot * numbers.heads + head) * PARTS + d] * numbers.scale;
    sum[d] = Part();
  }
  ${NOTHING_SEEN}
  for (var start = low; start < end; start += TILE) {
${fill('k', 'v', 'numbers.kvHeads', 'kvHead')}
    for (var t = 0u; t < min(TILE, end - start); t += 1u) {
      if (!sees(slot, start + t, bounds, numbers)) { continue; }
      var score = 0.0;
      for (var d = 0u; d < PARTS; d += 1u) { score += meet(query[d], one[t * PARTS + d]); }
${weighIn('other[t * PARTS + d]')}
    }
  }
  if (!mine) { return; }
  for (var d = 0u; d < PARTS; d += 1u) { o[(slot * numbers.heads + head) * PARTS + d] = sum[d] / total; }
  stats[slot * numbers.heads + head] = largest + log(total);
}`,
  }
})

/** → dq, and both [slot, head, (l, D)] */
const queryGradProgram = written((headDim: number): Program => {
  return {
    name: `attention-dq-${headDim}`,
    code: `${prelude(headDim)}
@group(0) @binding(0) var<storage, read_write> dq: array<Part>;
@group(0) @binding(1) var<storage, read_write> both: array<f32>;
@group(0) @binding(2) var<storage, read> q: array<Part>;
@group(0) @binding(3) var<storage, read> k: array<Part>;
@group(0) @binding(4) var<storage, read> v: array<Part>;
@group(0) @binding(5) var<storage, read> dy: array<Part>;
@group(0) @binding(6) var<storage, read> stats: array<f32>;
@group(0) @binding(7) var<storage, read> rows: array<i32>;
@group(0) @binding(8) var<uniform> numbers: Numbers;
${BY_SLOT('numbers.heads')}
  let kvHead = head / (numbers.heads / numbers.kvHeads);
  let end = select(high, last + 1u, numbers.causal == 1u);
  let logSum = stats[slot * numbers.heads + head];
  var query: array<Part, PARTS>;
  var up: array<Part, PARTS>;
  // Σ p (do·v) k and Σ p k: D is known only at the end.
  var weighted: array<Part, PARTS>;
  var plain: array<Part, PARTS>;
  for (var d = 0u; d < PARTS; d += 1u) {
    query[d] = q[(slot * numbers.heads + head) * PARTS + d] * numbers.scale;
    up[d] = dy[(slot * numbers.heads + head) * PARTS + d];
    weighted[d] = Part();
    plain[d] = Part();
  }
  var meeting = 0.0;
  for (var start = low; start < end; start += TILE) {
${fill('k', 'v', 'numbers.kvHeads', 'kvHead')}
    for (var t = 0u; t < min(TILE, end - start); t += 1u) {
      if (!sees(slot, start + t, bounds, numbers)) { continue; }
      var score = 0.0;
      var along = 0.0;
      for (var d = 0u; d < PARTS; d += 1u) {
        score += meet(query[d], one[t * PARTS + d]);
        along += meet(up[d], other[t * PARTS + d]);
      }
      let p = exp(score - logSum);
      meeting += p * along;
      for (var d = 0u; d < PARTS; d += 1u) {
        weighted[d] += (p * along) * one[t * PARTS + d];
        plain[d] += p * one[t * PARTS + d];
      }
    }
  }
  if (!mine) { return; }
  for (var d = 0u; d < PARTS; d += 1u) {
    dq[(slot * numbers.heads + head) * PARTS + d] = numbers.scale * (weighted[d] - meeting * plain[d]);
  }
  both[2u * (slot * numbers.heads + head)] = logSum;
  both[2u * (slot * numbers.heads + head) + 1u] = meeting;
}`,
  }
})

/** → dk, dv: a thread has a key of one head of keys, and goes through the queries of all heads that it serves. */
const keyGradProgram = written((headDim: number): Program => {
  return {
    name: `attention-dkv-${headDim}`,
    code: `${prelude(headDim)}
@group(0) @binding(0) var<storage, read_write> dk: array<Part>;
@group(0) @binding(1) var<storage, read_write> dv: array<Part>;
@group(0) @binding(2) var<storage, read> q: array<Part>;
@group(0) @binding(3) var<storage, read> k: array<Part>;
@group(0) @binding(4) var<storage, read> v: array<Part>;
@group(0) @binding(5) var<storage, read> dy: array<Part>;
@group(0) @binding(6) var<storage, read> both: array<f32>;
@group(0) @binding(7) var<storage, read> rows: array<i32>;
@group(0) @binding(8) var<uniform> numbers: Numbers;
${BY_SLOT('numbers.kvHeads')}
  let group_ = numbers.heads / numbers.kvHeads;
  let begin = select(low, first, numbers.causal == 1u);
  let end = high;
  var key: array<Part, PARTS>;
  var value: array<Part, PARTS>;
  var dKey: array<Part, PARTS>;
  var dValue: array<Part, PARTS>;
  for (var d = 0u; d < PARTS; d += 1u) {
    key[d] = k[(slot * numbers.kvHeads + head) * PARTS + d] * numbers.scale;
    value[d] = v[(slot * numbers.kvHeads + head) * PARTS + d];
    dKey[d] = Part();
    dValue[d] = Part();
  }
  for (var part = 0u; part < group_; part += 1u) {
    let queryHead = head * group_ + part;
    for (var start = begin; start < end; start += TILE) {
${fill('q', 'dy', 'numbers.heads', 'queryHead')}
      for (var t = 0u; t < min(TILE, end - start); t += 1u) {
        // A key and what sees it are in one row.
        if (!sees(start + t, slot, bounds, numbers) || start + t < bounds.x || start + t >= bounds.y) { continue; }
        var score = 0.0;
        var along = 0.0;
        for (var d = 0u; d < PARTS; d += 1u) {
          score += meet(key[d], one[t * PARTS + d]);
          along += meet(value[d], other[t * PARTS + d]);
        }
        let place = 2u * ((start + t) * numbers.heads + queryHead);
        let p = exp(score - both[place]);
        let slope = p * (along - both[place + 1u]);
        for (var d = 0u; d < PARTS; d += 1u) {
          dKey[d] += slope * one[t * PARTS + d];
          dValue[d] += p * other[t * PARTS + d];
        }
      }
    }
  }
  if (!mine) { return; }
  for (var d = 0u; d < PARTS; d += 1u) {
    dk[(slot * numbers.kvHeads + head) * PARTS + d] = numbers.scale * dKey[d];
    dv[(slot * numbers.kvHeads + head) * PARTS + d] = dValue[d];
  }
}`,
  }
})

/** Where the row of each slot begins and ends [slot, 2] */
function boundsOf(offsets: Int32Array): Int32Array {
  const rows = offsets.length - 1
  const bounds = new Int32Array(2 * offsets[rows]!)
  for (let row = 0; row < rows; row += 1)
    for (let slot = offsets[row]!; slot < offsets[row + 1]!; slot += 1)
      bounds.set([offsets[row]!, offsets[row + 1]!], 2 * slot)
  return bounds
}

function numbersOf(slots: number, { heads, kvHeads, headDim, causal = true, window = null }: AttentionAttributes) {
  return [slots, heads, kvHeads, causal ? 1 : 0, causal ? (window ?? 0) : 0, { float: 1 / Math.sqrt(headDim) }]
}

type Named = Readonly<Record<'q' | 'k' | 'v' | 'dy' | 'probabilities', TensorHandle>>

/** → o, l in place of probabilities */
function attention({ inputs, backend, attrs }: KernelCall<AttentionAttributes>): TensorHandle[] {
  const { q, k, v } = inputs as Named
  const slots = q.shape[0]!
  const writes = [like(backend, q), output(backend, [slots, attrs.heads])]
  launch(backend, forwardProgram(attrs.headDim), {
    writes,
    reads: [q, k, v, table(backend, attrs.offsets, 'bounds', boundsOf)],
    numbers: numbersOf(slots, attrs),
    workgroups: groupsFor(slots) * attrs.heads,
  })
  return writes
}

/** → dq, dk, dv */
function attentionGrad({ inputs, backend, attrs }: KernelCall<AttentionAttributes>): TensorHandle[] {
  const { q, k, v, dy, probabilities: stats } = inputs as Named
  const slots = q.shape[0]!
  const [dq, dk, dv] = [like(backend, q), like(backend, k), like(backend, v)]
  const both = output(backend, [slots, attrs.heads, 2])
  const rows = table(backend, attrs.offsets, 'bounds', boundsOf)
  const numbers = numbersOf(slots, attrs)
  launch(backend, queryGradProgram(attrs.headDim), {
    writes: [dq, both],
    reads: [q, k, v, dy, stats, rows],
    numbers,
    workgroups: groupsFor(slots) * attrs.heads,
  })
  launch(backend, keyGradProgram(attrs.headDim), {
    writes: [dk, dv],
    reads: [q, k, v, dy, both, rows],
    numbers,
    workgroups: groupsFor(slots) * attrs.kvHeads,
  })
  release(backend, both)
  return [dq, dk, dv]
}

export function registerAttention(): void {
  register(FUSED_KERNELS.attention, attention)
  register(FUSED_KERNELS.attentionGrad, attentionGrad)
}
