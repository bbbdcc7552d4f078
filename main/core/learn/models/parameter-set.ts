import { tf } from '../tf.ts'
import { freezeFrom, type FrozenMatrix, type FrozenStorage, type Matrix, readFrozen } from './frozen.ts'
import { expectTensor, type NamedTensor, sourceOf, type TensorSource } from './parameters.ts'

/** Named weights on the engine, some of which train. */
export class ParameterSet {
  /** Those that train, in a fixed order. */
  readonly variables: Record<string, tf.Variable> = {}
  readonly #tensors: Record<string, tf.Tensor> = {}
  readonly #packed: Record<string, FrozenMatrix> = {}

  /**
   * Reads one tensor at a time.
   * @param storage of matrices that do not train
   * @throws RangeError naming the tensor that is missing or has another shape; nothing is left on the engine then
   */
  add(
    source: TensorSource,
    shapes: Readonly<Record<string, readonly number[]>>,
    trains: (name: string) => boolean,
    storage: FrozenStorage = 'float32',
  ): this {
    try {
      for (const [name, shape] of Object.entries(shapes)) {
        const packed =
          trains(name) || shape.length !== 2
            ? null
            : freezeFrom(source, name, shape as readonly [number, number], storage)
        if (packed !== null) {
          this.#packed[name] = packed
          continue
        }
        const given = expectTensor(source, name, shape)
        const tensor = tf.tensor(given.data.slice(), [...shape]) // engines may keep the array they are given
        if (trains(name)) {
          const variable = tf.variable(tensor, true)
          tensor.dispose()
          this.variables[name] = variable
          this.#tensors[name] = variable
        } else this.#tensors[name] = tf.keep(tensor)
      }
    } catch (error) {
      this.dispose()
      throw error
    }
    return this
  }

  /** Undefined where there is none of this name. */
  find(name: string): tf.Tensor | undefined {
    return this.#tensors[name]
  }

  get(name: string): tf.Tensor {
    const tensor = this.#tensors[name]
    if (tensor === undefined) throw new RangeError(`the weights have no tensor ${name}`)
    return tensor
  }

  /** One of two axes, however it is kept. @throws RangeError for an unknown name */
  matrix(name: string): Matrix {
    return this.#packed[name] ?? (this.get(name) as tf.Tensor2D)
  }

  /** Of all of them as they are kept. */
  get bytes(): number {
    const words = [...Object.values(this.#tensors), ...Object.values(this.#packed).map(({ packed }) => packed)]
    return words.reduce((sum, { size }) => sum + 4 * size, 0)
  }

  get shapes(): Readonly<Record<string, readonly number[]>> {
    const all = { ...this.#tensors, ...this.#packed }
    return Object.fromEntries(Object.entries(all).map(([name, { shape }]) => [name, shape]))
  }

  /** A copy. @throws RangeError for an unknown name */
  async read(name: string): Promise<NamedTensor> {
    const packed = this.#packed[name]
    if (packed !== undefined) return { shape: [...packed.shape], data: await readFrozen(packed) }
    const tensor = this.get(name)
    return { shape: [...tensor.shape], data: (await tensor.data<'float32'>()).slice() }
  }

  /** Replaces what trains. @throws RangeError when one is missing or has another shape */
  assign(tensors: Readonly<Record<string, NamedTensor>>): void {
    const source = sourceOf(tensors)
    const given = Object.entries(this.variables).map(
      ([name, variable]) => [variable, expectTensor(source, name, variable.shape)] as const,
    ) // all are checked before one is changed
    for (const [variable, { data }] of given) tf.tidy(() => variable.assign(tf.tensor(data.slice(), variable.shape)))
  }

  dispose(): void {
    for (const tensor of Object.values(this.#tensors)) tensor.dispose()
    for (const { packed } of Object.values(this.#packed)) packed.dispose()
  }
}
