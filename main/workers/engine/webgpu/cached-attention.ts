// Attention of one new token a row over the keys that its row holds and its own.
//   o = Σ_j p_j v_j,  p = softmax(s q·k_j),  s = headDim^−½
// q, o [row, heads · headDim]; k, v [row, kvHeads · headDim]; keys, values [row · capacity, kvHeads · headDim]
import { FUSED_KERNELS } from '../../../core/learn/models/fused.ts'
import { type AttentionShape, NOTHING_SEEN, partsOf, weighIn } from './attention-parts.ts'
import {
  groupsFor,
  launch,
  LANES,
  like,
  MAIN,
  type Program,
  REDUCTIONS,
  register,
  release,
  upload,
  written,
  type KernelCall,
  type TensorHandle,
} from './launch.ts'

interface CachedAttributes extends AttentionShape {
  /** Keys each row holds before this token [row] */
  readonly lengths: Int32Array
  readonly capacity: number
  /** row · capacity + length [row] */
  readonly places: Int32Array
}

const APPEND: Program = {
  name: 'cache-append',
  code: `
struct Numbers { count: u32, width: u32 };
@group(0) @binding(0) var<storage, read_write> keys: array<f32>;
@group(0) @binding(1) var<storage, read_write> values: array<f32>;
@group(0) @binding(2) var<storage, read> k: array<f32>;
@group(0) @binding(3) var<storage, read> v: array<f32>;
@group(0) @binding(4) var<storage, read> places: array<i32>;
@group(0) @binding(5) var<uniform> numbers: Numbers;
${MAIN}
  if (index >= numbers.count) { return; }
  let to = u32(places[index / numbers.width]) * numbers.width + index % numbers.width;
  keys[to] = k[index];
  values[to] = v[index];
}`,
}

/** One new query a row: a workgroup a head, whose threads have every LANES-th key and join in the end. */
const cachedProgram = written((headDim: number): Program => {
  return {
    name: `cached-attention-${headDim}`,
    code: `
${partsOf(headDim)}
struct Numbers { rows: u32, heads: u32, kvHeads: u32, capacity: u32, scale: f32 };
@group(0) @binding(0) var<storage, read_write> o: array<Part>;
@group(0) @binding(1) var<storage, read> q: array<Part>;
@group(0) @binding(2) var<storage, read> keys: array<Part>;
@group(0) @binding(3) var<storage, read> values: array<Part>;
@group(0) @binding(4) var<storage, read> lengths: array<i32>;
@group(0) @binding(5) var<uniform> numbers: Numbers;
var<workgroup> joined: array<Part, ${LANES}>;
${REDUCTIONS}${MAIN}
  if (group >= numbers.rows * numbers.heads) { return; }
  let row = group / numbers.heads;
  let head = group % numbers.heads;
  let kvHead = head / (numbers.heads / numbers.kvHeads);
  let count = u32(lengths[row]) + 1u;
  var sum: array<Part, PARTS>;
  for (var d = 0u; d < PARTS; d += 1u) { sum[d] = Part(); }
  ${NOTHING_SEEN}
  for (var key = lane; key < count; key += ${LANES}u) {
    let base = ((row * numbers.capacity + key) * numbers.kvHeads + kvHead) * PARTS;
    var score = 0.0;
    for (var d = 0u; d < PARTS; d += 1u) { score += meet(q[group * PARTS + d] * numbers.scale, keys[base + d]); }
${weighIn('values[base + d]')}
  }
  let most = maxOfGroup(largest, lane);
  let share = exp(largest - most);
  let all = sumOfGroup(total * share, lane);
  for (var d = 0u; d < PARTS; d += 1u) {
    joined[lane] = sum[d] * share;
    workgroupBarrier();
    for (var half = ${LANES / 2}u; half > 0u; half >>= 1u) {
      if (lane < half) { joined[lane] += joined[lane + half]; }
      workgroupBarrier();
    }
    if (lane == 0u) { o[group * PARTS + d] = joined[0] / all; }
    workgroupBarrier();
  }
}`,
  }
})

/** Writes the new key and value into the cache that it is given. */
function cachedAttention({ inputs, backend, attrs }: KernelCall<CachedAttributes>): TensorHandle {
  const { q, k, v, keys, values } = inputs as Readonly<Record<'q' | 'k' | 'v' | 'keys' | 'values', TensorHandle>>
  const rows = q.shape[0]!
  const out = like(backend, q)
  const [places, lengths] = [upload(backend, attrs.places), upload(backend, attrs.lengths)]
  const width = attrs.kvHeads * attrs.headDim
  launch(backend, APPEND, {
    writes: [keys, values],
    reads: [k, v, places],
    numbers: [rows * width, width],
    workgroups: groupsFor(rows * width),
  })
  launch(backend, cachedProgram(attrs.headDim), {
    writes: [out],
    reads: [q, keys, values, lengths],
    numbers: [rows, attrs.heads, attrs.kvHeads, attrs.capacity, { float: 1 / Math.sqrt(attrs.headDim) }],
    workgroups: rows * attrs.heads,
  })
  release(backend, places)
  release(backend, lengths)
  return out
}

export function registerCachedAttention(): void {
  register(FUSED_KERNELS.cachedAttention, cachedAttention)
}
