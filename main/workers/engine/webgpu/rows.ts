// Rows of a matrix taken and put, and the log-probability of a row's target.
//   gather:  y[i] = x[index[i]]            scatter: y[r] = Σ over i with index[i] = r of x[i]
//   logProb: v = x[t] − log Σ e^x;          dx = (1[t] − e^(x − log Σ e^x)) dv
import { FUSED_KERNELS } from '../../../core/learn/models/fused.ts'
import { checkIndices } from '../check-indices.ts'
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
  sizeOf,
  table,
  type KernelCall,
  type TensorHandle,
} from './launch.ts'

const GATHER: Program = {
  name: 'gather-rows',
  code: `
struct Numbers { count: u32, width: u32 };
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> indices: array<i32>;
@group(0) @binding(3) var<uniform> numbers: Numbers;
${MAIN}
  if (index >= numbers.count) { return; }
  let row = index / numbers.width;
  y[index] = x[u32(indices[row]) * numbers.width + index % numbers.width];
}`,
}

/** sources: where the row's list begins [row + 1], then the lists end to end. Sums have one order, whatever the device. */
const SCATTER: Program = {
  name: 'scatter-rows',
  code: `
struct Numbers { count: u32, width: u32, rows: u32 };
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> sources: array<i32>;
@group(0) @binding(3) var<uniform> numbers: Numbers;
${MAIN}
  if (index >= numbers.count) { return; }
  let row = index / numbers.width;
  let column = index % numbers.width;
  var sum = 0.0;
  for (var at = sources[row]; at < sources[row + 1u]; at += 1) {
    sum += x[u32(sources[numbers.rows + 1u + u32(at)]) * numbers.width + column];
  }
  y[index] = sum;
}`,
}

function gather({ inputs, backend, attrs }: KernelCall<{ readonly indices: Int32Array }>): TensorHandle {
  const x = inputs['x']!
  const [rows, width] = x.shape as [number, number]
  checkIndices(attrs.indices, rows)
  const y = output(backend, [attrs.indices.length, width])
  const count = sizeOf(y)
  launch(backend, GATHER, {
    writes: [y],
    reads: [x, table(backend, attrs.indices)],
    numbers: [count, width],
    workgroups: groupsFor(count),
  })
  return y
}

/** [row + 1] places at which each row's list begins, and the lists */
function listsOf(indices: Int32Array, rows: number): Int32Array {
  const lists = new Int32Array(rows + 1 + indices.length)
  for (const row of indices) lists[row + 1]! += 1
  for (let row = 0; row < rows; row += 1) lists[row + 1]! += lists[row]!
  const next = lists.slice(0, rows)
  indices.forEach((row, source) => {
    lists[rows + 1 + next[row]!] = source
    next[row]! += 1
  })
  return lists
}

type ScatterAttributes = { readonly indices: Int32Array; readonly rows: number }

function scatter({ inputs, backend, attrs: { indices, rows } }: KernelCall<ScatterAttributes>): TensorHandle {
  const x = inputs['x']!
  const width = x.shape[1]!
  checkIndices(indices, rows)
  const y = output(backend, [rows, width])
  const count = sizeOf(y)
  launch(backend, SCATTER, {
    writes: [y],
    reads: [x, table(backend, indices, `lists of ${rows}`, (given) => listsOf(given, rows))],
    numbers: [count, width, rows],
    workgroups: groupsFor(count),
  })
  return y
}

const LOG_PROB: Program = {
  name: 'log-prob',
  code: `
struct Numbers { rows: u32, vocab: u32 };
@group(0) @binding(0) var<storage, read_write> value: array<f32>;
@group(0) @binding(1) var<storage, read_write> logSum: array<f32>;
@group(0) @binding(2) var<storage, read> logits: array<f32>;
@group(0) @binding(3) var<storage, read> targets: array<i32>;
@group(0) @binding(4) var<uniform> numbers: Numbers;
${REDUCTIONS}${MAIN}
  if (group >= numbers.rows) { return; }
  let base = group * numbers.vocab;
  var most = -3.4028234e38;
  for (var at = lane; at < numbers.vocab; at += ${LANES}u) { most = max(most, logits[base + at]); }
  let largest = maxOfGroup(most, lane);
  var part = 0.0;
  for (var at = lane; at < numbers.vocab; at += ${LANES}u) { part += exp(logits[base + at] - largest); }
  let logOfSum = log(sumOfGroup(part, lane));
  if (lane == 0u) {
    value[group] = logits[base + u32(targets[group])] - largest - logOfSum;
    logSum[group] = largest + logOfSum;
  }
}`,
}

const LOG_PROB_GRAD: Program = {
  name: 'log-prob-grad',
  code: `
struct Numbers { count: u32, vocab: u32 };
@group(0) @binding(0) var<storage, read_write> dLogits: array<f32>;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> logSum: array<f32>;
@group(0) @binding(3) var<storage, read> dy: array<f32>;
@group(0) @binding(4) var<storage, read> targets: array<i32>;
@group(0) @binding(5) var<uniform> numbers: Numbers;
${MAIN}
  if (index >= numbers.count) { return; }
  let row = index / numbers.vocab;
  let one = select(0.0, 1.0, index % numbers.vocab == u32(targets[row]));
  dLogits[index] = (one - exp(logits[index] - logSum[row])) * dy[row];
}`,
}

type Targets = { readonly targets: Int32Array }

/** → log-prob of each target [n], log Σ e^logit [n] */
function logProb({ inputs, backend, attrs }: KernelCall<Targets>): TensorHandle[] {
  const logits = inputs['logits']!
  const [rows, vocab] = logits.shape as [number, number]
  checkIndices(attrs.targets, vocab)
  const writes = [output(backend, [rows]), output(backend, [rows])]
  launch(backend, LOG_PROB, {
    writes,
    reads: [logits, table(backend, attrs.targets)],
    numbers: [rows, vocab],
    workgroups: rows,
  })
  return writes
}

/** (one-hot − softmax) · dy [n, vocab] */
function logProbGrad({ inputs, backend, attrs }: KernelCall<Targets>): TensorHandle {
  const { logits, logSum, dy } = inputs as { logits: TensorHandle; logSum: TensorHandle; dy: TensorHandle }
  const dLogits = like(backend, logits)
  const count = sizeOf(logits)
  launch(backend, LOG_PROB_GRAD, {
    writes: [dLogits],
    reads: [logits, logSum, dy, table(backend, attrs.targets)],
    numbers: [count, logits.shape[1]!],
    workgroups: groupsFor(count),
  })
  return dLogits
}

export function registerRows(): void {
  register(FUSED_KERNELS.gather, gather)
  register(FUSED_KERNELS.scatter, scatter)
  register(FUSED_KERNELS.logProb, logProb)
  register(FUSED_KERNELS.logProbGrad, logProbGrad)
}
