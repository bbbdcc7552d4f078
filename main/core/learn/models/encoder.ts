// BERT (Devlin et al., 2019), arXiv 1810.04805, and DistilBERT (Sanh et al., 2019), arXiv 1910.01108: bidirectional
// attention, norms behind each sub-layer, learned positions. Parameters carry the names and layouts of the checkpoints.
import type { TokenBatch } from '../define.ts'
import { createRandom, type Random } from '../random.ts'
import { numbersOf } from '../host-numbers.ts'
import { tf } from '../tf.ts'
import { adapterNames, loraPass, type LoraOptions } from './adapters.ts'
import type { Dropout } from './decoder.ts'
import { dropMask } from './dropout.ts'
import type { EncoderConfig } from './encoder-config.ts'
import {
  encoderAdapterShapes,
  encoderLayerPrefix,
  encoderNames,
  encoderParameterCount,
  encoderShapes,
  freshEncoderWeights,
} from './encoder-parameters.ts'
import { attention, type AttentionShape, gatherRows, gelu, layerNorm, scatterRows } from './fused.ts'
import { type FrozenStorage, type Matrix, multiply, rowsOf } from './frozen.ts'
import { loraLinear } from './lora.ts'
import { addBias, addLike } from './sums.ts'
import { packWhole, paddedIndices, type Packing, tokenRows } from './packing.ts'
import { ParameterSet } from './parameter-set.ts'
import type { NamedTensor, TensorSource } from './parameters.ts'
import { recomputed } from './recompute.ts'

/** Right-padded rows; every row holds at least one token. */
export type TextTokens = Pick<TokenBatch, 'ids' | 'attention'>

export interface Encoder {
  readonly config: EncoderConfig
  /** Those that train, by checkpoint name, in a fixed order: all weights, or some, or the adapters. */
  readonly variables: Readonly<Record<string, tf.Variable>>
  /** Without adapters. */
  readonly parameterCount: number
  /** Of all weights and adapters as they are kept. */
  readonly weightBytes: number
  /** Null turns dropout off; it starts off. On the embedding and on what each sub-layer adds. */
  setDropout(dropout: Dropout | null): void
  /** What attention may look at: all of a row, padding left out. */
  pack(tokens: TextTokens): Packing
  /** Last hidden states, 0 on padding. @param types segment of each token, 0 where absent [row, time]   @returns [row, time, hidden] */
  lastHiddenStates(tokens: TextTokens, types?: tf.Tensor2D): tf.Tensor3D
  /** Last hidden states of the wanted tokens (null: of all). @param types [token]   @returns [token or wanted, hidden] */
  hiddenStates(packing: Packing, wanted?: Int32Array | null, types?: Int32Array | null): tf.Tensor2D
  /** The work sees the frozen model alone: what the adapters were put beside. Nothing else may run meanwhile. */
  withoutAdapters<T>(work: () => T | Promise<T>): Promise<T>
  /** Name and shape of every weight, and of the adapters where there are any, in a fixed order. */
  readonly shapes: Readonly<Record<string, readonly number[]>>
  /** A copy of one weight, or adapter. @throws RangeError for an unknown name */
  read(name: string): Promise<NamedTensor>
  /** Replaces what trains; throws RangeError when one is missing or has another shape. */
  fromTensors(tensors: Readonly<Record<string, NamedTensor>>): void
  dispose(): void
}

export interface EncoderOptions {
  /** Which parameters train; absent: all. The others are plain tensors, for which no gradient is computed. */
  readonly trainable?: (name: string) => boolean
  /** Low-rank adapters train, and nothing else. */
  readonly lora?: LoraOptions | null
  /** The adapters' first numbers; needed with `lora`. */
  readonly adapters?: TensorSource
  /** How matrices that do not train are kept; absent: float32. */
  readonly frozenStorage?: FrozenStorage
  /** Keep only what goes into each layer, and compute the rest again in the backward pass. */
  readonly recompute?: boolean
}

export function createEncoder(config: EncoderConfig, random: Random): Encoder {
  return encoderFrom(config, freshEncoderWeights(config, random))
}

/**
 * Reads one tensor at a time, so that the weights are held once.
 * @throws RangeError naming the tensor that is missing or has another shape, or the sizes that do not fit together
 */
export function encoderFrom(config: EncoderConfig, source: TensorSource, options: EncoderOptions = {}): Encoder {
  if (config.hidden % config.heads !== 0)
    throw new RangeError(`${config.hidden} numbers a token do not divide into ${config.heads} heads`)
  const { lora = null, adapters, trainable = () => true } = options
  if (lora !== null && adapters === undefined) throw new RangeError('adapters need their first numbers')
  const parameters = new ParameterSet().add(
    source,
    encoderShapes(config),
    (name) => lora === null && trainable(name),
    options.frozenStorage,
  )
  if (lora !== null) parameters.add(adapters!, encoderAdapterShapes(config, lora), () => true)
  return new BertEncoder(config, parameters, options)
}

class BertEncoder implements Encoder {
  readonly config: EncoderConfig
  readonly variables: Readonly<Record<string, tf.Variable>>
  readonly parameterCount: number
  readonly #parameters: ParameterSet
  readonly #options: EncoderOptions
  readonly #attention: AttentionShape
  #dropout: Dropout | null = null
  #adaptersOn = true

  constructor(config: EncoderConfig, parameters: ParameterSet, options: EncoderOptions) {
    this.config = config
    this.variables = parameters.variables
    this.parameterCount = encoderParameterCount(config)
    this.#parameters = parameters
    this.#options = options
    this.#attention = {
      heads: config.heads,
      kvHeads: config.heads,
      headDim: config.hidden / config.heads,
      causal: false,
    }
  }

  get shapes(): Readonly<Record<string, readonly number[]>> {
    return this.#parameters.shapes
  }

  get weightBytes(): number {
    return this.#parameters.bytes
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

  pack(tokens: TextTokens): Packing {
    return packWhole(tokenRows(tokens), tokens.ids.shape[1])
  }

  lastHiddenStates(tokens: TextTokens, types?: tf.Tensor2D): tf.Tensor3D {
    return tf.tidy(() => {
      const packing = this.pack(tokens)
      const places = paddedIndices(packing)
      const given = types === undefined ? undefined : numbersOf(types)
      const states = this.hiddenStates(packing, null, given === undefined ? null : places.map((place) => given[place]!))
      return tf.reshape(scatterRows(states, places, packing.rows * packing.time), [
        packing.rows,
        packing.time,
        this.config.hidden,
      ])
    })
  }

  hiddenStates(packing: Packing, wanted: Int32Array | null = null, types: Int32Array | null = null): tf.Tensor2D {
    if (packing.firsts !== null)
      throw new RangeError('an encoder’s tokens look at what follows them: rows cannot share their beginnings')
    return tf.tidy(() => {
      const { layers } = this.config
      const random = this.#dropout === null ? null : createRandom(this.#dropout.random.int(2 ** 31))
      let x = this.#drop(this.#embed(packing, types), random?.fork('embedding') ?? null) // [token, hidden]
      for (let layer = 0; layer < layers; layer += 1) {
        const last = layer === layers - 1
        // Each layer draws from a fork of the pass's generator, so that it can be computed twice.
        const compute = (input: tf.Tensor2D): tf.Tensor2D =>
          this.#layer(layer, input, packing, last ? wanted : null, random?.fork(`layer ${layer}`) ?? null)
        const before = x
        // Of a layer's results only those stay that a gradient will need.
        x =
          this.#options.recompute === true && !last
            ? recomputed(compute, before, this.#variablesOf(layer))
            : tf.tidy(() => compute(before))
      }
      return x
    })
  }

  read(name: string): Promise<NamedTensor> {
    return this.#parameters.read(name)
  }

  fromTensors(tensors: Readonly<Record<string, NamedTensor>>): void {
    this.#parameters.assign(tensors)
  }

  dispose(): void {
    this.#parameters.dispose()
  }

  #embed({ ids, positions }: Packing, types: Int32Array | null): tf.Tensor2D {
    const { maxPositions, tokenTypes, vocabSize } = this.config
    check(ids, vocabSize, (id) => `token ${id} is outside the vocabulary of ${vocabSize}`)
    check(positions, maxPositions, () => `the model knows ${maxPositions} positions, and a text is longer`)
    let x = tf.add(
      rowsOf(this.#matrix('embeddings.word_embeddings'), ids),
      rowsOf(this.#matrix('embeddings.position_embeddings'), positions),
    )
    if (tokenTypes > 0) {
      const segments = types ?? new Int32Array(ids.length)
      check(segments, tokenTypes, (type) => `segment ${type} is outside the ${tokenTypes} the model knows`)
      x = tf.add(x, rowsOf(this.#matrix('embeddings.token_type_embeddings'), segments))
    }
    return this.#norm('embeddings.LayerNorm', x as tf.Tensor2D)
  }

  /** One block; only the wanted tokens leave it. [token, hidden] → [token or wanted, hidden] */
  #layer(
    layer: number,
    x: tf.Tensor2D,
    packing: Packing,
    wanted: Int32Array | null,
    random: Random | null,
  ): tf.Tensor2D {
    const prefix = encoderLayerPrefix(this.config, layer)
    const names = encoderNames(this.config)
    const project = (name: string): tf.Tensor2D => this.#linear(`${prefix}${name}`, x, random)
    const mixed = attention(project(names.query), project(names.key), project(names.value), packing, this.#attention)
    const pick = (all: tf.Tensor2D): tf.Tensor2D => (wanted === null ? all : gatherRows(all, wanted))
    const update = this.#drop(this.#linear(`${prefix}${names.attentionOutput}`, pick(mixed), random), random)
    const middle = this.#norm(`${prefix}${names.attentionNorm}`, addLike(pick(x), update))
    const wide = this.#activate(this.#linear(`${prefix}${names.wide}`, middle, random))
    const narrow = this.#drop(this.#linear(`${prefix}${names.narrow}`, wide, random), random)
    return this.#norm(`${prefix}${names.norm}`, addLike(middle, narrow))
  }

  #activate(x: tf.Tensor2D): tf.Tensor2D {
    const { activation } = this.config
    return activation === 'relu' ? tf.relu(x) : gelu(x, activation)
  }

  /** x Wᵀ + b, and the adapter's share where there is one. [token, in] → [token, out] */
  #linear(name: string, x: tf.Tensor2D, random: Random | null): tf.Tensor2D {
    const weight = this.#matrix(name)
    const bias = this.#parameters.get(`${name}.bias`) as tf.Tensor1D
    const { lora = null } = this.#options
    const { a, b } = adapterNames(name)
    const [first, second] = [this.#parameters.find(a), this.#parameters.find(b)]
    if (lora === null || !this.#adaptersOn || first === undefined || second === undefined)
      return addBias(multiply(x, weight, true), bias)
    const adapter = { a: first as tf.Tensor2D, b: second as tf.Tensor2D }
    return loraLinear(x, { weight, bias, ...adapter, ...loraPass(x, lora, random) })
  }

  #norm(name: string, x: tf.Tensor2D): tf.Tensor2D {
    return layerNorm(
      x,
      this.#parameters.get(`${name}.weight`) as tf.Tensor1D,
      this.#parameters.get(`${name}.bias`) as tf.Tensor1D,
      this.config.normEpsilon,
    )
  }

  #drop(x: tf.Tensor2D, random: Random | null): tf.Tensor2D {
    const rate = this.#dropout?.rate ?? 0
    return random === null || rate === 0 ? x : tf.mul(x, dropMask(x.shape, rate, random))
  }

  #variablesOf(layer: number): tf.Variable[] {
    const prefix = encoderLayerPrefix(this.config, layer)
    return Object.entries(this.variables)
      .filter(([name]) => name.startsWith(prefix))
      .map(([, variable]) => variable)
  }

  #matrix(name: string): Matrix {
    return this.#parameters.matrix(`${name}.weight`)
  }
}

/** @throws RangeError for the first value that is not below the limit */
function check(values: Int32Array, limit: number, complaint: (value: number) => string): void {
  for (const value of values) if (value < 0 || value >= limit) throw new RangeError(complaint(value))
}
