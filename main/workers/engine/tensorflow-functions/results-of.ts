// What the results of TensorFlow's operations look like, from what their inputs look like: shapes and types, never numbers. An
// operation that stands here may wait, since whoever called it learns nothing of it but that until a number is read. Each is
// computed from its inputs alone, and changes nothing else but variables.
import type { Attribute } from '../tensorflow-ops.ts'
import { broadcast, expanded, fromStart, reduce, reshaped } from './shapes.ts'

export interface Looks {
  readonly shape: number[]
  readonly dtype: number
}

export interface Given extends Looks {
  /** Where they are known here: of small whole numbers that JavaScript made. */
  readonly values: Int32Array | null
  /** What a variable holds; null of anything else. */
  readonly holds: Looks | null
}

type Attributes = readonly Attribute[]

export interface Rule {
  /** Inputs such as axes, which belong to the operation: a function has them as constants. */
  readonly constants: (inputs: number) => readonly number[]
  /** Further inputs whose values must be known, such as shapes: a function takes them as arguments. */
  readonly known: (inputs: number) => readonly number[]
  /** @throws RangeError where the inputs do not go together */
  results(inputs: readonly Given[], attributes: Attributes): Looks[]
}

/** tensorflow/core/framework/types.proto */
const BOOL = 10

const NONE: readonly number[] = []
const none = (): readonly number[] => NONE

function rule(results: Rule['results'], constants: readonly number[] = NONE, known: readonly number[] = NONE): Rule {
  return {
    results,
    constants: constants.length === 0 ? none : () => constants,
    known: known.length === 0 ? none : () => known,
  }
}

const likeFirst = rule(([x]) => [{ shape: x!.shape, dtype: x!.dtype }])
const together = rule((inputs) => [{ shape: broadcast(inputs.map(({ shape }) => shape)), dtype: inputs[0]!.dtype }])
const compared = rule((inputs) => [{ shape: broadcast(inputs.map(({ shape }) => shape)), dtype: BOOL }])
const tested = rule(([x]) => [{ shape: x!.shape, dtype: BOOL }])
const reduced = rule(
  ([x, axes], attributes) => [
    { shape: reduce(x!.shape, axes!.values!, flag(attributes, 'keep_dims')), dtype: x!.dtype },
  ],
  [1],
)
const place = rule(
  ([x, axis], attributes) => [
    { shape: reduce(x!.shape, axis!.values!, false), dtype: number(attributes, 'output_type') ?? 9 }, // INT64
  ],
  [1],
)
const padded = rule(
  ([x, paddings]) => [
    {
      shape: x!.shape.map((size, at) => size + paddings!.values![2 * at]! + paddings!.values![2 * at + 1]!),
      dtype: x!.dtype,
    },
  ],
  NONE,
  [1],
)
const alongAxis = rule(([x]) => [{ shape: x!.shape, dtype: x!.dtype }], [1])

const EACH = [
  'Abs',
  'Ceil',
  'Cos',
  'Elu',
  'Erf',
  'Exp',
  'Expm1',
  'Floor',
  'Identity',
  'LeakyRelu',
  'Log',
  'Log1p',
  'LogSoftmax',
]
const EACH_TOO = [
  'Neg',
  'OnesLike',
  'Reciprocal',
  'Relu',
  'Relu6',
  'Round',
  'Rsqrt',
  'Sigmoid',
  'Sign',
  'Sin',
  'Softmax',
  'Softplus',
]
const EACH_AT_LAST = [
  'Sqrt',
  'Square',
  'Tanh',
  'ZerosLike',
  'LogicalNot',
  'BiasAdd',
  'EluGrad',
  'ReluGrad',
  'SigmoidGrad',
  'TanhGrad',
]
const TWO = [
  'Add',
  'AddV2',
  'Div',
  'DivNoNan',
  'FloorDiv',
  'FloorMod',
  'Maximum',
  'Minimum',
  'Mul',
  'Pow',
  'RealDiv',
  'Sub',
]
const COMPARISONS = ['Equal', 'Greater', 'GreaterEqual', 'Less', 'LessEqual', 'LogicalAnd', 'LogicalOr', 'NotEqual']

const RULES = new Map<string, Rule>([
  ...[...EACH, ...EACH_TOO, ...EACH_AT_LAST, 'AddN'].map((name) => [name, likeFirst] as const),
  ...[...TWO, 'SquaredDifference'].map((name) => [name, together] as const),
  ...COMPARISONS.map((name) => [name, compared] as const),
  ...['IsFinite', 'IsInf', 'IsNan'].map((name) => [name, tested] as const),
  ...['All', 'Any', 'Max', 'Mean', 'Min', 'Prod', 'Sum'].map((name) => [name, reduced] as const),
  ...['ArgMax', 'ArgMin'].map((name) => [name, place] as const),
  ...['Pad', 'PadV2'].map((name) => [name, padded] as const),
  ...['Cumsum', 'ReverseV2'].map((name) => [name, alongAxis] as const),
  ['Roll', rule(([x]) => [{ shape: x!.shape, dtype: x!.dtype }], [2])],
  ['Cast', rule(([x], attributes) => [{ shape: x!.shape, dtype: number(attributes, 'DstT')! }])],
  ['Select', rule(([, x]) => [{ shape: x!.shape, dtype: x!.dtype }])],
  [
    'SelectV2',
    rule(([condition, x, y]) => [{ shape: broadcast([condition!.shape, x!.shape, y!.shape]), dtype: x!.dtype }]),
  ],
  ['L2Loss', rule(([x]) => [{ shape: [], dtype: x!.dtype }])],
  [
    'MatMul',
    rule(([a, b], attributes) => {
      const rows = a!.shape[flag(attributes, 'transpose_a') ? 1 : 0]!
      const columns = b!.shape[flag(attributes, 'transpose_b') ? 0 : 1]!
      return [{ shape: [rows, columns], dtype: a!.dtype }]
    }),
  ],
  ...['BatchMatMul', 'BatchMatMulV2'].map((name) => [name, rule(batchProduct)] as const),
  [
    'SparseSoftmaxCrossEntropyWithLogits',
    rule(([logits]) => [
      { shape: logits!.shape.slice(0, 1), dtype: logits!.dtype },
      { shape: logits!.shape, dtype: logits!.dtype },
    ]),
  ],
  ['Reshape', rule(([x, shape]) => [{ shape: reshaped(x!.shape, shape!.values!), dtype: x!.dtype }], NONE, [1])],
  [
    'Transpose',
    rule(([x, order]) => [{ shape: [...order!.values!].map((axis) => x!.shape[axis]!), dtype: x!.dtype }], [1]),
  ],
  ['ExpandDims', rule(([x, axis]) => [{ shape: expanded(x!.shape, axis!.values![0]!), dtype: x!.dtype }], [1])],
  ['BroadcastTo', rule(([x, shape]) => [{ shape: [...shape!.values!], dtype: x!.dtype }], NONE, [1])],
  ['Fill', rule(([shape, x]) => [{ shape: [...shape!.values!], dtype: x!.dtype }], NONE, [0])],
  [
    'Tile',
    rule(
      ([x, times]) => [{ shape: x!.shape.map((size, at) => size * times!.values![at]!), dtype: x!.dtype }],
      NONE,
      [1],
    ),
  ],
  [
    'Slice',
    rule(
      ([x, begin, size]) => [
        {
          shape: x!.shape.map((whole, at) =>
            size!.values![at]! === -1 ? whole - begin!.values![at]! : size!.values![at]!,
          ),
          dtype: x!.dtype,
        },
      ],
      NONE,
      [1, 2],
    ),
  ],
  [
    'ConcatV2',
    {
      constants: (inputs) => [inputs - 1],
      known: none,
      results: (inputs) => [{ shape: joined(inputs), dtype: inputs[0]!.dtype }],
    },
  ],
  [
    'Pack',
    rule((inputs, attributes) => [
      { shape: expanded(inputs[0]!.shape, number(attributes, 'axis') ?? 0, inputs.length), dtype: inputs[0]!.dtype },
    ]),
  ],
  [
    'Unpack',
    rule(([x], attributes) => {
      const shape = reduce(x!.shape, [number(attributes, 'axis') ?? 0], false)
      return Array.from({ length: number(attributes, 'num')! }, () => ({ shape: [...shape], dtype: x!.dtype }))
    }),
  ],
  [
    'GatherV2',
    rule(
      ([x, places, axis], attributes) => {
        const at = fromStart(axis!.values![0]!, x!.shape.length)
        const batch = number(attributes, 'batch_dims') ?? 0
        return [
          {
            shape: [...x!.shape.slice(0, at), ...places!.shape.slice(batch), ...x!.shape.slice(at + 1)],
            dtype: x!.dtype,
          },
        ]
      },
      [2],
    ),
  ],
  [
    'GatherNd',
    rule(([x, places]) => [
      { shape: [...places!.shape.slice(0, -1), ...x!.shape.slice(places!.shape.at(-1))], dtype: x!.dtype },
    ]),
  ],
  ['ScatterNd', rule(([, x, shape]) => [{ shape: [...shape!.values!], dtype: x!.dtype }], NONE, [2])],
  [
    'UnsortedSegmentSum',
    rule(
      ([x, segments, count]) => [
        { shape: [count!.values![0]!, ...x!.shape.slice(segments!.shape.length)], dtype: x!.dtype },
      ],
      NONE,
      [2],
    ),
  ],
  [
    'OneHot',
    rule(
      ([places, depth, on], attributes) => [
        { shape: expanded(places!.shape, number(attributes, 'axis') ?? -1, depth!.values![0]!), dtype: on!.dtype },
      ],
      NONE,
      [1],
    ),
  ],
  ['AssignVariableOp', rule(() => [])],
  ['ResourceApplyAdam', rule(() => [])],
  ['ReadVariableOp', rule(([variable]) => [held(variable!)])],
])

/** Null for an operation that does not wait: whose looks follow from numbers, or that nobody has needed. */
export function ruleOf(name: string): Rule | null {
  return RULES.get(name) ?? null
}

function held({ holds }: Given): Looks {
  if (holds === null) throw new RangeError('a variable of unknown shape')
  return holds
}

function attribute(attributes: Attributes, name: string): unknown {
  return attributes.find((one) => one.name === name)?.value
}

function flag(attributes: Attributes, name: string): boolean {
  return attribute(attributes, name) === true
}

function number(attributes: Attributes, name: string): number | null {
  const value = attribute(attributes, name)
  return typeof value === 'number' ? value : null
}

function batchProduct([a, b]: readonly Given[], attributes: Attributes): Looks[] {
  const rows = a!.shape.at(flag(attributes, 'adj_x') ? -1 : -2)!
  const columns = b!.shape.at(flag(attributes, 'adj_y') ? -2 : -1)!
  return [{ shape: [...broadcast([a!.shape.slice(0, -2), b!.shape.slice(0, -2)]), rows, columns], dtype: a!.dtype }]
}

function joined(inputs: readonly Given[]): number[] {
  const parts = inputs.slice(0, -1)
  const axis = fromStart(inputs.at(-1)!.values![0]!, parts[0]!.shape.length)
  return parts[0]!.shape.with(
    axis,
    parts.reduce((sum, { shape }) => sum + shape[axis]!, 0),
  )
}
