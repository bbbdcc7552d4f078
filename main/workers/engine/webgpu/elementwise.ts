// Numbers by themselves, a thread a number: activations and rotary positions.
//   gelu:   y = x Φ(x), exactly or by tanh;  dx = dy (Φ(x) + x φ(x))
//   SwiGLU: y = g σ(g) ⊙ u;  dg = dy ⊙ u ⊙ σ(g)(1 + g(1 − σ(g))),  du = dy ⊙ g σ(g)
//   rotary: (a, b) → (a cos θ − b sin θ, b cos θ + a sin θ), b half a head after a;  x [token, heads · headDim]
import { FUSED_KERNELS } from '../../../core/learn/models/fused.ts'
import type { RotaryAttributes } from '../../../core/learn/models/rope.ts'
import { checkIndices } from '../check-indices.ts'
import {
  groupsFor,
  launch,
  like,
  MAIN,
  type Program,
  register,
  sizeOf,
  table,
  written,
  type KernelCall,
  type TensorHandle,
} from './launch.ts'

/** erf to 1.2·10⁻⁷ (Numerical Recipes' erfc, by Chebyshev), since WGSL has none. */
const ERF = `
fn erf(x: f32) -> f32 {
  let z = abs(x);
  let t = 1.0 / (1.0 + 0.5 * z);
  let p = -z * z - 1.26551223 + t * (1.00002368 + t * (0.37409196 + t * (0.09678418 + t * (-0.18628806
    + t * (0.27886807 + t * (-1.13520398 + t * (1.48851587 + t * (-0.82215223 + t * 0.17087277))))))));
  let tail = t * exp(p);
  return select(tail - 1.0, 1.0 - tail, x >= 0.0);
}
`
/** tanh of a large number is NaN on some devices: e²ˣ overflows. */
const TANH = `
fn tanh_(x: f32) -> f32 { return tanh(clamp(x, -15.0, 15.0)); }
`
const ROOT = String(Math.sqrt(2 / Math.PI))

/** Φ and x φ(x) by form. */
const GATES = {
  exact: `${ERF}
fn gate(x: f32) -> f32 { return 0.5 + 0.5 * erf(x * ${Math.SQRT1_2}); }
fn slope(x: f32) -> f32 { return gate(x) + x * ${1 / Math.sqrt(2 * Math.PI)} * exp(-0.5 * x * x); }
`,
  tanh: `${TANH}
fn inner(x: f32) -> f32 { return ${ROOT} * (x + 0.044715 * x * x * x); }
fn gate(x: f32) -> f32 { return 0.5 + 0.5 * tanh_(inner(x)); }
fn slope(x: f32) -> f32 {
  let t = tanh_(inner(x));
  return 0.5 + 0.5 * t + 0.5 * x * (1.0 - t * t) * ${ROOT} * (1.0 + 3.0 * 0.044715 * x * x);
}
`,
} as const

const COUNT = `
struct Numbers { count: u32 };
`

function geluProgram(form: keyof typeof GATES, backward: boolean): Program {
  return {
    name: `gelu-${form}${backward ? '-grad' : ''}`,
    code: `${COUNT}${GATES[form]}
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
${backward ? '@group(0) @binding(2) var<storage, read> dy: array<f32>;' : ''}
@group(0) @binding(${backward ? 3 : 2}) var<uniform> numbers: Numbers;
${MAIN}
  if (index >= numbers.count) { return; }
  y[index] = ${backward ? 'dy[index] * slope(x[index])' : 'x[index] * gate(x[index])'};
}`,
  }
}

/** Never e to a large power. */
const SIGMOID = `
fn sigmoid(x: f32) -> f32 {
  let e = exp(-abs(x));
  return select(e, 1.0, x >= 0.0) / (1.0 + e);
}
`

const SWIGLU: Program = {
  name: 'swiglu',
  code: `${COUNT}${SIGMOID}
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<storage, read> gate: array<f32>;
@group(0) @binding(2) var<storage, read> up: array<f32>;
@group(0) @binding(3) var<uniform> numbers: Numbers;
${MAIN}
  if (index >= numbers.count) { return; }
  y[index] = gate[index] * sigmoid(gate[index]) * up[index];
}`,
}

const SWIGLU_GRAD: Program = {
  name: 'swiglu-grad',
  code: `${COUNT}${SIGMOID}
@group(0) @binding(0) var<storage, read_write> dGate: array<f32>;
@group(0) @binding(1) var<storage, read_write> dUp: array<f32>;
@group(0) @binding(2) var<storage, read> gate: array<f32>;
@group(0) @binding(3) var<storage, read> up: array<f32>;
@group(0) @binding(4) var<storage, read> dy: array<f32>;
@group(0) @binding(5) var<uniform> numbers: Numbers;
${MAIN}
  if (index >= numbers.count) { return; }
  let g = gate[index];
  let s = sigmoid(g);
  dGate[index] = dy[index] * up[index] * s * (1.0 + g * (1.0 - s));
  dUp[index] = dy[index] * g * s;
}`,
}

const ROTARY: Program = {
  name: 'rotary',
  code: `
struct Numbers { count: u32, width: u32, headDim: u32, direction: f32 };
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> positions: array<i32>;
@group(0) @binding(3) var<storage, read> cosines: array<f32>;
@group(0) @binding(4) var<storage, read> sines: array<f32>;
@group(0) @binding(5) var<uniform> numbers: Numbers;
${MAIN}
  if (index >= numbers.count) { return; }
  // A thread turns a pair: of each head, the numbers of its first half have a thread.
  let half = numbers.headDim / 2u;
  let pairs = numbers.width / 2u;
  let token = index / pairs;
  let pair = index % pairs;
  let d = pair % half;
  let first = token * numbers.width + pair / half * numbers.headDim + d;
  let c = cosines[u32(positions[token]) * half + d];
  let s = sines[u32(positions[token]) * half + d] * numbers.direction;
  let a = x[first];
  let b = x[first + half];
  y[first] = a * c - b * s;
  y[first + half] = b * c + a * s;
}`,
}

function rotary({ inputs, backend, attrs }: KernelCall<RotaryAttributes>): TensorHandle {
  const x = inputs['x']!
  const y = like(backend, x)
  const count = sizeOf(x) / 2
  checkIndices(attrs.positions, attrs.cos.length / (attrs.headDim / 2))
  launch(backend, ROTARY, {
    writes: [y],
    reads: [x, table(backend, attrs.positions), table(backend, attrs.cos), table(backend, attrs.sin)],
    numbers: [count, x.shape[1]!, attrs.headDim, { float: attrs.inverse ? -1 : 1 }],
    workgroups: groupsFor(count),
  })
  return y
}

/** Results as large as the first input, from inputs of one size. */
function each(program: Program, names: readonly string[], results: number) {
  return ({ inputs, backend }: KernelCall): TensorHandle[] => {
    const reads = names.map((name) => inputs[name]!)
    const writes = Array.from({ length: results }, () => like(backend, reads[0]!))
    const count = sizeOf(reads[0]!)
    launch(backend, program, { writes, reads, numbers: [count], workgroups: groupsFor(count) })
    return writes
  }
}

type Form = { readonly form: keyof typeof GATES }

export function registerElementwise(): void {
  const [forward, backward] = [false, true].map((way) => written((form: Form['form']) => geluProgram(form, way))) as [
    (form: Form['form']) => Program,
    (form: Form['form']) => Program,
  ]
  register<Form>(FUSED_KERNELS.gelu, (call) => each(forward(call.attrs.form), ['x'], 1)(call)[0]!)
  register<Form>(FUSED_KERNELS.geluGrad, (call) => each(backward(call.attrs.form), ['x', 'dy'], 1)(call)[0]!)
  register(FUSED_KERNELS.swiGlu, (call) => each(SWIGLU, ['gate', 'up'], 1)(call)[0]!)
  register(FUSED_KERNELS.swiGluGrad, each(SWIGLU_GRAD, ['gate', 'up', 'dy'], 2))
  register(FUSED_KERNELS.rotary, rotary)
}
