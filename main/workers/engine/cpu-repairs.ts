// Kernels of the JavaScript backend that take an array a number, or a pass over everything a segment: the same numbers,
// bit for bit, by loops.
import { tf } from '../../core/learn/tf.ts'

type KernelFunc = NonNullable<ReturnType<typeof tf.getKernel>>['kernelFunc']
type Numbers = Float32Array | Int32Array

interface TensorInfo {
  readonly dataId: object
  readonly shape: readonly number[]
  readonly dtype: string
}

interface CpuBackend {
  readonly data: { get(dataId: object): { readonly values: Numbers } }
  makeTensorInfo(shape: readonly number[], dtype: string, values: Numbers): TensorInfo
}

interface Call {
  readonly inputs: Readonly<Record<string, TensorInfo>>
  readonly backend: CpuBackend
  readonly attrs: Readonly<Record<string, unknown>>
}

const BINARY: Readonly<Record<string, (a: number, b: number) => number>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Multiply: (a, b) => a * b,
  RealDiv: (a, b) => a / b,
}

let repaired = false

export function repairCpu(): void {
  if (repaired) return // the kernels outlive a backend
  repaired = true
  for (const [name, of] of Object.entries(BINARY)) replace(name, broadcast(of))
  replace('BatchMatMul', product)
  replace('Transpose', transpose)
  replace('GatherV2', gatherRows)
  replace('UnsortedSegmentSum', sumSegments)
}

/** @param ours gives null for what the library's own kernel is left to do */
function replace(kernelName: string, ours: (call: Call) => TensorInfo | null): void {
  const { kernelFunc } = tf.getKernel(kernelName, 'cpu')
  tf.unregisterKernel(kernelName, 'cpu')
  tf.registerKernel({
    kernelName,
    backendName: 'cpu',
    kernelFunc: ((call: Call) => ours(call) ?? kernelFunc(call as never)) as unknown as KernelFunc,
  })
}

function broadcast(of: (a: number, b: number) => number): (call: Call) => TensorInfo | null {
  return ({ inputs, backend }) => {
    const { a, b } = inputs as { readonly a: TensorInfo; readonly b: TensorInfo }
    if (a.dtype !== 'float32' || b.dtype !== 'float32') return null
    const shape = tf.broadcast_util.assertAndGetBroadcastShape([...a.shape], [...b.shape])
    const [x, y] = [backend.data.get(a.dataId).values, backend.data.get(b.dataId).values]
    const result = new Float32Array(sizeOf(shape))
    if (x.length === result.length && y.length === result.length) {
      for (let i = 0; i < result.length; i += 1) result[i] = of(x[i]!, y[i]!)
      return backend.makeTensorInfo(shape, 'float32', result)
    }
    const [xSteps, ySteps] = [stepsIn(a.shape, shape), stepsIn(b.shape, shape)]
    const last = shape.length - 1
    const width = last < 0 ? 1 : shape[last]!
    const [dx, dy] = last < 0 ? [0, 0] : [xSteps[last]!, ySteps[last]!]
    eachRow(shape, [xSteps, ySteps], (row, [xAt, yAt]) => {
      for (let i = 0; i < width; i += 1) result[row * width + i] = of(x[xAt! + i * dx]!, y[yAt! + i * dy]!)
    })
    return backend.makeTensorInfo(shape, 'float32', result)
  }
}

/** The library sums so many products in double precision before it adds them to a float32; so do we. */
const PRODUCT_BLOCK = 48

function product({ inputs, backend, attrs }: Call): TensorInfo | null {
  const { a, b } = inputs as { readonly a: TensorInfo; readonly b: TensorInfo }
  const [turnA, turnB] = [attrs['transposeA'] === true, attrs['transposeB'] === true]
  const batch = a.shape.slice(0, -2)
  const [left, inner] = sidesOf(a, turnA)
  const [innerB, right] = sidesOf(b, turnB)
  if (a.dtype !== 'float32' || b.dtype !== 'float32' || inner !== innerB) return null
  if (String(batch) !== String(b.shape.slice(0, -2))) return null
  const [x, y] = [backend.data.get(a.dataId).values, backend.data.get(b.dataId).values]
  const result = new Float32Array(sizeOf(batch) * left * right)
  const rows = sizeOf(batch) * left
  for (let row = 0; row < rows; row += 1) {
    const at = Math.floor(row / left)
    const own = row % left
    const mine = { values: x, at: at * left * inner + (turnA ? own : own * inner), along: turnA ? left : 1, across: 0 }
    const theirs = { values: y, at: at * inner * right, along: turnB ? 1 : right, across: turnB ? inner : 1 }
    for (let from = 0; from < inner; from += PRODUCT_BLOCK)
      addProducts(result, row * right, right, mine, theirs, from, Math.min(inner, from + PRODUCT_BLOCK))
  }
  return backend.makeTensorInfo([...batch, left, right], 'float32', result)
}

function sidesOf({ shape }: TensorInfo, turned: boolean): readonly [number, number] {
  const [rows, columns] = [shape.at(-2)!, shape.at(-1)!]
  return turned ? [columns, rows] : [rows, columns]
}

interface Rows {
  readonly values: Numbers
  readonly at: number
  /** To the next product of a sum. */
  readonly along: number
  /** To the next sum. */
  readonly across: number
}

/** result[i] += Σₖ x[k] · y[k, i] for the k of a block, four sums at a time: each in its own order. */
function addProducts(
  result: Float32Array,
  start: number,
  count: number,
  x: Rows,
  y: Rows,
  from: number,
  to: number,
): void {
  const [xs, xAt, along] = [x.values, x.at, x.along]
  const [ys, down, across] = [y.values, y.along, y.across]
  let i = 0
  for (; i + 4 <= count; i += 4) {
    let [s0, s1, s2, s3] = [0, 0, 0, 0]
    let place = y.at + from * down + i * across
    for (let k = from; k < to; k += 1) {
      const factor = xs[xAt + k * along]!
      s0 += factor * ys[place]!
      s1 += factor * ys[place + across]!
      s2 += factor * ys[place + 2 * across]!
      s3 += factor * ys[place + 3 * across]!
      place += down
    }
    result[start + i]! += s0
    result[start + i + 1]! += s1
    result[start + i + 2]! += s2
    result[start + i + 3]! += s3
  }
  for (; i < count; i += 1) {
    let sum = 0
    for (let k = from; k < to; k += 1) sum += xs[xAt + k * along]! * ys[y.at + k * down + i * across]!
    result[start + i]! += sum
  }
}

function transpose({ inputs, backend, attrs }: Call): TensorInfo | null {
  const { x } = inputs as { readonly x: TensorInfo }
  if (x.dtype !== 'float32') return null
  const perm = attrs['perm'] as readonly number[]
  const values = backend.data.get(x.dataId).values
  const own = stepsIn(x.shape, x.shape, false)
  const shape = perm.map((axis) => x.shape[axis]!)
  const steps = perm.map((axis) => own[axis]!)
  const result = new Float32Array(sizeOf(shape))
  const last = shape.length - 1
  const width = last < 0 ? 1 : shape[last]!
  const step = last < 0 ? 0 : steps[last]!
  eachRow(shape, [steps], (row, [at]) => {
    for (let i = 0; i < width; i += 1) result[row * width + i] = values[at! + i * step]!
  })
  return backend.makeTensorInfo(shape, 'float32', result)
}

/** Along the first axis, by a list of places: what an embedding is. */
function gatherRows({ inputs, backend, attrs }: Call): TensorInfo | null {
  const { x, indices } = inputs as { readonly x: TensorInfo; readonly indices: TensorInfo }
  if (x.dtype !== 'float32' || attrs['axis'] !== 0 || attrs['batchDims'] !== 0 || indices.shape.length !== 1)
    return null
  const values = backend.data.get(x.dataId).values
  const places = backend.data.get(indices.dataId).values
  const rows = x.shape[0]!
  const width = sizeOf(x.shape.slice(1))
  if (places.some((place) => place < 0 || place >= rows)) return null // the library says what is wrong
  const result = new Float32Array(places.length * width)
  places.forEach((place, at) => result.set(values.subarray(place * width, (place + 1) * width), at * width))
  return backend.makeTensorInfo([places.length, ...x.shape.slice(1)], 'float32', result)
}

/** In order and in double precision, as the library's sums are; a place outside is nobody's. */
function sumSegments({ inputs, backend, attrs }: Call): TensorInfo | null {
  const { x, segmentIds } = inputs as { readonly x: TensorInfo; readonly segmentIds: TensorInfo }
  if (x.dtype !== 'float32' || segmentIds.shape.length !== 1) return null
  const values = backend.data.get(x.dataId).values
  const places = backend.data.get(segmentIds.dataId).values
  const count = attrs['numSegments'] as number
  const width = sizeOf(x.shape.slice(1))
  const sums = new Float64Array(count * width)
  places.forEach((place, at) => {
    if (place < 0 || place >= count) return
    for (let i = 0; i < width; i += 1) sums[place * width + i]! += values[at * width + i]!
  })
  return backend.makeTensorInfo([count, ...x.shape.slice(1)], 'float32', Float32Array.from(sums))
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1)
}

/** How far each axis of `shape` steps in the numbers of `own`, which may be broadcast to it. */
function stepsIn(own: readonly number[], shape: readonly number[], broadcasts = true): number[] {
  const missing = shape.length - own.length
  const steps = shape.map(() => 0)
  let step = 1
  for (let axis = own.length - 1; axis >= 0; axis -= 1) {
    steps[missing + axis] = broadcasts && own[axis] === 1 ? 0 : step
    step *= own[axis]!
  }
  return steps
}

/** Visits the rows along the last axis in order, with the place where each operand's row begins. */
function eachRow(
  shape: readonly number[],
  steps: readonly (readonly number[])[],
  visit: (row: number, places: readonly number[]) => void,
): void {
  const outer = shape.slice(0, -1)
  const rows = sizeOf(outer)
  const position = outer.map(() => 0)
  const places = steps.map(() => 0)
  for (let row = 0; row < rows; row += 1) {
    visit(row, places)
    for (let axis = outer.length - 1; axis >= 0; axis -= 1) {
      position[axis]! += 1
      const turned = position[axis] === outer[axis]
      const by = turned ? 1 - outer[axis]! : 1
      for (let operand = 0; operand < places.length; operand += 1) places[operand]! += by * steps[operand]![axis]!
      if (!turned) break
      position[axis] = 0
    }
  }
}
