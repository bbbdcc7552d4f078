import { tf } from '../tf.ts'
import { expectTensor, type NamedTensor, sourceOf, type TensorSource } from './parameters.ts'

/** Named weights on the engine, some of which train. */
export class ParameterSet {
  /** Those that train, in a fixed order. */
  readonly variables: Record<string, tf.Variable> = {}
  readonly #tensors: Record<string, tf.Tensor> = {}

  /**
   * Reads one tensor at a time.
   * @throws RangeError naming the tensor that is missing or has another shape; nothing is left on the engine then
   */
  add(
    source: TensorSource,
    shapes: Readonly<Record<string, readonly number[]>>,
    trains: (name: string) => boolean,
  ): this {
    try {
      for (const [name, shape] of Object.entries(shapes)) {
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

  get shapes(): Readonly<Record<string, readonly number[]>> {
    return Object.fromEntries(Object.entries(this.#tensors).map(([name, tensor]) => [name, tensor.shape]))
  }

  /** A copy. @throws RangeError for an unknown name */
  async read(name: string): Promise<NamedTensor> {
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
  }
}
