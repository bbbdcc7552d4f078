import type { Random } from '../random.ts'
import { adapterNames, drawAdapters, type LoraOptions, mergeAdapter } from './adapters.ts'
import type { EncoderConfig } from './encoder-config.ts'
import { type NamedTensor, type ParameterShape, sizeOfShape, type TensorSource } from './parameters.ts'

/** Names of a family's parts, as its checkpoints have them behind the outer prefix (`bert.`, `distilbert.`). */
export interface EncoderNames {
  readonly query: string
  readonly key: string
  readonly value: string
  readonly attentionOutput: string
  readonly attentionNorm: string
  readonly wide: string
  readonly narrow: string
  readonly norm: string
}

const NAMES: Readonly<Record<EncoderConfig['family'], EncoderNames>> = {
  bert: {
    query: 'attention.self.query',
    key: 'attention.self.key',
    value: 'attention.self.value',
    attentionOutput: 'attention.output.dense',
    attentionNorm: 'attention.output.LayerNorm',
    wide: 'intermediate.dense',
    narrow: 'output.dense',
    norm: 'output.LayerNorm',
  },
  distilbert: {
    query: 'attention.q_lin',
    key: 'attention.k_lin',
    value: 'attention.v_lin',
    attentionOutput: 'attention.out_lin',
    attentionNorm: 'sa_layer_norm',
    wide: 'ffn.lin1',
    narrow: 'ffn.lin2',
    norm: 'output_layer_norm',
  },
}

/** What tokens are looked up in, without `.weight`; distilbert has no kinds of segment. */
export const EMBEDDINGS = [
  'embeddings.word_embeddings',
  'embeddings.position_embeddings',
  'embeddings.token_type_embeddings',
] as const

export function encoderNames(config: EncoderConfig): EncoderNames {
  return NAMES[config.family]
}

export function encoderLayerPrefix(config: EncoderConfig, layer: number): string {
  return `${config.family === 'bert' ? 'encoder' : 'transformer'}.layer.${layer}.`
}

/** Every parameter's name and shape, in a fixed order. Linear weights are [out, in]. */
export function encoderShapes(config: EncoderConfig): Record<string, ParameterShape> {
  const { hidden, feedForward } = config
  const shapes: Record<string, ParameterShape> = {
    'embeddings.word_embeddings.weight': [config.vocabSize, hidden],
    'embeddings.position_embeddings.weight': [config.maxPositions, hidden],
    ...(config.tokenTypes > 0
      ? { 'embeddings.token_type_embeddings.weight': [config.tokenTypes, hidden] as const }
      : {}),
    'embeddings.LayerNorm.weight': [hidden],
    'embeddings.LayerNorm.bias': [hidden],
  }
  const names = encoderNames(config)
  for (let layer = 0; layer < config.layers; layer += 1) {
    const prefix = encoderLayerPrefix(config, layer)
    const linear = (name: string, inner: number, outer: number): void => {
      shapes[`${prefix}${name}.weight`] = [outer, inner]
      shapes[`${prefix}${name}.bias`] = [outer]
    }
    const norm = (name: string): void => {
      shapes[`${prefix}${name}.weight`] = [hidden]
      shapes[`${prefix}${name}.bias`] = [hidden]
    }
    for (const name of [names.query, names.key, names.value, names.attentionOutput]) linear(name, hidden, hidden)
    norm(names.attentionNorm)
    linear(names.wide, hidden, feedForward)
    linear(names.narrow, feedForward, hidden)
    norm(names.norm)
  }
  return shapes
}

export function encoderParameterCount(config: EncoderConfig): number {
  return Object.values(encoderShapes(config)).reduce((sum, shape) => sum + sizeOfShape(shape), 0)
}

/** Weights normal with deviation 0.02, norms 1, biases 0 (Devlin et al., 2019). Each is drawn when it is read. */
export function freshEncoderWeights(config: EncoderConfig, random: Random): TensorSource {
  const shapes = encoderShapes(config)
  return {
    read(name) {
      const shape = shapes[name]
      if (shape === undefined) throw new RangeError(`the weights have no tensor ${name}`)
      const data = new Float32Array(sizeOfShape(shape))
      const own = random.fork(name)
      if (shape.length === 1) data.fill(name.endsWith('.bias') ? 0 : 1)
      else for (let index = 0; index < data.length; index += 1) data[index] = own.normal() * 0.02
      return { shape, data }
    },
  }
}

/** The linear layers of a block that get adapters, by their names within it. */
export function encoderLoraModules(config: EncoderConfig, targets: LoraOptions['targets']): readonly string[] {
  const names = encoderNames(config)
  const attention = [names.query, names.key, names.value, names.attentionOutput]
  const mlp = [names.wide, names.narrow]
  if (targets === 'attention') return attention
  return targets === 'mlp' ? mlp : [...attention, ...mlp]
}

/** Name and shape of every adapter matrix: A [rank, in], B [out, rank]. In a fixed order. */
export function encoderAdapterShapes(
  config: EncoderConfig,
  { rank, targets }: LoraOptions,
): Record<string, readonly [number, number]> {
  const chosen = encoderLoraModules(config, targets)
  const all = encoderShapes(config)
  const shapes: Record<string, readonly [number, number]> = {}
  for (let layer = 0; layer < config.layers; layer += 1) {
    for (const name of chosen) {
      const full = `${encoderLayerPrefix(config, layer)}${name}`
      const [outer, inner] = all[`${full}.weight`] as readonly [number, number] // linear weights are matrices
      const { a, b } = adapterNames(full)
      shapes[a] = [rank, inner]
      shapes[b] = [outer, rank]
    }
  }
  return shapes
}

/** The adapters' first numbers, with which the encoder computes what it computed without them. */
export function initialEncoderAdapters(
  config: EncoderConfig,
  options: LoraOptions,
  random: Random,
): Record<string, NamedTensor> {
  return drawAdapters(encoderAdapterShapes(config, options), random)
}

/** The frozen encoder's weights with what the adapters learned added to them. @param scale alpha / rank */
export function mergedEncoderSource(
  base: TensorSource,
  adapters: Readonly<Record<string, NamedTensor>>,
  scale: number,
): TensorSource {
  return {
    read(name) {
      const found = base.read(name)
      const { a, b } = adapterNames(name.replace(/\.weight$/, ''))
      const [first, second] = [adapters[a], adapters[b]]
      if (first === undefined || second === undefined) return found
      const weight = { shape: found.shape, data: found.data.slice() }
      mergeAdapter(weight, first, second, scale, false)
      return weight
    },
  }
}
