// A decoder-only transformer, pre-norm, in the layouts of Llama (with Mistral, Qwen2 and Qwen3, which differ in biases
// and norms) and of GPT-2. Parameters carry the names and layouts of the families' checkpoints.
import type { Network, TokenBatch } from '../define.ts'
import { createRandom, type Random } from '../random.ts'
import { tf } from '../tf.ts'
import { adapterNames, adapterShapes, loraPass } from './adapters.ts'
import type { DecoderOptions } from './decoder-options.ts'
import { assignFrom } from './assign.ts'
import { dropMask } from './dropout.ts'
import { freezeFrom, type FrozenMatrix, isFrozen, type Matrix, multiply, readFrozen, rowsOf } from './frozen.ts'
import { attention, gatherRows, gelu, layerNorm, rmsNorm, rotary, scatterRows, swiGlu } from './fused.ts'
import { headLogProb } from './head.ts'
import { loraLinear } from './lora.ts'
import { checkedPositions, isLlamaLike, type DecoderConfig } from './model-config.ts'
import { completionTargets, lastTokens, paddedIndices, packTokens, type Packing } from './packing.ts'
import {
  expectTensor,
  initialWeights,
  layerPrefix,
  type NamedTensor,
  outerNames,
  parameterCount,
  parameterShapes,
  sourceOf,
  type TensorSource,
} from './parameters.ts'
import { recomputed } from './recompute.ts'
import { addBias, addLike } from './sums.ts'
import { ropeFrequencies, rotaryTable, type RotaryTable } from './rope.ts'

export type { DecoderOptions } from './decoder-options.ts'
export { presetConfig, type DecoderConfig } from './model-config.ts'
export { initialWeights, parameterCount, parameterShapes, type NamedTensor } from './parameters.ts'

/** Dropout is on while a decoder holds one of these: on the embedding and on what each sub-layer adds. */
export interface Dropout {
  readonly rate: number
  readonly random: Random
}

/** A layer's attention: queries and keys (both turned by their positions) and values → [token, heads · headDim] */
export type Mix = (layer: number, q: tf.Tensor2D, k: tf.Tensor2D, v: tf.Tensor2D) => tf.Tensor2D

export interface Decoder extends Network {
  readonly config: DecoderConfig
  /** Those that train, by checkpoint name, in a fixed order: all weights, or some, or the adapters. */
  readonly variables: Readonly<Record<string, tf.Variable>>
  /** Without adapters. */
  readonly parameterCount: number
  /** Of all weights and adapters as they are kept. */
  readonly weightBytes: number
  /** Null turns dropout off; it starts off. */
  setDropout(dropout: Dropout | null): void
  /** Logits of every position, 0 on padding [row, time, vocab] */
  logits(tokens: TokenBatch): tf.Tensor3D
  /** Last hidden states after the final norm [token, hidden] */
  hiddenStates(packing: Packing): tf.Tensor2D
  /** The same of the wanted tokens (null: of all), with attention left to the caller, who may keep keys and values. */
  hiddenStatesWith(ids: Int32Array, positions: Int32Array, wanted: Int32Array | null, mix: Mix): tf.Tensor2D
  /** The language-model head. [n, hidden] → [n, vocab] */
  project(hidden: tf.Tensor2D): tf.Tensor2D
  /** The work sees the frozen model alone: what the adapters were put beside. Nothing else may run meanwhile. */
  withoutAdapters<T>(work: () => T | Promise<T>): Promise<T>
  /** Name and shape of every weight, and of the adapters where there are any, in a fixed order. */
  readonly shapes: Readonly<Record<string, readonly number[]>>
  /** A copy of one weight, or adapter. @throws RangeError for an unknown name */
  read(name: string): Promise<NamedTensor>
  /** Copies of all weights, and of the adapters where there are any. */
  toTensors(): Promise<Record<string, NamedTensor>>
  /** Replaces what trains; throws RangeError when one is missing or has another shape. */
  fromTensors(tensors: Readonly<Record<string, NamedTensor>>): void
  dispose(): void
}

/** @throws RangeError when the sizes do not fit together */
export function createDecoder(config: DecoderConfig, random: Random): Decoder {
  return decoderFromTensors(config, initialWeights(config, random))
}

export function decoderFromTensors(config: DecoderConfig, tensors: Readonly<Record<string, NamedTensor>>): Decoder {
  return decoderFrom(config, sourceOf(tensors))
}

/**
 * Reads one tensor at a time, so that the weights are held once.
 * @throws RangeError naming the tensor that is missing or has another shape, or the sizes that do not fit together
 */
export function decoderFrom(config: DecoderConfig, source: TensorSource, options: DecoderOptions = {}): Decoder {
  if (config.heads % config.kvHeads !== 0)
    throw new RangeError(`${config.heads} heads do not divide into ${config.kvHeads} groups`)
  if (config.headDim % 2 !== 0 && isLlamaLike(config))
    throw new RangeError(`a head of ${config.headDim} numbers cannot be turned in pairs`)
  const { lora = null, trainable = () => true } = options
  const parameters: Record<string, tf.Tensor | FrozenMatrix> = {}
  const variables: Record<string, tf.Variable> = {}
  const place = (
    from: TensorSource,
    name: string,
    shape: readonly number[],
    trains: boolean,
  ): tf.Tensor | FrozenMatrix => {
    const frozen =
      trains || shape.length !== 2
        ? null
        : freezeFrom(from, name, shape as [number, number], options.frozenStorage ?? 'float32')
    if (frozen !== null) return frozen
    const given = expectTensor(from, name, shape)
    const tensor = tf.tensor(given.data, [...shape])
    if (!trains) return tf.keep(tensor)
    const variable = tf.variable(tensor, true)
    tensor.dispose()
    variables[name] = variable
    return variable
  }
  for (const [name, shape] of Object.entries(parameterShapes(config))) {
    parameters[name] = place(source, name, shape, lora === null ? trainable(name) : name === 'score.weight')
  }
  for (const [name, shape] of Object.entries(lora === null ? {} : adapterShapes(config, lora))) {
    if (options.adapters === undefined) throw new RangeError('adapters need their first numbers')
    parameters[name] = place(options.adapters, name, shape, true)
  }
  return new TransformerDecoder(config, parameters, variables, options)
}

/** What every layer of one pass needs. */
interface Pass {
  readonly positions: Int32Array
  readonly table: RotaryTable | null
  readonly mix: Mix
  /** Of this pass; each layer draws from a fork of it, so that a layer can be computed twice. */
  readonly random: Random | null
}

class TransformerDecoder implements Decoder {
  readonly config: DecoderConfig
  readonly variables: Readonly<Record<string, tf.Variable>>
  readonly parameterCount: number
  readonly weightBytes: number
  readonly shapes: Readonly<Record<string, readonly number[]>>
  readonly #parameters: Readonly<Record<string, tf.Tensor | FrozenMatrix>>
  readonly #options: DecoderOptions
  readonly #names: ReturnType<typeof outerNames>
  readonly #head: string
  #dropout: Dropout | null = null
  #adaptersOn = true
  #rotary: RotaryTable | null = null

  constructor(
    config: DecoderConfig,
    parameters: Readonly<Record<string, tf.Tensor | FrozenMatrix>>,
    variables: Readonly<Record<string, tf.Variable>>,
    options: DecoderOptions,
  ) {
    this.config = config
    this.variables = variables
    this.#parameters = parameters
    this.#options = options
    this.#names = outerNames(config)
    this.#head = config.tiedEmbeddings ? this.#names.embedding : this.#names.head
    this.parameterCount = parameterCount(config)
    this.weightBytes = Object.values(parameters).reduce(
      (sum, one) => sum + 4 * (isFrozen(one) ? one.packed.size : one.size),
      0,
    )
    this.shapes = Object.fromEntries(Object.entries(parameters).map(([name, tensor]) => [name, tensor.shape]))
  }

  setDropout(dropout: Dropout | null): void {
    this.#dropout = dropout
  }

  async withoutAdapters<T>(work: () => T | Promise<T>): Promise<T> {
    this.#adaptersOn = false
    try {
      return await work()
    } finally {
      this.#adaptersOn = true
    }
  }

  tokenLogProbs(tokens: TokenBatch): tf.Tensor2D {
    return tf.tidy(() => {
      const packing = packTokens(tokens)
      const targets = completionTargets(tokens, packing)
      const { rows, time } = packing
      if (targets.from.length === 0) return this.#unusedLogProbs(packing)
      // Nothing past the last layer's attention is needed where no completion token is predicted.
      const hidden = this.#forward(packing, targets.from)
      const trains = `${this.#head}.weight` in this.variables
      const logProbs = headLogProb(hidden, this.#matrix(this.#head), targets.ids, { trains }) // [target]
      return tf.reshape(scatterRows(tf.reshape(logProbs, [-1, 1]), targets.places, rows * (time - 1)), [rows, time - 1])
    })
  }

  /** All 0, and still a function of the weights, so that a batch without a completion has a gradient: 0. */
  #unusedLogProbs(packing: Packing): tf.Tensor2D {
    const nothing = tf.mul(tf.sum(this.#forward(packing, Int32Array.of(0))), 0)
    return tf.add(tf.zeros([packing.rows, packing.time - 1]), nothing) as tf.Tensor2D
  }

  score(tokens: TokenBatch): tf.Tensor1D {
    if (this.#parameters['score.weight'] === undefined) throw new RangeError('this model has no score head')
    return tf.tidy(() => {
      const packing = packTokens(tokens)
      const hidden = this.#forward(packing, lastTokens(packing)) // [row, hidden]
      return tf.reshape(multiply(hidden, this.#matrix('score'), true), [packing.rows])
    })
  }

  logits(tokens: TokenBatch): tf.Tensor3D {
    return tf.tidy(() => {
      const packing = packTokens(tokens)
      const { rows, time } = packing
      const logits = gatherRows(this.project(this.#forward(packing, null)), packing.members) // [slot, vocab]
      const padded = scatterRows(logits, paddedIndices(packing), rows * time)
      return tf.reshape(padded, [rows, time, this.config.vocabSize])
    })
  }

  hiddenStates(packing: Packing): tf.Tensor2D {
    return tf.tidy(() => this.#forward(packing, null))
  }

  project(hidden: tf.Tensor2D): tf.Tensor2D {
    return multiply(hidden, this.#matrix(this.#head), true)
  }

  async toTensors(): Promise<Record<string, NamedTensor>> {
    const tensors: Record<string, NamedTensor> = {}
    for (const name of Object.keys(this.#parameters)) tensors[name] = await this.read(name)
    return tensors
  }

  async read(name: string): Promise<NamedTensor> {
    const tensor = this.#parameters[name]
    if (tensor === undefined) throw new RangeError(`the weights have no tensor ${name}`)
    return {
      shape: [...tensor.shape],
      data: isFrozen(tensor) ? await readFrozen(tensor) : (await tensor.data<'float32'>()).slice(),
    }
  }

  fromTensors(tensors: Readonly<Record<string, NamedTensor>>): void {
    const source = sourceOf(tensors)
    for (const [name, variable] of Object.entries(this.variables)) assignFrom(variable, source, name)
  }

  dispose(): void {
    for (const one of Object.values(this.#parameters)) (isFrozen(one) ? one.packed : one).dispose()
  }

  hiddenStatesWith(ids: Int32Array, positions: Int32Array, wanted: Int32Array | null, mix: Mix): tf.Tensor2D {
    const { layers } = this.config
    const random = this.#dropout === null ? null : createRandom(this.#dropout.random.int(2 ** 31))
    const pass: Pass = { positions, table: isLlamaLike(this.config) ? this.#tableFor(positions) : null, mix, random }
    let x = this.#drop(this.#embed(ids, positions), random?.fork('embedding') ?? null) // [token, hidden]
    for (let layer = 0; layer < layers; layer += 1) {
      const last = layer === layers - 1
      if (this.#options.recompute === true && !last)
        x = recomputed((input) => this.#layer(layer, input, pass, null), x, this.#variablesOf(layer))
      else x = this.#freed(layer, x, pass, last ? wanted : null)
    }
    return this.#norm(this.#names.norm, x)
  }

  /** A layer of whose results only those stay that a gradient will need. */
  #freed(layer: number, x: tf.Tensor2D, pass: Pass, wanted: Int32Array | null): tf.Tensor2D {
    return tf.tidy(() => this.#layer(layer, x, pass, wanted))
  }

  #forward(packing: Packing, wanted: Int32Array | null): tf.Tensor2D {
    return this.hiddenStatesWith(packing.ids, packing.positions, wanted, (_layer, q, k, v) =>
      attention(q, k, v, packing, this.config),
    )
  }

  #embed(ids: Int32Array, positions: Int32Array): tf.Tensor2D {
    const tokens = rowsOf(this.#matrix(this.#names.embedding), ids)
    if (this.#names.positions === null) return tokens
    return tf.add(tokens, rowsOf(this.#matrix(this.#names.positions), checkedPositions(this.config, positions)))
  }

  /** One block; only the wanted tokens leave it. [token, hidden] → [token or wanted, hidden] */
  #layer(layer: number, x: tf.Tensor2D, pass: Pass, wanted: Int32Array | null): tf.Tensor2D {
    const random = pass.random?.fork(`layer ${layer}`) ?? null
    const llama = isLlamaLike(this.config)
    const prefix = layerPrefix(this.config, layer)
    const mixed = this.#attend(layer, prefix, x, pass, random) // [token, heads · headDim]
    const pick = (all: tf.Tensor2D): tf.Tensor2D => (wanted === null ? all : gatherRows(all, wanted))
    const update = this.#linear(`${prefix}${llama ? 'self_attn.o_proj' : 'attn.c_proj'}`, pick(mixed), random)
    const middle = addLike(pick(x), this.#drop(update, random))
    return addLike(middle, this.#drop(this.#feedForward(prefix, middle, random), random))
  }

  #attend(layer: number, prefix: string, x: tf.Tensor2D, pass: Pass, random: Random | null): tf.Tensor2D {
    if (pass.table === null) {
      const joint = this.#linear(`${prefix}attn.c_attn`, this.#norm(`${prefix}ln_1`, x), random)
      const [q, k, v] = tf.split(joint, 3, 1) as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D]
      return pass.mix(layer, q, k, v)
    }
    const { positions, table } = pass
    const normed = this.#norm(`${prefix}input_layernorm`, x)
    const project = (name: string): tf.Tensor2D => this.#linear(`${prefix}self_attn.${name}_proj`, normed, random)
    const turned = (name: 'q' | 'k'): tf.Tensor2D =>
      rotary(this.#headNorm(`${prefix}self_attn.${name}_norm`, project(name)), positions, table)
    return pass.mix(layer, turned('q'), turned('k'), project('v'))
  }

  #feedForward(prefix: string, x: tf.Tensor2D, random: Random | null): tf.Tensor2D {
    if (!isLlamaLike(this.config)) {
      const wide = this.#linear(`${prefix}mlp.c_fc`, this.#norm(`${prefix}ln_2`, x), random)
      return this.#linear(`${prefix}mlp.c_proj`, gelu(wide, this.config.gelu ?? 'tanh'), random)
    }
    const normed = this.#norm(`${prefix}post_attention_layernorm`, x)
    const gate = this.#linear(`${prefix}mlp.gate_proj`, normed, random)
    const up = this.#linear(`${prefix}mlp.up_proj`, normed, random)
    return this.#linear(`${prefix}mlp.down_proj`, swiGlu(gate, up), random)
  }

  /** x Wᵀ + b, and the adapter's share where there is one. [token, in] → [token, out] */
  #linear(name: string, x: tf.Tensor2D, random: Random | null): tf.Tensor2D {
    const bias = this.#vector(`${name}.bias`)
    const weight = this.#matrix(name)
    const llama = isLlamaLike(this.config)
    const { lora = null } = this.#options
    const { a, b } = adapterNames(name)
    const [first, second] = [this.#parameters[a], this.#parameters[b]]
    if (lora !== null && this.#adaptersOn && first !== undefined && second !== undefined) {
      const adapter = { a: first as tf.Tensor2D, b: second as tf.Tensor2D }
      return loraLinear(x, { weight, inOut: !llama, bias, ...adapter, ...loraPass(x, lora, random) })
    }
    const y = multiply(x, weight, llama)
    return bias === undefined ? y : addBias(y, bias)
  }

  #norm(name: string, x: tf.Tensor2D): tf.Tensor2D {
    const weight = this.#vector(`${name}.weight`)! // a parameter of the family
    const bias = this.#vector(`${name}.bias`)
    return bias === undefined
      ? rmsNorm(x, weight, this.config.normEpsilon)
      : layerNorm(x, weight, bias, this.config.normEpsilon)
  }

  /** RMS norm of each head apart, where the family has it. [token, heads · headDim] → the same */
  #headNorm(name: string, x: tf.Tensor2D): tf.Tensor2D {
    if (this.config.qkNorm !== true) return x
    const [tokens, width] = x.shape
    return tf.reshape(this.#norm(name, tf.reshape(x, [(tokens * width) / this.config.headDim, this.config.headDim])), [
      tokens,
      width,
    ])
  }

  #drop(x: tf.Tensor2D, random: Random | null): tf.Tensor2D {
    const rate = this.#dropout?.rate ?? 0
    return random === null || rate === 0 ? x : tf.mul(x, dropMask(x.shape, rate, random))
  }

  #variablesOf(layer: number): tf.Variable[] {
    const prefix = layerPrefix(this.config, layer)
    return Object.entries(this.variables)
      .filter(([name]) => name.startsWith(prefix))
      .map(([, variable]) => variable)
  }

  #tableFor(positions: Int32Array): RotaryTable {
    const { headDim, ropeScaling = null } = this.config
    if (ropeScaling?.kind === 'dynamic') checkedPositions(this.config, positions)
    const length = positions.reduce((longest, position) => Math.max(longest, position + 1), 0)
    if (this.#rotary === null || this.#rotary.cos.length < (length * headDim) / 2) {
      this.#rotary = rotaryTable(Math.max(2 * length, 256), headDim, ropeFrequencies(this.config))
    }
    return this.#rotary
  }

  #matrix(name: string): Matrix {
    return this.#parameters[`${name}.weight`] as Matrix // a parameter of two axes
  }

  #vector(name: string): tf.Tensor1D | undefined {
    return this.#parameters[name] as tf.Tensor1D | undefined // of one axis, which is never packed
  }
}
