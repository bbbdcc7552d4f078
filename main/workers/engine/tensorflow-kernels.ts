// The decoder's own operations (main/core/learn/models/fused.ts) in TensorFlow's, with gradients written out: half the
// launches of what the library derives by itself.
import { FUSED_KERNELS } from '../../core/learn/models/fused.ts'
import type { RotaryAttributes } from '../../core/learn/models/rope.ts'
import { attention, attentionGrad } from './tensorflow-attention.ts'
import { type KernelCall, registerTensorflowKernel, type TensorHandle, Work } from './tensorflow-ops.ts'
import { registerTensorflowOptimizer } from './tensorflow-optimizer.ts'

export function registerTensorflowKernels(): void {
  registerTensorflowKernel(FUSED_KERNELS.gather, gather)
  registerTensorflowKernel(FUSED_KERNELS.scatter, scatter)
  registerTensorflowKernel(FUSED_KERNELS.rmsNorm, rmsNorm)
  registerTensorflowKernel(FUSED_KERNELS.rmsNormGrad, rmsNormGrad)
  registerTensorflowKernel(FUSED_KERNELS.swiGlu, swiGlu)
  registerTensorflowKernel(FUSED_KERNELS.swiGluGrad, swiGluGrad)
  registerTensorflowKernel(FUSED_KERNELS.rotary, rotary)
  registerTensorflowKernel(FUSED_KERNELS.attention, attention)
  registerTensorflowKernel(FUSED_KERNELS.attentionGrad, attentionGrad)
  registerTensorflowKernel(FUSED_KERNELS.logProb, logProb)
  registerTensorflowKernel(FUSED_KERNELS.logProbGrad, logProbGrad)
  registerTensorflowKernel('BatchMatMul', product)
  registerTensorflowKernel('Add', add)
  registerTensorflowOptimizer()
}

/** Of two matrices TensorFlow has an operation of its own, which is the faster one. */
function product({
  inputs,
  backend,
  attrs,
}: KernelCall<{ readonly transposeA: boolean; readonly transposeB: boolean }>): TensorHandle {
  const work = new Work(backend)
  const [a, b] = work.of(inputs.a!, inputs.b!) as [number, number]
  const flat = inputs.a!.shape.length === 2 && inputs.b!.shape.length === 2
  const [first, second] = flat ? ['transpose_a', 'transpose_b'] : ['adj_x', 'adj_y']
  return work.give(
    work.one(
      flat ? 'MatMul' : 'BatchMatMulV2',
      [a, b],
      [work.flag(first!, attrs.transposeA), work.flag(second!, attrs.transposeB)],
    ),
  )[0]!
}

function add({ inputs, backend }: KernelCall): TensorHandle {
  const work = new Work(backend)
  return work.give(work.one('AddV2', work.of(inputs.a!, inputs.b!)))[0]!
}

function gather({ inputs, backend, attrs }: KernelCall<{ readonly indices: Int32Array }>): TensorHandle[] {
  const work = new Work(backend)
  const [x] = work.of(inputs.x!) as [number]
  return work.give(work.one('GatherV2', [x, work.place(attrs.indices), work.int(0)]))
}

function scatter({
  inputs,
  backend,
  attrs,
}: KernelCall<{ readonly indices: Int32Array; readonly rows: number }>): TensorHandle[] {
  const work = new Work(backend)
  const [x] = work.of(inputs.x!) as [number]
  return work.give(work.one('UnsortedSegmentSum', [x, work.place(attrs.indices), work.int(attrs.rows)]))
}

/** 1 / √(mean x² + ε) of each row [row, 1] */
function inverseNorm(work: Work, x: number, epsilon: number): number {
  return work.op('Rsqrt', work.op('AddV2', work.over('Mean', work.op('Square', x), 1), work.number(epsilon)))
}

function rmsNorm({ inputs, backend, attrs }: KernelCall<{ readonly epsilon: number }>): TensorHandle[] {
  const work = new Work(backend)
  const [x, weight] = work.of(inputs.x!, inputs.weight!) as [number, number]
  return work.give(work.one('Mul', [work.op('Mul', x, inverseNorm(work, x, attrs.epsilon)), weight]))
}

/** With n = x · r and h = dy ⊙ w: dx = r (h − n · mean(h ⊙ n)), dw = Σ dy ⊙ n */
function rmsNormGrad({ inputs, backend, attrs }: KernelCall<{ readonly epsilon: number }>): TensorHandle[] {
  const work = new Work(backend)
  const [x, weight, dy] = work.of(inputs.x!, inputs.weight!, inputs.dy!) as [number, number, number]
  const inverse = inverseNorm(work, x, attrs.epsilon)
  const normed = work.op('Mul', x, inverse)
  const h = work.op('Mul', dy, weight)
  const shared = work.over('Mean', work.op('Mul', h, normed), 1)
  const dx = work.one('Mul', [inverse, work.op('Sub', h, work.op('Mul', normed, shared))])
  const dWeight = work.one('Sum', [work.op('Mul', dy, normed), work.ints([0])])
  return work.give(dx, dWeight)
}

function swiGlu({ inputs, backend }: KernelCall): TensorHandle[] {
  const work = new Work(backend)
  const [gate, up] = work.of(inputs.gate!, inputs.up!) as [number, number]
  return work.give(work.one('Mul', [work.op('Mul', gate, work.op('Sigmoid', gate)), up]))
}

/** silu′ = σ + silu · (1 − σ) */
function swiGluGrad({ inputs, backend }: KernelCall): TensorHandle[] {
  const work = new Work(backend)
  const [gate, up, dy] = work.of(inputs.gate!, inputs.up!, inputs.dy!) as [number, number, number]
  const sigma = work.op('Sigmoid', gate)
  const silu = work.op('Mul', gate, sigma)
  const slope = work.op('AddV2', sigma, work.op('Sub', silu, work.op('Mul', silu, sigma)))
  const dGate = work.one('Mul', [work.op('Mul', dy, up), slope])
  return work.give(dGate, work.one('Mul', [dy, silu]))
}

/** Names tables by the positions they were made for: every layer of a pass has the same. */
const tableNames = new WeakMap<Int32Array, number>()
let tables = 0

/** x ⊙ cos + roll(x) ⊙ sin, whose first half is negative: the halves of a head change places. */
function rotary({ inputs, backend, attrs }: KernelCall<RotaryAttributes>): TensorHandle[] {
  const work = new Work(backend)
  const x = inputs.x!
  const { positions, headDim, inverse } = attrs
  const [tokens, width] = x.shape as [number, number]
  const half = headDim / 2
  if (!tableNames.has(positions)) tableNames.set(positions, (tables += 1))
  const spread = (values: Float32Array, first: number): Float32Array => {
    const all = new Float32Array(tokens * headDim)
    positions.forEach((position, token) => {
      for (let at = 0; at < half; at += 1) {
        const value = values[position * half + at]!
        all[token * headDim + at] = first * value
        all[token * headDim + half + at] = value
      }
    })
    return all
  }
  const key = `rotary ${tableNames.get(positions)} ${headDim}`
  const cos = work.table(`${key} cos`, [tokens, 1, headDim], () => spread(attrs.cos, 1))
  const sin = work.table(`${key} sin ${inverse}`, [tokens, 1, headDim], () =>
    spread(inverse ? attrs.sin.map((value) => -value) : attrs.sin, -1),
  )
  const heads = work.reshape(work.of(x)[0]!, [tokens, width / headDim, headDim])
  const turned = work.op(
    'AddV2',
    work.op('Mul', heads, cos),
    work.op('Mul', work.op('Roll', heads, work.int(half), work.int(2)), sin),
  )
  return work.give(work.one('Reshape', [turned, work.ints([tokens, width])]))
}

/** → log-prob of each target [n], and softmax − one-hot [n, vocab], which is the gradient's in one step */
function logProb({ inputs, backend, attrs }: KernelCall<{ readonly targets: Int32Array }>): TensorHandle[] {
  const work = new Work(backend)
  const [logits] = work.of(inputs.logits!) as [number]
  const [loss, slope] = work.several('SparseSoftmaxCrossEntropyWithLogits', [logits, work.place(attrs.targets)], 2)
  return work.give(work.one('Neg', [loss!.id]), slope!)
}

/** `logSum` is the slope of above. */
function logProbGrad({ inputs, backend }: KernelCall): TensorHandle[] {
  const work = new Work(backend)
  const [slope, dy] = work.of(inputs.logSum!, inputs.dy!) as [number, number]
  const column = work.op('Neg', work.reshape(dy, [inputs.dy!.shape[0]!, 1]))
  return work.give(work.one('Mul', [slope, column]))
}
