// The optimizer's update and the norm that clips it, a launch a variable.
//   m ← β₁ m + (1 − β₁) c g;  v ← β₂ v + (1 − β₂) c² g²;  w ← κ w − η m / (√v · ξ + ε)      (AdamW; c clips, κ decays)
import { OPTIMIZER_KERNELS, type AdamAttributes } from '../../../core/learn/optimizer-kernels.ts'
import {
  groupsFor,
  launch,
  LANES,
  like,
  MAIN,
  output,
  type Program,
  REDUCTIONS,
  register,
  release,
  sizeOf,
  written,
  type KernelCall,
  type TensorHandle,
} from './launch.ts'

const ADAM: Program = {
  name: 'adamw',
  code: `
struct Numbers {
  count: u32, scale: f32, keep: f32, beta1: f32, beta2: f32, stepSize: f32, correction2: f32, epsilon: f32,
  rest1: f32, rest2: f32,
};
@group(0) @binding(0) var<storage, read_write> next: array<f32>;
@group(0) @binding(1) var<storage, read_write> m: array<f32>;
@group(0) @binding(2) var<storage, read_write> v: array<f32>;
@group(0) @binding(3) var<storage, read> w: array<f32>;
@group(0) @binding(4) var<storage, read> g: array<f32>;
@group(0) @binding(5) var<uniform> numbers: Numbers;
${MAIN}
  if (index >= numbers.count) { return; }
  let slope = g[index] * numbers.scale;
  let mean = numbers.beta1 * m[index] + numbers.rest1 * slope;
  let square = numbers.beta2 * v[index] + numbers.rest2 * slope * slope;
  m[index] = mean;
  v[index] = square;
  next[index] = w[index] * numbers.keep - numbers.stepSize * mean / (sqrt(square) * numbers.correction2 + numbers.epsilon);
}`,
}

function adamW({ inputs, backend, attrs }: KernelCall<AdamAttributes>): TensorHandle[] {
  return Array.from({ length: attrs.count }, (_none, at) => {
    const [w, g, m, v] = ['w', 'g', 'm', 'v'].map((part) => inputs[`${part}/${at}`]!) as [
      TensorHandle,
      TensorHandle,
      TensorHandle,
      TensorHandle,
    ]
    const next = like(backend, w)
    const count = sizeOf(w)
    const { scale, keep, beta1, beta2, stepSize, correction2, epsilon } = attrs
    const real = [scale, keep[at]!, beta1, beta2, stepSize, correction2, epsilon, 1 - beta1, 1 - beta2]
    launch(backend, ADAM, {
      writes: [next, m, v],
      reads: [w, g],
      numbers: [count, ...real.map((float) => ({ float }))],
      workgroups: groupsFor(count),
    })
    return next
  })
}

/** Numbers that one workgroup sums: few sums are left of a large tensor, and a small one takes one workgroup. */
const PER_GROUP = 64 * LANES

/** Tensors of one launch: with the sums eight buffers, as many as every device lets a shader see. */
const TENSORS_AT_ONCE = 7

/** Σ x² of PER_GROUP numbers a workgroup. What a tensor has is (its count, its first workgroup). */
const squaresProgram = written((tensors: number): Program => {
  const all = Array.from({ length: tensors }, (_none, at) => at)
  return {
    name: `sums-of-squares-${tensors}`,
    code: `
struct Numbers { to: u32, ${all.map((at) => `count${at}: u32, first${at}: u32`).join(', ')} };
@group(0) @binding(0) var<storage, read_write> sums: array<f32>;
${all.map((at) => `@group(0) @binding(${at + 1}) var<storage, read> x${at}: array<f32>;`).join('\n')}
@group(0) @binding(${tensors + 1}) var<uniform> numbers: Numbers;
${REDUCTIONS}${MAIN}
  var part = 0.0;
${all
  .map(
    (
      at,
    ) => `  if (group >= numbers.first${at} && group - numbers.first${at} < (numbers.count${at} + ${PER_GROUP - 1}u) / ${PER_GROUP}u) {
    let start = (group - numbers.first${at}) * ${PER_GROUP}u;
    let end = min(start + ${PER_GROUP}u, numbers.count${at});
    for (var at = start + lane; at < end; at += ${LANES}u) { part += x${at}[at] * x${at}[at]; }
  }`,
  )
  .join('\n')}
  let sum = sumOfGroup(part, lane);
  if (lane == 0u && numbers.to + group < arrayLength(&sums)) { sums[numbers.to + group] = sum; }
}`,
  }
})

const ROOT: Program = {
  name: 'root-of-sum',
  code: `
struct Numbers { count: u32 };
@group(0) @binding(0) var<storage, read_write> norm: array<f32>;
@group(0) @binding(1) var<storage, read> sums: array<f32>;
@group(0) @binding(2) var<uniform> numbers: Numbers;
${REDUCTIONS}${MAIN}
  if (group > 0u) { return; }
  var part = 0.0;
  for (var at = lane; at < numbers.count; at += ${LANES}u) { part += sums[at]; }
  let sum = sumOfGroup(part, lane);
  if (lane == 0u) {
    norm[0] = sqrt(sum);
    norm[1] = 0.0;
  }
}`,
}

/** √ Σ x² over all inputs → [2], whose sum it is; single precision, by a tree of sums. */
function globalNorm({ inputs, backend }: KernelCall): TensorHandle {
  const tensors = Object.values(inputs) as TensorHandle[]
  const groupsOf = (tensor: TensorHandle): number => groupsFor(sizeOf(tensor), PER_GROUP)
  const count = tensors.reduce((sum, tensor) => sum + groupsOf(tensor), 0)
  const sums = output(backend, [Math.max(1, count)])
  let to = 0
  for (let first = 0; first < tensors.length; first += TENSORS_AT_ONCE) {
    const reads = tensors.slice(first, first + TENSORS_AT_ONCE)
    const numbers = [to]
    let workgroups = 0
    for (const tensor of reads) {
      numbers.push(sizeOf(tensor), workgroups)
      workgroups += groupsOf(tensor)
    }
    launch(backend, squaresProgram(reads.length), { writes: [sums], reads, numbers, workgroups })
    to += workgroups
  }
  const norm = output(backend, [2])
  launch(backend, ROOT, { writes: [norm], reads: [sums], numbers: [count], workgroups: 1 })
  release(backend, sums)
  return norm
}

export function registerUpdate(): void {
  register(OPTIMIZER_KERNELS.adamW, adamW)
  register(OPTIMIZER_KERNELS.globalNorm, globalNorm)
}
