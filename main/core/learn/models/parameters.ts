import type { PackedMatrix } from './packed.ts'
import type { Random } from '../random.ts'
import { isLlamaLike, type DecoderConfig } from './model-config.ts'

export interface NamedTensor {
  readonly shape: readonly number[]
  readonly data: Float32Array
}

export type ParameterShape = readonly [number] | readonly [number, number]

/** Gives one tensor at a time, so that a large model is never held twice. */
export interface TensorSource {
  /** In an array that is the caller's from now on. @throws RangeError when there is none of this name */
  read(name: string): NamedTensor
  /** The same in fewer bits, where the source has it so; null where it has not. */
  readPacked?(name: string): PackedMatrix | null
}

export function sourceOf(tensors: Readonly<Record<string, NamedTensor>>): TensorSource {
  return {
    read(name) {
      const tensor = tensors[name]
      if (tensor === undefined) throw new RangeError(`the weights have no tensor ${name}`)
      return { shape: tensor.shape, data: tensor.data.slice() }
    },
  }
}

/** Names of the parameters that are not in a layer. */
export function outerNames(config: DecoderConfig): {
  readonly embedding: string
  readonly positions: string | null
  readonly norm: string
  readonly head: string
} {
  if (isLlamaLike(config))
    return { embedding: 'model.embed_tokens', positions: null, norm: 'model.norm', head: 'lm_head' }
  return { embedding: 'transformer.wte', positions: 'transformer.wpe', norm: 'transformer.ln_f', head: 'lm_head' }
}

export function layerPrefix(config: DecoderConfig, layer: number): string {
  return isLlamaLike(config) ? `model.layers.${layer}.` : `transformer.h.${layer}.`
}

/** Every parameter's name and shape, in a fixed order. Linear weights are [out, in], gpt2's [in, out]. */
export function parameterShapes(config: DecoderConfig): Record<string, ParameterShape> {
  const shapes: Record<string, ParameterShape> = {}
  const outer = outerNames(config)
  shapes[`${outer.embedding}.weight`] = [config.vocabSize, config.hidden]
  if (outer.positions !== null) shapes[`${outer.positions}.weight`] = [positionsOf(config), config.hidden]
  for (let layer = 0; layer < config.layers; layer += 1) {
    const inner = isLlamaLike(config) ? llamaLayer(config) : gpt2Layer(config)
    for (const [name, shape] of Object.entries(inner)) shapes[`${layerPrefix(config, layer)}${name}`] = shape
  }
  shapes[`${outer.norm}.weight`] = [config.hidden]
  if (!isLlamaLike(config)) shapes[`${outer.norm}.bias`] = [config.hidden]
  if (!config.tiedEmbeddings) shapes[`${outer.head}.weight`] = [config.vocabSize, config.hidden]
  if (config.scoreHead) shapes['score.weight'] = [1, config.hidden]
  return shapes
}

function positionsOf(config: DecoderConfig): number {
  if (config.maxPositions === undefined) throw new RangeError('learned positions need a longest sequence')
  return config.maxPositions
}

function llamaLayer(config: DecoderConfig): Record<string, ParameterShape> {
  const { hidden, feedForward, heads, kvHeads, headDim } = config
  const shapes: Record<string, ParameterShape> = { 'input_layernorm.weight': [hidden] }
  const linear = (name: string, inner: number, outer: number, bias: boolean | undefined): void => {
    shapes[`${name}.weight`] = [outer, inner]
    if (bias === true) shapes[`${name}.bias`] = [outer]
  }
  linear('self_attn.q_proj', hidden, heads * headDim, config.attentionBias)
  linear('self_attn.k_proj', hidden, kvHeads * headDim, config.attentionBias)
  linear('self_attn.v_proj', hidden, kvHeads * headDim, config.attentionBias)
  linear('self_attn.o_proj', heads * headDim, hidden, config.outputBias)
  if (config.qkNorm === true) {
    shapes['self_attn.q_norm.weight'] = [headDim]
    shapes['self_attn.k_norm.weight'] = [headDim]
  }
  shapes['post_attention_layernorm.weight'] = [hidden]
  linear('mlp.gate_proj', hidden, feedForward, config.mlpBias)
  linear('mlp.up_proj', hidden, feedForward, config.mlpBias)
  linear('mlp.down_proj', feedForward, hidden, config.mlpBias)
  return shapes
}

function gpt2Layer({ hidden, feedForward }: DecoderConfig): Record<string, ParameterShape> {
  return {
    'ln_1.weight': [hidden],
    'ln_1.bias': [hidden],
    'attn.c_attn.weight': [hidden, 3 * hidden],
    'attn.c_attn.bias': [3 * hidden],
    'attn.c_proj.weight': [hidden, hidden],
    'attn.c_proj.bias': [hidden],
    'ln_2.weight': [hidden],
    'ln_2.bias': [hidden],
    'mlp.c_fc.weight': [hidden, feedForward],
    'mlp.c_fc.bias': [feedForward],
    'mlp.c_proj.weight': [feedForward, hidden],
    'mlp.c_proj.bias': [hidden],
  }
}

export function sizeOfShape(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1)
}

export function parameterCount(config: DecoderConfig): number {
  return Object.values(parameterShapes(config)).reduce((sum, shape) => sum + sizeOfShape(shape), 0)
}

/**
 * Weights are normal with deviation 0.02, the projections that write into the residual stream smaller by
 * √(2 · layers) (Radford et al., 2019); norms are 1, biases 0, and the score head 0, so that a fresh reward model
 * ranks nothing. Each is drawn when it is read, from a generator of its own.
 */
export function freshWeights(config: DecoderConfig, random: Random): TensorSource {
  const shapes = parameterShapes(config)
  const residualScale = 1 / Math.sqrt(2 * config.layers)
  return {
    read(name) {
      const shape = shapes[name]
      if (shape === undefined) throw new RangeError(`the weights have no tensor ${name}`)
      const data = new Float32Array(sizeOfShape(shape))
      const own = random.fork(name) // by name, so that a head more or less changes no other weight
      const deviation = /(o_proj|down_proj|c_proj)\.weight$/.test(name) ? 0.02 * residualScale : 0.02
      if (name.endsWith('.bias') || name === 'score.weight') data.fill(0)
      else if (shape.length === 1) data.fill(1)
      else for (let index = 0; index < data.length; index += 1) data[index] = own.normal() * deviation
      return { shape, data }
    },
  }
}

/** The same, all at once. */
export function initialWeights(config: DecoderConfig, random: Random): Record<string, NamedTensor> {
  const source = freshWeights(config, random)
  return Object.fromEntries(Object.keys(parameterShapes(config)).map((name) => [name, source.read(name)]))
}

/** @throws RangeError naming the tensor when it is missing or has another shape */
export function expectTensor(source: TensorSource, name: string, shape: readonly number[]): NamedTensor {
  const tensor = source.read(name)
  if (tensor.shape.length !== shape.length || shape.some((size, axis) => tensor.shape[axis] !== size)) {
    throw new RangeError(`${name} has shape [${tensor.shape.join(', ')}], expected [${shape.join(', ')}]`)
  }
  return tensor
}
