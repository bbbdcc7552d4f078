// Norms of rows, a workgroup a row. x, y [row, width]; weight, bias [width].
//   rms:   y = x r ⊙ w,              r = (mean x² + ε)^−½
//          dx = r (g − x r² mean(g ⊙ x)),  g = dy ⊙ w;   dw = Σ_rows dy ⊙ x r
//   layer: y = n ⊙ w + b,            n = (x − μ) r,  r = (mean (x − μ)² + ε)^−½
//          dx = r (g − mean g − n mean(g ⊙ n));          dw = Σ_rows dy ⊙ n,  db = Σ_rows dy
import { FUSED_KERNELS } from '../../../core/learn/models/fused.ts'
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
  type KernelCall,
  type TensorHandle,
} from './launch.ts'

type Epsilon = { readonly epsilon: number }

const NUMBERS = `
struct Numbers { rows: u32, width: u32, epsilon: f32 };
`
const EACH = (body: string): string => `for (var at = lane; at < numbers.width; at += ${LANES}u) { ${body} }`

/** The mean of the row's numbers, where the norm takes it off: RMS is a layer norm with a mean of 0. */
const meanOf = (centred: boolean, name: string, value: string): string =>
  centred
    ? `var ${name}Sum = 0.0;
  ${EACH(`${name}Sum += ${value};`)}
  let ${name} = sumOfGroup(${name}Sum, lane) / width;`
    : `let ${name} = 0.0;`

/** @param centred layer norm, which has a bias; else RMS */
function forwardProgram(centred: boolean): Program {
  return {
    name: centred ? 'layer-norm' : 'rms-norm',
    code: `${NUMBERS}
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
${centred ? '@group(0) @binding(3) var<storage, read> bias: array<f32>;' : ''}
@group(0) @binding(${centred ? 4 : 3}) var<uniform> numbers: Numbers;
${REDUCTIONS}${MAIN}
  if (group >= numbers.rows) { return; }
  let base = group * numbers.width;
  let width = f32(numbers.width);
  ${meanOf(centred, 'mean', 'x[base + at]')}
  var squares = 0.0;
  ${EACH('let value = x[base + at] - mean; squares += value * value;')}
  let r = inverseSqrt(sumOfGroup(squares, lane) / width + numbers.epsilon);
  ${EACH(`y[base + at] = (x[base + at] - mean) * r * weight[at]${centred ? ' + bias[at]' : ''};`)}
}`,
  }
}

/** → dx, and scale [row, (μ, r)] for the sums over rows */
function backwardProgram(centred: boolean): Program {
  return {
    name: centred ? 'layer-norm-grad' : 'rms-norm-grad',
    code: `${NUMBERS}
@group(0) @binding(0) var<storage, read_write> dx: array<f32>;
@group(0) @binding(1) var<storage, read_write> scale: array<f32>;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read> weight: array<f32>;
@group(0) @binding(4) var<storage, read> dy: array<f32>;
@group(0) @binding(5) var<uniform> numbers: Numbers;
${REDUCTIONS}${MAIN}
  if (group >= numbers.rows) { return; }
  let base = group * numbers.width;
  let width = f32(numbers.width);
  ${meanOf(centred, 'mean', 'x[base + at]')}
  ${meanOf(centred, 'upstream', 'dy[base + at] * weight[at]')}
  var squares = 0.0;
  var meeting = 0.0;
  ${EACH('let value = x[base + at] - mean; squares += value * value; meeting += dy[base + at] * weight[at] * value;')}
  let r = inverseSqrt(sumOfGroup(squares, lane) / width + numbers.epsilon);
  let share = sumOfGroup(meeting, lane) / width * r * r;
  ${EACH('dx[base + at] = r * (dy[base + at] * weight[at] - upstream - (x[base + at] - mean) * share);')}
  if (lane == 0u) { scale[2u * group] = mean; scale[2u * group + 1u] = r; }
}`,
  }
}

/** Columns of a workgroup, each summed by LANES / COLUMNS threads. */
const COLUMNS = 8

/** dw = Σ dy ⊙ (x − μ) r, db = Σ dy. scale [row, (μ, r)] */
const COLUMN_SUMS: Program = {
  name: 'norm-column-sums',
  code: `${NUMBERS}
@group(0) @binding(0) var<storage, read_write> dWeight: array<f32>;
@group(0) @binding(1) var<storage, read_write> dBias: array<f32>;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read> dy: array<f32>;
@group(0) @binding(4) var<storage, read> scale: array<f32>;
@group(0) @binding(5) var<uniform> numbers: Numbers;
var<workgroup> weights: array<f32, ${LANES}>;
var<workgroup> biases: array<f32, ${LANES}>;
${MAIN}
  let column = group * ${COLUMNS}u + lane % ${COLUMNS}u;
  var weight = 0.0;
  var bias = 0.0;
  if (column < numbers.width) {
    for (var row = lane / ${COLUMNS}u; row < numbers.rows; row += ${LANES / COLUMNS}u) {
      let up = dy[row * numbers.width + column];
      weight += up * (x[row * numbers.width + column] - scale[2u * row]) * scale[2u * row + 1u];
      bias += up;
    }
  }
  weights[lane] = weight;
  biases[lane] = bias;
  workgroupBarrier();
  if (lane >= ${COLUMNS}u || column >= numbers.width) { return; }
  for (var other = lane + ${COLUMNS}u; other < ${LANES}u; other += ${COLUMNS}u) {
    weight += weights[other];
    bias += biases[other];
  }
  dWeight[column] = weight;
  dBias[column] = bias;
}`,
}

function forward(program: Program, names: readonly string[]) {
  return ({ inputs, backend, attrs }: KernelCall<Epsilon>): TensorHandle => {
    const x = inputs['x']!
    const [rows, width] = x.shape as [number, number]
    const y = like(backend, x)
    launch(backend, program, {
      writes: [y],
      reads: names.map((name) => inputs[name]!),
      numbers: [rows, width, { float: attrs.epsilon }],
      workgroups: rows,
    })
    return y
  }
}

/** → dx, dWeight, dBias */
function backward(program: Program) {
  return ({ inputs, backend, attrs }: KernelCall<Epsilon>): [TensorHandle, TensorHandle, TensorHandle] => {
    const { x, weight, dy } = inputs as { x: TensorHandle; weight: TensorHandle; dy: TensorHandle }
    const [rows, width] = x.shape as [number, number]
    const [dx, dWeight, dBias] = [like(backend, x), output(backend, [width]), output(backend, [width])]
    const scale = output(backend, [rows, 2])
    const numbers = [rows, width, { float: attrs.epsilon }]
    launch(backend, program, { writes: [dx, scale], reads: [x, weight, dy], numbers, workgroups: rows })
    launch(backend, COLUMN_SUMS, {
      writes: [dWeight, dBias],
      reads: [x, dy, scale],
      numbers,
      workgroups: groupsFor(width, COLUMNS),
    })
    release(backend, scale)
    return [dx, dWeight, dBias]
  }
}

export function registerNorms(): void {
  register(FUSED_KERNELS.rmsNorm, forward(forwardProgram(false), ['x', 'weight']))
  const rmsBackward = backward(backwardProgram(false))
  register<Epsilon>(FUSED_KERNELS.rmsNormGrad, (call) => {
    const [dx, dWeight, dBias] = rmsBackward(call)
    release(call.backend, dBias) // there is no bias
    return [dx, dWeight]
  })
  register(FUSED_KERNELS.layerNorm, forward(forwardProgram(true), ['x', 'weight', 'bias']))
  register(FUSED_KERNELS.layerNormGrad, backward(backwardProgram(true)))
}
