// `webgpu-kernels-child.ts`: every operation that the WebGPU engine has a kernel for, at odd shapes, value and gradients, there
// and by plain operations on the cpu engine. Prints a line of JSON for each: its name, and what differs most, relative to the
// largest number of that result.
import { packSequences, packWhole } from '../../main/core/learn/models/packing.ts'
import {
  attention,
  cachedAttention,
  FUSED_KERNELS,
  gatherRows,
  gelu,
  layerNorm,
  logProbOf,
  rmsNorm,
  rotary,
  rotaryTable,
  scatterRows,
  swiGlu,
} from '../../main/core/learn/models/fused.ts'
import { createOptimizer, OPTIMIZER_KERNELS, readGlobalNorm } from '../../main/core/learn/optimizer.ts'
import { createRandom } from '../../main/core/learn/random.ts'
import { tf } from '../../main/core/learn/tf.ts'
import { openEngine } from '../../main/workers/engine/choose.ts'

type Op = (...given: tf.Tensor2D[]) => tf.Tensor
type Case = () => Promise<Float32Array[]>

const random = createRandom(5)
function numbers(...shape: number[]): { readonly shape: number[]; readonly values: Float32Array } {
  const size = shape.reduce((product, length) => product * length, 1)
  return { shape, values: Float32Array.from({ length: size }, () => random.normal()) }
}

/** The op's value, and its gradients under a dy that is no constant. */
function differentiated(op: Op, ...given: ReturnType<typeof numbers>[]): Case {
  let slopes: Float32Array | null = null
  return async () => {
    const inputs = given.map(({ shape, values }) => tf.tensor2d(values, shape as [number, number]))
    const value = op(...inputs)
    slopes ??= numbers(value.size).values
    const dy = tf.tensor(slopes, value.shape)
    const grads = tf.grads((...all) => op(...(all as tf.Tensor2D[])))(inputs, dy)
    return readAll([value, ...grads])
  }
}

async function readAll(tensors: readonly tf.Tensor[]): Promise<Float32Array[]> {
  return Promise.all(tensors.map(async (tensor) => (await tensor.data<'float32'>()).slice()))
}

function sequences(...lengths: number[]): number[][] {
  return lengths.map((length, row) => Array.from({ length }, (_none, at) => (at < 2 ? at : 100 * row + at)))
}

const indices = (count: number, below: number): Int32Array =>
  Int32Array.from({ length: count }, () => random.int(below))

function attending(
  lengths: number[],
  shape: { heads: number; kvHeads: number; headDim: number; causal?: boolean; window?: number },
  shared = false,
): Case {
  const packing = (shared ? packSequences : packWhole)(sequences(...lengths))
  const tokens = packing.ids.length
  return differentiated(
    (q, k, v) => attention(q!, k!, v!, packing, shape),
    numbers(tokens, shape.heads * shape.headDim),
    numbers(tokens, shape.kvHeads * shape.headDim),
    numbers(tokens, shape.kvHeads * shape.headDim),
  )
}

/** Tokens one after the other, rows of unequal length. */
function caching(shape: { heads: number; kvHeads: number; headDim: number }, capacity: number, steps: number): Case {
  const rows = 3
  const width = shape.kvHeads * shape.headDim
  const all = Array.from({ length: steps }, () => [
    numbers(rows, shape.heads * shape.headDim),
    numbers(rows, width),
    numbers(rows, width),
  ])
  return async () => {
    let cached = { keys: tf.zeros([rows * capacity, width]), values: tf.zeros([rows * capacity, width]) } as {
      keys: tf.Tensor2D
      values: tf.Tensor2D
    }
    const outs: tf.Tensor[] = []
    for (const [step, given] of all.entries()) {
      const lengths = Int32Array.of(step, step + 3, step + 1) // the first keys of two rows are zeros
      const places = lengths.map((length, row) => row * capacity + length)
      const [q, k, v] = given.map(({ shape: own, values }) => tf.tensor2d(values, own as [number, number]))
      const { out, ...rest } = cachedAttention(q!, k!, v!, cached, { lengths, capacity, places }, shape)
      cached = rest
      outs.push(out)
    }
    return readAll([...outs, cached.keys])
  }
}

function updating(...shapes: number[][]): Case {
  const [weights, gradients] = [
    shapes.map((shape) => numbers(...shape)),
    [0, 1, 2].map(() => shapes.map((shape) => numbers(...shape))),
  ]
  return async () => {
    const variables = Object.fromEntries(
      weights.map(({ shape, values }, at) => [`w${at}`, tf.variable(tf.tensor(values, shape))]),
    )
    const optimizer = createOptimizer(
      { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, clipNorm: 1 },
      variables,
    )
    const norms: number[] = []
    for (const step of gradients) {
      const given = Object.fromEntries(step.map(({ shape, values }, at) => [`w${at}`, tf.tensor(values, shape)]))
      norms.push(await readGlobalNorm(Object.values(given)))
      optimizer.apply(given, 1e-2, norms.at(-1)!)
      await optimizer.read('m/w0') // what was read is not what is read after the next step
    }
    const found = [...(await readAll(Object.values(variables))), Float32Array.from(norms), await optimizer.read('v/w0')]
    optimizer.dispose()
    return found
  }
}

const members = indices(70, 19)
const TABLE = rotaryTable(8, 12, 10_000)
const CASES: Readonly<Record<string, Case>> = {
  'gather rows': differentiated((x) => gatherRows(x!, members), numbers(19, 33)),
  'scatter rows': differentiated((x) => scatterRows(x!, members, 21), numbers(70, 33)),
  'scatter rows that do not meet': differentiated((x) => scatterRows(x!, Int32Array.of(4, 0, 2), 6), numbers(3, 5)),
  'rms norm': differentiated((x, w) => rmsNorm(x!, tf.reshape(w!, [-1]), 1e-5), numbers(37, 70), numbers(1, 70)),
  // With an ε that counts: without one its gradient by x is nothing but rounding.
  'rms norm of one number': differentiated(
    (x, w) => rmsNorm(x!, tf.reshape(w!, [-1]), 0.5),
    numbers(3, 1),
    numbers(1, 1),
  ),
  'layer norm': differentiated(
    (x, w, b) => layerNorm(x!, tf.reshape(w!, [-1]), tf.reshape(b!, [-1]), 1e-5),
    numbers(37, 130),
    numbers(1, 130),
    numbers(1, 130),
  ),
  'gelu, exact': differentiated((x) => gelu(x!, 'exact'), numbers(9, 31)),
  'gelu, tanh': differentiated((x) => gelu(x!, 'tanh'), numbers(9, 31)),
  swiglu: differentiated((g, u) => swiGlu(g!, u!), numbers(9, 31), numbers(9, 31)),
  'more workgroups than a dimension has': differentiated(
    (g, u) => swiGlu(g!, u!),
    numbers(2100, 2100),
    numbers(2100, 2100),
  ),
  rotary: differentiated((x) => rotary(x!, Int32Array.of(0, 3, 1, 2, 7), TABLE), numbers(5, 36)),
  'log-prob': differentiated((x) => logProbOf(x!, Int32Array.of(0, 299, 7, 7, 150)), numbers(5, 300)),
  'attention, one row': attending([5], { heads: 1, kvHeads: 1, headDim: 4 }),
  'attention, many rows': attending([1, 70, 3, 130, 9], { heads: 3, kvHeads: 3, headDim: 8 }),
  'attention, shared keys': attending([17, 65], { heads: 6, kvHeads: 2, headDim: 12 }),
  'attention, heads of odd size': attending([17, 30], { heads: 2, kvHeads: 1, headDim: 7 }),
  'attention, wide heads': attending([40, 12], { heads: 2, kvHeads: 1, headDim: 128 }),
  'attention, heads wider than a tile has keys': attending([21, 5], { heads: 1, kvHeads: 1, headDim: 260 }),
  'attention, both ways': attending([9, 66, 2], { heads: 2, kvHeads: 2, headDim: 16, causal: false }),
  'attention, a window': attending([90, 20], { heads: 2, kvHeads: 2, headDim: 8, window: 5 }),
  'attention, shared prefixes': attending([9, 12, 7], { heads: 2, kvHeads: 2, headDim: 8 }, true),
  'cached attention': caching({ heads: 4, kvHeads: 2, headDim: 8 }, 12, 5),
  'cached attention past the lanes': caching({ heads: 2, kvHeads: 1, headDim: 6 }, 80, 70),
  'update and norm': updating([130, 70], [5], [1], [4100], [3, 3], [2], [9], [64, 65]),
}

function worst(actual: readonly Float32Array[], expected: readonly Float32Array[]): number {
  return Math.max(
    ...expected.map((values, at) => {
      const own = actual[at]!
      if (own.length !== values.length) return Infinity
      const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3)
      return values.reduce((most, value, index) => {
        const difference = Math.abs(own[index]! - value)
        return Number.isNaN(difference) ? Infinity : Math.max(most, difference / largest)
      }, 0)
    }),
  )
}

const engine = await openEngine('webgpu', {})
const kernels = [...Object.values(FUSED_KERNELS), ...Object.values(OPTIMIZER_KERNELS)]
console.log(JSON.stringify({ without: kernels.filter((name) => tf.getKernel(name, 'webgpu') == null) }))
const chosen = Object.entries(CASES).filter(([name]) => name.startsWith(process.argv[2] ?? ''))
const found = new Map<string, Float32Array[]>()
for (const [name, run] of chosen) {
  tf.engine().startScope()
  found.set(name, await run())
  tf.engine().endScope()
}
const trouble = engine.trouble?.() ?? null
if (trouble !== null) console.log(JSON.stringify({ trouble: trouble.message }))
await tf.setBackend('cpu')
for (const [name, run] of chosen) {
  tf.engine().startScope()
  console.log(JSON.stringify({ name, worst: worst(found.get(name)!, await run()) }))
  tf.engine().endScope()
}
process.exit(0)
