// The operations a decoder spends its time in. Each is written twice: here from plain operations, which any engine
// can run and differentiate, and as a kernel that an engine may bring under the same name, with its gradient beside it.
import { tf } from '../tf.ts'
import type { GeluForm } from './model-config.ts'
import { type Packing, paddedIndices } from './packing.ts'
import { withGradient } from './recorded.ts'
import type { RotaryTable } from './rope.ts'

export { rotaryTable, type RotaryTable } from './rope.ts'

/** Kernels an engine may register; the backward ones take what the forward ones were given, and dy. */
export const FUSED_KERNELS = {
  gather: 'PairlabGather',
  scatter: 'PairlabScatter',
  rmsNorm: 'PairlabRmsNorm',
  rmsNormGrad: 'PairlabRmsNormGrad',
  layerNorm: 'PairlabLayerNorm',
  layerNormGrad: 'PairlabLayerNormGrad',
  gelu: 'PairlabGelu',
  geluGrad: 'PairlabGeluGrad',
  swiGlu: 'PairlabSwiGlu',
  swiGluGrad: 'PairlabSwiGluGrad',
  rotary: 'PairlabRotary',
  attention: 'PairlabAttention',
  attentionGrad: 'PairlabAttentionGrad',
  cachedAttention: 'PairlabCachedAttention',
  logProb: 'PairlabLogProb',
  logProbGrad: 'PairlabLogProbGrad',
  frozenProduct: 'PairlabFrozenProduct',
  frozenGather: 'PairlabFrozenGather',
} as const

type Attributes = NonNullable<Parameters<ReturnType<typeof tf.engine>['runKernel']>[2]>

/** True where the engine brings this kernel. */
export function hasKernel(kernel: string): boolean {
  return tf.getKernel(kernel, tf.getBackend()) != null
}

export function runKernel(
  kernel: string,
  inputs: Readonly<Record<string, tf.Tensor>>,
  attributes: Readonly<Record<string, unknown>> = {},
): tf.Tensor[] {
  // The kernel's own file knows the attributes; tf's type for them lists only JSON-like values.
  const result = tf.engine().runKernel(kernel, inputs as never, attributes as unknown as Attributes) as
    | tf.Tensor
    | tf.Tensor[]
  return Array.isArray(result) ? result : [result]
}

/** Rows of a matrix. x [row, column], indices [n] in 0 … row − 1 → [n, column] */
export function gatherRows(x: tf.Tensor2D, indices: Int32Array): tf.Tensor2D {
  if (!hasKernel(FUSED_KERNELS.gather))
    return withGradient(
      [x],
      ([matrix]) => tf.gather(matrix!, tf.tensor1d(indices, 'int32')),
      (dy) => [scatterPlain(dy as tf.Tensor2D, indices, x.shape[0])],
    ) as tf.Tensor2D
  return withGradient(
    [x],
    ([matrix]) => runKernel(FUSED_KERNELS.gather, { x: matrix! }, { indices })[0]!,
    (dy) => runKernel(FUSED_KERNELS.scatter, { x: dy }, { indices, rows: x.shape[0] }),
  ) as tf.Tensor2D
}

/** Rows into a matrix of zeros, added where they meet. x [n, column], indices [n] → [row, column] */
export function scatterRows(x: tf.Tensor2D, indices: Int32Array, rows: number): tf.Tensor2D {
  if (!hasKernel(FUSED_KERNELS.scatter))
    return withGradient(
      [x],
      ([matrix]) => scatterPlain(matrix as tf.Tensor2D, indices, rows),
      (dy) => [tf.gather(dy, tf.tensor1d(indices, 'int32'))],
    ) as tf.Tensor2D
  return withGradient(
    [x],
    ([matrix]) => runKernel(FUSED_KERNELS.scatter, { x: matrix! }, { indices, rows })[0]!,
    (dy) => runKernel(FUSED_KERNELS.gather, { x: dy }, { indices }),
  ) as tf.Tensor2D
}

/** Where no two rows meet it is a gather from x and a row of zeros: sums over segments take some engines a pass for each. */
function scatterPlain(x: tf.Tensor2D, indices: Int32Array, rows: number): tf.Tensor2D {
  const from = new Int32Array(rows).fill(indices.length) // the row of zeros
  let meet = false
  indices.forEach((place, at) => {
    meet ||= from[place] !== indices.length
    from[place] = at
  })
  if (meet) return tf.unsortedSegmentSum(x, tf.tensor1d(indices, 'int32'), rows)
  return tf.tidy(() => tf.gather(tf.concat([x, tf.zeros([1, x.shape[1]])], 0), tf.tensor1d(from, 'int32')))
}

/** x / √(mean x² + ε) · weight (Zhang and Sennrich, 2019). x [token, hidden], weight [hidden] → [token, hidden] */
export function rmsNorm(x: tf.Tensor2D, weight: tf.Tensor1D, epsilon: number): tf.Tensor2D {
  if (!hasKernel(FUSED_KERNELS.rmsNorm)) {
    return tf.tidy(() => tf.mul(tf.mul(x, tf.rsqrt(tf.add(tf.mean(tf.square(x), 1, true), epsilon))), weight))
  }
  return withGradient(
    [x, weight],
    ([value, scale], save) => {
      save([value!, scale!])
      return runKernel(FUSED_KERNELS.rmsNorm, { x: value!, weight: scale! }, { epsilon })[0]!
    },
    (dy, [value, scale]) => runKernel(FUSED_KERNELS.rmsNormGrad, { x: value!, weight: scale!, dy }, { epsilon }),
  ) as tf.Tensor2D
}

/** (x − mean) / √(variance + ε) · weight + bias (Ba et al., 2016). x [token, hidden], weight and bias [hidden] → [token, hidden] */
export function layerNorm(x: tf.Tensor2D, weight: tf.Tensor1D, bias: tf.Tensor1D, epsilon: number): tf.Tensor2D {
  if (!hasKernel(FUSED_KERNELS.layerNorm)) {
    return tf.tidy(() => {
      const centred = tf.sub(x, tf.mean(x, 1, true))
      return tf.add(
        tf.mul(tf.mul(centred, tf.rsqrt(tf.add(tf.mean(tf.square(centred), 1, true), epsilon))), weight),
        bias,
      )
    })
  }
  return withGradient(
    [x, weight, bias],
    ([value, scale, shift], save) => {
      save([value!, scale!])
      return runKernel(FUSED_KERNELS.layerNorm, { x: value!, weight: scale!, bias: shift! }, { epsilon })[0]!
    },
    (dy, [value, scale]) => runKernel(FUSED_KERNELS.layerNormGrad, { x: value!, weight: scale!, dy }, { epsilon }), // dx, dWeight, dBias
  ) as tf.Tensor2D
}

/** x · Φ(x), elementwise. */
export function gelu(x: tf.Tensor2D, form: GeluForm): tf.Tensor2D {
  if (!hasKernel(FUSED_KERNELS.gelu)) return tf.tidy(() => tf.mul(tf.mul(x, 0.5), tf.add(geluGate(x, form), 1)))
  return withGradient(
    [x],
    ([value], save) => {
      save([value!])
      return runKernel(FUSED_KERNELS.gelu, { x: value! }, { form })[0]!
    },
    (dy, [value]) => runKernel(FUSED_KERNELS.geluGrad, { x: value!, dy }, { form }),
  ) as tf.Tensor2D
}

function geluGate(x: tf.Tensor2D, form: GeluForm): tf.Tensor {
  if (form === 'exact') return tf.erf(tf.mul(x, Math.SQRT1_2))
  return tf.tanh(tf.mul(tf.add(x, tf.mul(tf.mul(tf.square(x), x), 0.044715)), Math.sqrt(2 / Math.PI)))
}

/** SiLU(gate) ⊙ up, SiLU(x) = x · σ(x) (Shazeer, 2020). [token, feedForward] both → the same */
export function swiGlu(gate: tf.Tensor2D, up: tf.Tensor2D): tf.Tensor2D {
  if (!hasKernel(FUSED_KERNELS.swiGlu)) return tf.tidy(() => tf.mul(tf.mul(gate, tf.sigmoid(gate)), up))
  return withGradient(
    [gate, up],
    ([g, u], save) => {
      save([g!, u!])
      return runKernel(FUSED_KERNELS.swiGlu, { gate: g!, up: u! })[0]!
    },
    (dy, [g, u]) => runKernel(FUSED_KERNELS.swiGluGrad, { gate: g!, up: u!, dy }),
  ) as tf.Tensor2D
}

/** Rotary position embedding, half-split (Su et al., 2021; Llama's layout). x [token, heads · headDim] → the same */
export function rotary(x: tf.Tensor2D, positions: Int32Array, table: RotaryTable): tf.Tensor2D {
  if (!hasKernel(FUSED_KERNELS.rotary)) return rotaryPlain(x, positions, table)
  const { cos, sin, headDim } = table
  return withGradient(
    [x],
    ([value]) => runKernel(FUSED_KERNELS.rotary, { x: value! }, { positions, cos, sin, headDim, inverse: false })[0]!,
    // The transpose of a rotation is the rotation back.
    (dy) => runKernel(FUSED_KERNELS.rotary, { x: dy }, { positions, cos, sin, headDim, inverse: true }),
  ) as tf.Tensor2D
}

function rotaryPlain(x: tf.Tensor2D, positions: Int32Array, { cos, sin, headDim }: RotaryTable): tf.Tensor2D {
  return tf.tidy(() => {
    const half = headDim / 2
    const [count, width] = x.shape
    const rows = (table: Float32Array): tf.Tensor3D => {
      const values = new Float32Array(count * half)
      positions.forEach((position, token) =>
        values.set(table.subarray(position * half, (position + 1) * half), token * half),
      )
      return tf.tensor3d(values, [count, 1, half])
    }
    const [first, second] = tf.split(tf.reshape(x, [count, width / headDim, headDim]), 2, 2) as [
      tf.Tensor3D,
      tf.Tensor3D,
    ]
    const c = rows(cos)
    const s = rows(sin)
    const turned = tf.concat(
      [tf.sub(tf.mul(first, c), tf.mul(second, s)), tf.add(tf.mul(second, c), tf.mul(first, s))],
      2,
    )
    return tf.reshape(turned, [count, width])
  })
}

export interface AttentionShape {
  readonly heads: number
  /** Each serves heads / kvHeads query heads in a row (grouped-query attention). */
  readonly kvHeads: number
  readonly headDim: number
  /** Tokens see only what stands before them; absent: true. An encoder's see the whole row. */
  readonly causal?: boolean
  /** With causal attention, how many tokens one sees, itself included (Mistral's sliding window); null or absent: all. */
  readonly window?: number | null
}

/**
 * Attention within each row: softmax(q kᵀ / √headDim) v (Vaswani et al., 2017).
 * q [token, heads · headDim], k and v [token, kvHeads · headDim] → [token, heads · headDim]
 */
export function attention(
  q: tf.Tensor2D,
  k: tf.Tensor2D,
  v: tf.Tensor2D,
  packing: Packing,
  shape: AttentionShape,
): tf.Tensor2D {
  if (packing.firsts === null) return attentionOfSlots(q, k, v, packing, shape)
  const slots = (x: tf.Tensor2D): tf.Tensor2D => gatherRows(x, packing.members)
  return gatherRows(attentionOfSlots(slots(q), slots(k), slots(v), packing, shape), packing.firsts)
}

/** As above with q, k, v and the result [slot, …] */
function attentionOfSlots(
  q: tf.Tensor2D,
  k: tf.Tensor2D,
  v: tf.Tensor2D,
  packing: Packing,
  shape: AttentionShape,
): tf.Tensor2D {
  if (!hasKernel(FUSED_KERNELS.attention)) return attentionPlain(q, k, v, packing, shape)
  const { heads, kvHeads, headDim, causal = true, window = null } = shape
  const attributes = { heads, kvHeads, headDim, causal, window, offsets: packing.offsets }
  return withGradient(
    [q, k, v],
    (inputs, save) => {
      const [out, probabilities] = runKernel(
        FUSED_KERNELS.attention,
        { q: inputs[0]!, k: inputs[1]!, v: inputs[2]! },
        attributes,
      )
      save([...inputs, probabilities!])
      return out!
    },
    (dy, [savedQ, savedK, savedV, probabilities]) =>
      runKernel(
        FUSED_KERNELS.attentionGrad,
        { q: savedQ!, k: savedK!, v: savedV!, probabilities: probabilities!, dy },
        attributes,
      ),
  ) as tf.Tensor2D
}

function attentionPlain(
  q: tf.Tensor2D,
  k: tf.Tensor2D,
  v: tf.Tensor2D,
  packing: Packing,
  shape: AttentionShape,
): tf.Tensor2D {
  return tf.tidy(() => {
    const { rows, time } = packing
    const { heads, kvHeads, headDim } = shape
    const places = paddedIndices(packing)
    // [slot, heads · headDim] → [row, head, time, headDim]
    const spread = (x: tf.Tensor2D, count: number): tf.Tensor4D =>
      tf.transpose(tf.reshape(scatterRows(x, places, rows * time), [rows, time, count, headDim]), [0, 2, 1, 3])
    const repeat = (x: tf.Tensor4D): tf.Tensor4D =>
      kvHeads === heads
        ? x
        : tf.reshape(tf.mul(tf.expandDims(x, 2), tf.ones([1, 1, heads / kvHeads, 1, 1])), [rows, heads, time, headDim]) // tile has no gradient here
    const scores = tf.mul(tf.matMul(spread(q, heads), repeat(spread(k, kvHeads)), false, true), 1 / Math.sqrt(headDim))
    const probabilities = tf.softmax(tf.add(scores, attentionMask(packing, shape))) // [row, head, time, time]
    const mixed = tf.matMul(probabilities, repeat(spread(v, kvHeads)))
    return gatherRows(tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [rows * time, heads * headDim]), places)
  })
}

/** Keys and values of rows that grow, both [row · capacity, kvHeads · headDim] */
export interface CachedRows {
  readonly keys: tf.Tensor2D
  readonly values: tf.Tensor2D
}

export interface CachePlan {
  /** Keys each row holds before this token [row] */
  readonly lengths: Int32Array
  readonly capacity: number
  /** Where this token's key and value go: row · capacity + length [row] */
  readonly places: Int32Array
}

/**
 * Attention of one new token a row over its row's keys and its own, which are added to the cache. A kernel writes
 * into the tensors it is given; without one there are new tensors. No gradient.
 * q [row, heads · headDim], k and v [row, kvHeads · headDim] → [row, heads · headDim]
 */
export function cachedAttention(
  q: tf.Tensor2D,
  k: tf.Tensor2D,
  v: tf.Tensor2D,
  cached: CachedRows,
  plan: CachePlan,
  shape: AttentionShape,
): CachedRows & { readonly out: tf.Tensor2D } {
  // The kernels know no window.
  if (hasKernel(FUSED_KERNELS.cachedAttention) && (shape.window ?? null) === null) {
    const { heads, kvHeads, headDim } = shape
    const [out] = runKernel(FUSED_KERNELS.cachedAttention, { q, k, v, ...cached }, { heads, kvHeads, headDim, ...plan })
    return { out: out as tf.Tensor2D, ...cached }
  }
  const keys = tf.add(cached.keys, scatterRows(k, plan.places, cached.keys.shape[0])) as tf.Tensor2D
  const values = tf.add(cached.values, scatterRows(v, plan.places, cached.values.shape[0])) as tf.Tensor2D
  return { out: cachedAttentionPlain(q, keys, values, plan, shape), keys, values }
}

function cachedAttentionPlain(
  q: tf.Tensor2D,
  keys: tf.Tensor2D,
  values: tf.Tensor2D,
  { lengths, capacity }: CachePlan,
  { heads, kvHeads, headDim, window = null }: AttentionShape,
): tf.Tensor2D {
  return tf.tidy(() => {
    const rows = q.shape[0]
    // [row · capacity, kvHeads · headDim] → [row, kvHead, capacity, headDim]; a group's queries stand together
    const split = (x: tf.Tensor2D): tf.Tensor4D =>
      tf.transpose(tf.reshape(x, [rows, capacity, kvHeads, headDim]), [0, 2, 1, 3])
    const mask = new Float32Array(rows * capacity)
    lengths.forEach((length, row) => {
      mask.fill(-1e9, row * capacity + length + 1, (row + 1) * capacity)
      if (window !== null) mask.fill(-1e9, row * capacity, row * capacity + Math.max(0, length - window + 1))
    })
    const scores = tf.matMul(tf.reshape(q, [rows, kvHeads, heads / kvHeads, headDim]), split(keys), false, true)
    const probabilities = tf.softmax(
      tf.add(tf.mul(scores, 1 / Math.sqrt(headDim)), tf.tensor4d(mask, [rows, 1, 1, capacity])),
    )
    return tf.reshape(tf.matMul(probabilities, split(values)), [rows, heads * headDim])
  })
}

/** 0 where a token may look, −10⁹ elsewhere [row or 1, 1, query, key] */
function attentionMask(
  { rows, time, offsets }: Packing,
  { causal = true, window = null }: AttentionShape,
): tf.Tensor4D {
  if (!causal) {
    const values = new Float32Array(rows * time)
    for (let row = 0; row < rows; row += 1)
      values.fill(-1e9, row * time + offsets[row + 1]! - offsets[row]!, (row + 1) * time)
    return tf.tensor4d(values, [rows, 1, 1, time])
  }
  const values = new Float32Array(time * time)
  for (let query = 0; query < time; query += 1) {
    values.fill(-1e9, query * time + query + 1, (query + 1) * time)
    if (window !== null && query >= window) values.fill(-1e9, query * time, query * time + query - window + 1)
  }
  return tf.tensor4d(values, [1, 1, time, time])
}

/**
 * log softmax(logits)[target], with the largest logit subtracted first.
 * logits [n, vocab], targets [n] → [n]
 */
export function logProbOf(logits: tf.Tensor2D, targets: Int32Array): tf.Tensor1D {
  if (!hasKernel(FUSED_KERNELS.logProb)) {
    const oneHot = tf.oneHot(tf.tensor1d(targets, 'int32'), logits.shape[1], 1, 0, 'float32') as tf.Tensor2D
    return tf.tidy(() => tf.sum(tf.mul(tf.logSoftmax(logits), oneHot), 1))
  }
  return withGradient(
    [logits],
    ([scores], save) => {
      const [value, logSum] = runKernel(FUSED_KERNELS.logProb, { logits: scores! }, { targets })
      save([scores!, logSum!])
      return value!
    },
    (dy, [scores, logSum]) =>
      runKernel(FUSED_KERNELS.logProbGrad, { logits: scores!, logSum: logSum!, dy }, { targets }),
  ) as tf.Tensor1D
}
