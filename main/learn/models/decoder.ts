// A decoder-only transformer: pre-norm, RMSNorm, rotary positions, grouped-query attention, SwiGLU. Parameters carry
// the names and layouts of Llama checkpoints, so linear weights are [out, in].
import { MODEL_PRESETS, type ModelPreset } from '../../../shared/run-spec.ts'
import type { Network, TokenBatch } from '../define.ts'
import type { Random } from '../random.ts'
import { tf } from '../tf.ts'
import { dropMask } from './dropout.ts'
import { attention, gatherRows, logProbOf, rmsNorm, rotary, type RotaryTable, rotaryTable, scatterRows, swiGlu } from './fused.ts'
import { completionTargets, lastTokens, paddedIndices, packTokens, type Packing } from './packing.ts'

export interface DecoderConfig {
  readonly vocabSize: number
  readonly layers: number
  readonly hidden: number
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
  readonly feedForward: number
  readonly ropeTheta: number
  readonly normEpsilon: number
  /** The head shares the embedding's weights. */
  readonly tiedEmbeddings: boolean
  /** Adds a scalar head (a reward model's). */
  readonly scoreHead: boolean
}

/** Dropout is on while a decoder holds one of these: on the embedding and on what each sub-layer adds. */
export interface Dropout {
  readonly rate: number
  readonly random: Random
}

export interface NamedTensor {
  readonly shape: readonly number[]
  readonly data: Float32Array
}

/** A layer's attention: queries and keys (both turned by their positions) and values → [token, heads · headDim] */
export type Mix = (layer: number, q: tf.Tensor2D, k: tf.Tensor2D, v: tf.Tensor2D) => tf.Tensor2D

export interface Decoder extends Network {
  readonly config: DecoderConfig
  /** By checkpoint name, in a fixed order. */
  readonly variables: Readonly<Record<string, tf.Variable>>
  readonly parameterCount: number
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
  /** Copies of the weights. */
  toTensors(): Record<string, NamedTensor>
  /** Replaces the weights; throws RangeError when one is missing or has another shape. */
  fromTensors(tensors: Readonly<Record<string, NamedTensor>>): void
  dispose(): void
}

export function presetConfig(preset: ModelPreset, vocabSize: number, options: { readonly tiedEmbeddings?: boolean; readonly scoreHead?: boolean } = {}): DecoderConfig {
  const size = MODEL_PRESETS[preset]
  return {
    ...size,
    vocabSize,
    headDim: size.hidden / size.heads,
    ropeTheta: 10_000,
    normEpsilon: 1e-5,
    tiedEmbeddings: options.tiedEmbeddings ?? true,
    scoreHead: options.scoreHead ?? false,
  }
}

/** Every parameter's name and shape, in a fixed order. */
export function parameterShapes(config: DecoderConfig): Record<string, readonly [number] | readonly [number, number]> {
  const { hidden, vocabSize, feedForward } = config
  const queryWidth = config.heads * config.headDim
  const keyWidth = config.kvHeads * config.headDim
  const shapes: Record<string, readonly [number] | readonly [number, number]> = { 'model.embed_tokens.weight': [vocabSize, hidden] }
  for (let layer = 0; layer < config.layers; layer += 1) {
    const prefix = `model.layers.${layer}.`
    shapes[`${prefix}input_layernorm.weight`] = [hidden]
    shapes[`${prefix}self_attn.q_proj.weight`] = [queryWidth, hidden]
    shapes[`${prefix}self_attn.k_proj.weight`] = [keyWidth, hidden]
    shapes[`${prefix}self_attn.v_proj.weight`] = [keyWidth, hidden]
    shapes[`${prefix}self_attn.o_proj.weight`] = [hidden, queryWidth]
    shapes[`${prefix}post_attention_layernorm.weight`] = [hidden]
    shapes[`${prefix}mlp.gate_proj.weight`] = [feedForward, hidden]
    shapes[`${prefix}mlp.up_proj.weight`] = [feedForward, hidden]
    shapes[`${prefix}mlp.down_proj.weight`] = [hidden, feedForward]
  }
  shapes['model.norm.weight'] = [hidden]
  if (!config.tiedEmbeddings) shapes['lm_head.weight'] = [vocabSize, hidden]
  if (config.scoreHead) shapes['score.weight'] = [1, hidden]
  return shapes
}

export function parameterCount(config: DecoderConfig): number {
  return Object.values(parameterShapes(config)).reduce((sum, shape) => sum + shape.reduce<number>((product, size) => product * size, 1), 0)
}

/**
 * Weights are normal with deviation 0.02, the two projections that write into the residual stream smaller by
 * √(2 · layers) (Radford et al., 2019); norms are 1, the score head 0, so that a fresh reward model ranks nothing.
 */
export function initialWeights(config: DecoderConfig, random: Random): Record<string, NamedTensor> {
  const residualScale = 1 / Math.sqrt(2 * config.layers)
  const tensors: Record<string, NamedTensor> = {}
  for (const [name, shape] of Object.entries(parameterShapes(config))) {
    const data = new Float32Array(shape.reduce<number>((product, size) => product * size, 1))
    const own = random.fork(name) // by name, so that a head more or less changes no other weight
    const deviation = /(o_proj|down_proj)\.weight$/.test(name) ? 0.02 * residualScale : 0.02
    if (shape.length === 1) data.fill(1)
    else if (name !== 'score.weight') for (let index = 0; index < data.length; index += 1) data[index] = own.normal() * deviation
    tensors[name] = { shape, data }
  }
  return tensors
}

/** @throws RangeError when the sizes do not fit together */
export function createDecoder(config: DecoderConfig, random: Random): Decoder {
  return decoderFromTensors(config, initialWeights(config, random))
}

export function decoderFromTensors(config: DecoderConfig, tensors: Readonly<Record<string, NamedTensor>>): Decoder {
  if (config.heads % config.kvHeads !== 0) throw new RangeError(`${config.heads} heads do not divide into ${config.kvHeads} groups`)
  if (config.headDim % 2 !== 0) throw new RangeError(`a head of ${config.headDim} numbers cannot be turned in pairs`)
  const shapes = parameterShapes(config)
  const variables: Record<string, tf.Variable> = {}
  for (const [name, shape] of Object.entries(shapes)) {
    const given = expectTensor(tensors, name, shape)
    variables[name] = tf.tidy(() => tf.variable(tf.tensor(given.data.slice(), [...shape]), true))
  }
  return new TransformerDecoder(config, variables)
}

class TransformerDecoder implements Decoder {
  readonly config: DecoderConfig
  readonly variables: Readonly<Record<string, tf.Variable>>
  readonly parameterCount: number
  #dropout: Dropout | null = null
  #rotary: RotaryTable | null = null

  constructor(config: DecoderConfig, variables: Readonly<Record<string, tf.Variable>>) {
    this.config = config
    this.variables = variables
    this.parameterCount = parameterCount(config)
  }

  setDropout(dropout: Dropout | null): void {
    this.#dropout = dropout !== null && dropout.rate > 0 ? dropout : null
  }

  tokenLogProbs(tokens: TokenBatch): tf.Tensor2D {
    return tf.tidy(() => {
      const packing = packTokens(tokens)
      const targets = completionTargets(tokens, packing)
      const { rows, time } = packing
      if (targets.from.length === 0) return this.#unusedLogProbs(packing)
      // Nothing past the last layer's attention is needed where no completion token is predicted.
      const hidden = this.#forward(packing, targets.from)
      const logProbs = logProbOf(this.project(hidden), targets.ids) // [target]
      return tf.reshape(scatterRows(tf.reshape(logProbs, [-1, 1]), targets.places, rows * (time - 1)), [rows, time - 1])
    })
  }

  /** All 0, and still a function of the weights, so that a batch without a completion has a gradient: 0. */
  #unusedLogProbs(packing: Packing): tf.Tensor2D {
    const nothing = tf.mul(tf.sum(this.#forward(packing, Int32Array.of(0))), 0)
    return tf.add(tf.zeros([packing.rows, packing.time - 1]), nothing) as tf.Tensor2D
  }

  score(tokens: TokenBatch): tf.Tensor1D {
    const weight = this.variables['score.weight']
    if (weight === undefined) throw new RangeError('this model has no score head')
    return tf.tidy(() => {
      const packing = packTokens(tokens)
      const hidden = this.#forward(packing, lastTokens(packing)) // [row, hidden]
      return tf.reshape(tf.matMul(hidden, weight as tf.Tensor2D, false, true), [packing.rows])
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
    const weight = this.config.tiedEmbeddings ? 'model.embed_tokens.weight' : 'lm_head.weight'
    return tf.matMul(hidden, this.variables[weight] as tf.Tensor2D, false, true)
  }

  toTensors(): Record<string, NamedTensor> {
    return Object.fromEntries(Object.entries(this.variables).map(([name, variable]) => [name, { shape: [...variable.shape], data: variable.dataSync<'float32'>().slice() }]))
  }

  fromTensors(tensors: Readonly<Record<string, NamedTensor>>): void {
    for (const [name, variable] of Object.entries(this.variables)) {
      const given = expectTensor(tensors, name, variable.shape)
      tf.tidy(() => variable.assign(tf.tensor(given.data.slice(), variable.shape)))
    }
  }

  dispose(): void {
    for (const variable of Object.values(this.variables)) variable.dispose()
  }

  hiddenStatesWith(ids: Int32Array, positions: Int32Array, wanted: Int32Array | null, mix: Mix): tf.Tensor2D {
    const { layers, normEpsilon } = this.config
    let x = this.#drop(gatherRows(this.variables['model.embed_tokens.weight'] as tf.Tensor2D, ids)) // [token, hidden]
    for (let layer = 0; layer < layers; layer += 1) {
      const mixed = this.#attend(layer, x, positions, mix) // [token, heads · headDim]
      const last = layer === layers - 1 && wanted !== null
      const residual = last ? gatherRows(x, wanted) : x
      const update = tf.matMul(last ? gatherRows(mixed, wanted) : mixed, this.#weight(layer, 'self_attn.o_proj'), false, true)
      x = tf.add(residual, this.#drop(update as tf.Tensor2D))
      x = tf.add(x, this.#drop(this.#feedForward(layer, x)))
    }
    return rmsNorm(x, this.variables['model.norm.weight'] as tf.Tensor1D, normEpsilon)
  }

  #forward(packing: Packing, wanted: Int32Array | null): tf.Tensor2D {
    return this.hiddenStatesWith(packing.ids, packing.positions, wanted, (_layer, q, k, v) => attention(q, k, v, packing, this.config))
  }

  #attend(layer: number, x: tf.Tensor2D, positions: Int32Array, mix: Mix): tf.Tensor2D {
    const table = this.#tableFor(positions)
    const normed = rmsNorm(x, this.#norm(layer, 'input_layernorm'), this.config.normEpsilon)
    const q = tf.matMul(normed, this.#weight(layer, 'self_attn.q_proj'), false, true) as tf.Tensor2D
    const k = tf.matMul(normed, this.#weight(layer, 'self_attn.k_proj'), false, true) as tf.Tensor2D
    const v = tf.matMul(normed, this.#weight(layer, 'self_attn.v_proj'), false, true) as tf.Tensor2D
    return mix(layer, rotary(q, positions, table), rotary(k, positions, table), v)
  }

  #feedForward(layer: number, x: tf.Tensor2D): tf.Tensor2D {
    const normed = rmsNorm(x, this.#norm(layer, 'post_attention_layernorm'), this.config.normEpsilon)
    const gate = tf.matMul(normed, this.#weight(layer, 'mlp.gate_proj'), false, true) as tf.Tensor2D
    const up = tf.matMul(normed, this.#weight(layer, 'mlp.up_proj'), false, true) as tf.Tensor2D
    return tf.matMul(swiGlu(gate, up), this.#weight(layer, 'mlp.down_proj'), false, true)
  }

  #drop(x: tf.Tensor2D): tf.Tensor2D {
    if (this.#dropout === null) return x
    return tf.mul(x, dropMask(x.shape, this.#dropout.rate, this.#dropout.random))
  }

  #tableFor(positions: Int32Array): RotaryTable {
    const half = this.config.headDim / 2
    const length = positions.reduce((longest, position) => Math.max(longest, position + 1), 0)
    if (this.#rotary === null || this.#rotary.cos.length < length * half) {
      this.#rotary = rotaryTable(Math.max(2 * length, 256), this.config.headDim, this.config.ropeTheta)
    }
    return this.#rotary
  }

  #weight(layer: number, name: string): tf.Tensor2D {
    return this.variables[`model.layers.${layer}.${name}.weight`] as tf.Tensor2D
  }

  #norm(layer: number, name: string): tf.Tensor1D {
    return this.variables[`model.layers.${layer}.${name}.weight`] as tf.Tensor1D
  }
}

function expectTensor(tensors: Readonly<Record<string, NamedTensor>>, name: string, shape: readonly number[]): NamedTensor {
  const tensor = tensors[name]
  if (tensor === undefined) throw new RangeError(`the weights have no tensor ${name}`)
  if (tensor.shape.length !== shape.length || shape.some((size, axis) => tensor.shape[axis] !== size)) {
    throw new RangeError(`${name} has shape [${tensor.shape.join(', ')}], expected [${shape.join(', ')}]`)
  }
  return tensor
}
