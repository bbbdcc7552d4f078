// TensorFlow's operations by the handles of its tensors, without a tensor of the library around each result: in a small
// model the way there and back takes longer than the operation.
import { tf } from '../../core/learn/tf.ts'

export interface OutputInfo {
  readonly id: number
  readonly shape: number[]
  readonly dtype: number
}

export interface Attribute {
  readonly name: string
  readonly type: number
  readonly value: unknown
}

export interface Binding {
  readonly TF_FLOAT: number
  readonly TF_INT32: number
  readonly TF_ATTR_BOOL: number
  readonly TF_ATTR_INT: number
  readonly TF_ATTR_FLOAT: number
  readonly TF_ATTR_STRING: number
  readonly TF_ATTR_TYPE: number
  readonly TF_ATTR_SHAPE: number
  createTensor(shape: readonly number[], dtype: number, values: Float32Array | Int32Array): number
  deleteTensor(id: number): void
  executeOp(name: string, attributes: readonly Attribute[], inputs: readonly number[], outputs: number): OutputInfo[]
}

export interface TensorflowBackend {
  readonly binding: Binding
  readonly isUsingGpuDevice: boolean
  getInputTensorIds(tensors: readonly TensorHandle[]): number[]
  createOutputTensor(info: OutputInfo): TensorHandle
}

export interface TensorHandle {
  readonly dataId: object
  readonly shape: number[]
}

/** What the library hands to a kernel. */
export interface KernelCall<A = Readonly<Record<string, never>>> {
  readonly inputs: Readonly<Record<string, TensorHandle>>
  readonly backend: TensorflowBackend
  readonly attrs: A
}

export function registerTensorflowKernel<A>(
  kernelName: string,
  kernelFunc: (call: KernelCall<A>) => TensorHandle | TensorHandle[],
): void {
  if (tf.getKernel(kernelName, 'tensorflow') != null) tf.unregisterKernel(kernelName, 'tensorflow')
  tf.registerKernel({
    kernelName,
    backendName: 'tensorflow',
    kernelFunc: kernelFunc as unknown as Parameters<typeof tf.registerKernel>[0]['kernelFunc'],
  })
}

/** Small tensors that come again in every step: scalars, shapes, tables. The oldest make room. */
const MOST_CONSTANTS = 512
let constants = new Map<string, number>()
let constantsOf: Binding | null = null

/** What a kernel does: results live until it ends, unless it keeps them. */
export class Work {
  readonly #backend: TensorflowBackend
  readonly #binding: Binding
  readonly #made: number[] = []

  constructor(backend: TensorflowBackend) {
    this.#backend = backend
    this.#binding = backend.binding
    if (constantsOf === this.#binding) return
    constants = new Map()
    constantsOf = this.#binding
  }

  of(...tensors: readonly TensorHandle[]): number[] {
    return this.#backend.getInputTensorIds(tensors)
  }

  several(
    name: string,
    inputs: readonly number[],
    outputs: number,
    attributes: readonly Attribute[] = [],
  ): OutputInfo[] {
    const infos = this.#binding.executeOp(name, attributes, inputs, outputs)
    for (const { id } of infos) this.#made.push(id)
    return infos
  }

  one(name: string, inputs: readonly number[], attributes: readonly Attribute[] = []): OutputInfo {
    return this.several(name, inputs, 1, attributes)[0]!
  }

  /** The handle alone. */
  op(name: string, ...inputs: readonly number[]): number {
    return this.one(name, inputs).id
  }

  flag(name: string, value: boolean): Attribute {
    return { name, type: this.#binding.TF_ATTR_BOOL, value }
  }

  product(a: number, b: number, transposeA = false, transposeB = false): number {
    return this.one('BatchMatMulV2', [a, b], [this.flag('adj_x', transposeA), this.flag('adj_y', transposeB)]).id
  }

  /** An operation over a list, whose type and length TensorFlow does not find out by itself. */
  list(name: string, inputs: readonly number[]): OutputInfo {
    return this.one(name, inputs, [
      { name: 'T', type: this.#binding.TF_ATTR_TYPE, value: this.#binding.TF_FLOAT },
      { name: 'N', type: this.#binding.TF_ATTR_INT, value: inputs.length },
    ])
  }

  /** Along an axis that stays, one long. */
  over(name: 'Mean' | 'Sum', x: number, axis: number): number {
    return this.one(name, [x, this.ints([axis])], [this.flag('keep_dims', true)]).id
  }

  reshape(x: number, shape: readonly number[]): number {
    return this.op('Reshape', x, this.ints(shape))
  }

  number(value: number): number {
    return this.#constant(`f ${value}`, () =>
      this.#binding.createTensor([], this.#binding.TF_FLOAT, Float32Array.of(value)),
    )
  }

  ints(values: readonly number[]): number {
    return this.#constant(`i ${values.join(' ')}`, () =>
      this.#binding.createTensor([values.length], this.#binding.TF_INT32, Int32Array.from(values)),
    )
  }

  int(value: number): number {
    return this.#constant(`n ${value}`, () =>
      this.#binding.createTensor([], this.#binding.TF_INT32, Int32Array.of(value)),
    )
  }

  /** Kept under a name for the steps to come. */
  table(key: string, shape: readonly number[], values: () => Float32Array | Int32Array): number {
    return this.#constant(key, () => {
      const made = values()
      return this.#binding.createTensor(
        shape,
        made instanceof Float32Array ? this.#binding.TF_FLOAT : this.#binding.TF_INT32,
        made,
      )
    })
  }

  /** A scalar of this step alone. */
  passing(value: number): number {
    const id = this.#binding.createTensor([], this.#binding.TF_FLOAT, Float32Array.of(value))
    this.#made.push(id)
    return id
  }

  place(values: Int32Array, shape: readonly number[] = [values.length]): number {
    const id = this.#binding.createTensor(shape, this.#binding.TF_INT32, values)
    this.#made.push(id)
    return id
  }

  typeAttribute(): Attribute {
    return { name: 'dtype', type: this.#binding.TF_ATTR_TYPE, value: this.#binding.TF_FLOAT }
  }

  text(name: string, value: string): Attribute {
    return { name, type: this.#binding.TF_ATTR_STRING, value }
  }

  shapeAttribute(shape: readonly number[]): Attribute {
    return { name: 'shape', type: this.#binding.TF_ATTR_SHAPE, value: shape }
  }

  /** Ends the work: these become tensors, everything else is let go. */
  give(...kept: readonly OutputInfo[]): TensorHandle[] {
    const ids = new Set(kept.map(({ id }) => id))
    for (const id of this.#made) if (!ids.has(id)) this.#binding.deleteTensor(id)
    return kept.map((info) => this.#backend.createOutputTensor(info))
  }

  #constant(key: string, make: () => number): number {
    const known = constants.get(key)
    if (known !== undefined) return known
    const oldest = constants.size >= MOST_CONSTANTS ? constants.entries().next().value : undefined
    if (oldest !== undefined) {
      constants.delete(oldest[0])
      this.#made.push(oldest[1]) // it may serve this very kernel
    }
    const id = make()
    constants.set(key, id)
    return id
  }
}
