// A network that turns a text into a vector, whatever stands behind it: what ranking and embedding methods train.
import { tf } from '../tf.ts'
import { normalizeRows } from '../ops.ts'
import type { Decoder, Dropout } from './decoder.ts'
import type { Encoder, TextTokens } from './encoder.ts'
import { attention, gelu } from './fused.ts'
import { packTokens, type Packing } from './packing.ts'
import { ParameterSet } from './parameter-set.ts'
import { type NamedTensor, sizeOfShape, type TensorSource } from './parameters.ts'
import { pool, type PoolingMode } from './pooling.ts'

/** A linear layer behind the pooling, sentence-transformers' Dense. */
export interface DenseLayer {
  readonly inputs: number
  readonly outputs: number
  readonly bias: boolean
  readonly activation: 'identity' | 'tanh' | 'relu' | 'gelu'
}

/** What comes after the last hidden states, in this order. */
export interface EmbeddingHead {
  /** At least one; several are laid end to end. */
  readonly pooling: readonly PoolingMode[]
  readonly dense: readonly DenseLayer[]
  /** Vectors of length 1, so that their dot product is their cosine. */
  readonly normalize: boolean
}

export interface TextEmbedder {
  /** Length of a vector. */
  readonly dim: number
  readonly head: EmbeddingHead
  /** Those that train and that `embed` reads, by name, in a fixed order; the head's are named `dense.<n>.weight` and `.bias`. */
  readonly variables: Readonly<Record<string, tf.Variable>>
  /** Without adapters. */
  readonly parameterCount: number
  /** Of all weights and adapters as they are kept. */
  readonly weightBytes: number
  /** Tokens of the longest text the network can take; null where nothing limits it. */
  readonly maxTokens: number | null
  /** One vector a row, differentiable in `variables`. A row's vector does not depend on the other rows or on padding. [row, dim] */
  embed(tokens: TextTokens): tf.Tensor2D
  /** Null turns dropout off; it starts off. */
  setDropout(dropout: Dropout | null): void
  /** The work sees the frozen model alone: what the adapters were put beside. Nothing else may run meanwhile. */
  withoutAdapters<T>(work: () => T | Promise<T>): Promise<T>
  /** Name and shape of every weight and adapter, in a fixed order. */
  readonly shapes: Readonly<Record<string, readonly number[]>>
  /** A copy of one weight, or adapter. @throws RangeError for an unknown name */
  read(name: string): Promise<NamedTensor>
  /** Copies of everything, for a checkpoint. */
  toTensors(): Promise<Record<string, NamedTensor>>
  /** Replaces what trains; throws RangeError when one is missing or has another shape. */
  fromTensors(tensors: Readonly<Record<string, NamedTensor>>): void
  dispose(): void
}

/** Name and shape of the head's weights: linear weights are [out, in]. */
export function headShapes({ dense }: EmbeddingHead): Record<string, readonly number[]> {
  return Object.fromEntries(
    dense.flatMap(({ inputs, outputs, bias }, at) => [
      [`dense.${at}.weight`, [outputs, inputs] as const] as const,
      ...(bias ? [[`dense.${at}.bias`, [outputs] as const] as const] : []),
    ]),
  )
}

export interface HeadOptions {
  /** The head's weights; needed with dense layers. */
  readonly weights?: TensorSource
  /** Which of the head's weights train; absent: all. */
  readonly trainable?: (name: string) => boolean
}

/** The embedder owns the encoder, and disposes of it. @throws RangeError when a dense layer does not fit, naming it */
export function encoderEmbedder(encoder: Encoder, head: EmbeddingHead, options: HeadOptions = {}): TextEmbedder {
  return new PooledEmbedder(
    {
      network: encoder,
      hidden: encoder.config.hidden,
      maxTokens: encoder.config.maxPositions,
      variables: encoder.variables,
      pack: (tokens) => encoder.pack(tokens),
      states: (packing, wanted) => encoder.hiddenStates(packing, wanted),
    },
    head,
    options,
  )
}

/**
 * A decoder's last hidden states, after its final norm, pooled: `lasttoken` is what decoder-based embedding models use
 * (Wang et al., 2024, arXiv 2401.00368). Its heads are not read, and not among the variables. The embedder owns the decoder.
 * @throws RangeError when a dense layer does not fit, naming it
 */
export function decoderEmbedder(decoder: Decoder, head: EmbeddingHead, options: HeadOptions = {}): TextEmbedder {
  return new PooledEmbedder(
    {
      network: decoder,
      hidden: decoder.config.hidden,
      maxTokens: decoder.config.maxPositions ?? null,
      variables: Object.fromEntries(
        Object.entries(decoder.variables).filter(([name]) => name !== 'lm_head.weight' && name !== 'score.weight'),
      ),
      pack: packTokens,
      states: (packing, wanted) =>
        decoder.hiddenStatesWith(packing.ids, packing.positions, wanted, (_layer, q, k, v) =>
          attention(q, k, v, packing, decoder.config),
        ),
    },
    head,
    options,
  )
}

interface Backbone {
  readonly network: Pick<
    Encoder,
    'parameterCount' | 'weightBytes' | 'setDropout' | 'withoutAdapters' | 'shapes' | 'read' | 'fromTensors' | 'dispose'
  >
  readonly hidden: number
  readonly maxTokens: number | null
  readonly variables: Readonly<Record<string, tf.Variable>>
  pack(tokens: TextTokens): Packing
  states(packing: Packing, wanted: Int32Array | null): tf.Tensor2D
}

class PooledEmbedder implements TextEmbedder {
  readonly dim: number
  readonly head: EmbeddingHead
  readonly variables: Readonly<Record<string, tf.Variable>>
  readonly parameterCount: number
  readonly maxTokens: number | null
  readonly #backbone: Backbone
  readonly #own: ParameterSet

  constructor(backbone: Backbone, head: EmbeddingHead, { weights, trainable = () => true }: HeadOptions) {
    this.dim = widthOf(head, backbone.hidden)
    if (head.dense.length > 0 && weights === undefined) throw new RangeError('the dense layers need their weights')
    this.#backbone = backbone
    this.#own =
      head.dense.length === 0 ? new ParameterSet() : new ParameterSet().add(weights!, headShapes(head), trainable)
    this.head = head
    this.maxTokens = backbone.maxTokens
    this.variables = { ...backbone.variables, ...this.#own.variables }
    this.parameterCount =
      backbone.network.parameterCount +
      Object.values(headShapes(head)).reduce((sum, shape) => sum + sizeOfShape(shape), 0)
  }

  get shapes(): Readonly<Record<string, readonly number[]>> {
    return { ...this.#backbone.network.shapes, ...this.#own.shapes }
  }

  get weightBytes(): number {
    return this.#backbone.network.weightBytes + this.#own.bytes
  }

  embed(tokens: TextTokens): tf.Tensor2D {
    return tf.tidy(() => {
      const packing = this.#backbone.pack(tokens)
      let x = pool((wanted) => this.#backbone.states(packing, wanted), packing, this.head.pooling)
      this.head.dense.forEach((layer, at) => {
        x = this.#dense(x, layer, at)
      })
      return this.head.normalize ? normalizeRows(x) : x
    })
  }

  setDropout(dropout: Dropout | null): void {
    this.#backbone.network.setDropout(dropout)
  }

  withoutAdapters<T>(work: () => T | Promise<T>): Promise<T> {
    return this.#backbone.network.withoutAdapters(work)
  }

  read(name: string): Promise<NamedTensor> {
    return this.#own.find(name) === undefined ? this.#backbone.network.read(name) : this.#own.read(name)
  }

  async toTensors(): Promise<Record<string, NamedTensor>> {
    const tensors: Record<string, NamedTensor> = {}
    for (const name of Object.keys(this.shapes)) tensors[name] = await this.read(name)
    return tensors
  }

  fromTensors(tensors: Readonly<Record<string, NamedTensor>>): void {
    this.#own.assign(tensors)
    this.#backbone.network.fromTensors(tensors)
  }

  dispose(): void {
    this.#own.dispose()
    this.#backbone.network.dispose()
  }

  #dense(x: tf.Tensor2D, { activation }: DenseLayer, at: number): tf.Tensor2D {
    const bias = this.#own.find(`dense.${at}.bias`)
    const product = tf.matMul(x, this.#own.get(`dense.${at}.weight`) as tf.Tensor2D, false, true)
    const y = (bias === undefined ? product : tf.add(product, bias)) as tf.Tensor2D
    if (activation === 'identity') return y
    if (activation === 'tanh') return tf.tanh(y)
    return activation === 'relu' ? tf.relu(y) : gelu(y, 'exact')
  }
}

/** @throws RangeError naming the dense layer whose inputs are not what comes before it */
function widthOf(head: EmbeddingHead, hidden: number): number {
  return head.dense.reduce((width, layer, at) => {
    if (layer.inputs !== width)
      throw new RangeError(`dense layer ${at} takes ${layer.inputs} numbers, and what comes before it gives ${width}`)
    return layer.outputs
  }, hidden * head.pooling.length)
}
