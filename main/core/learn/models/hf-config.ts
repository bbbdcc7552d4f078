// config.json in the words of the Hugging Face libraries, in the spelling of published checkpoints (rope_theta,
// rope_scaling) and in the one that replaced it (rope_parameters).
import { z } from 'zod'
import { AppError, describeIssues } from '../../../../shared/errors.ts'
import type { DecoderConfig, Family, GeluForm, RopeScaling } from './model-config.ts'
import { headCount, layerCount, positionCount, vocabularySize, width } from './size-limits.ts'

const ropeFields = z.looseObject({
  rope_type: z.string().optional(),
  /** The oldest spelling. */
  type: z.string().optional(),
  rope_theta: z.number().optional(),
  factor: z.number().optional(),
  low_freq_factor: z.number().optional(),
  high_freq_factor: z.number().optional(),
  original_max_position_embeddings: z.number().optional(),
})

const llamaFile = z.looseObject({
  vocab_size: vocabularySize,
  num_hidden_layers: layerCount,
  hidden_size: width,
  num_attention_heads: headCount,
  num_key_value_heads: headCount.nullish(),
  head_dim: width.nullish(),
  intermediate_size: width,
  hidden_act: z.string().default('silu'),
  max_position_embeddings: positionCount.nullish(),
  rms_norm_eps: z.number().default(1e-6),
  rope_theta: z.number().nullish(),
  rope_scaling: ropeFields.nullish(),
  rope_parameters: ropeFields.nullish(),
  attention_bias: z.boolean().nullish(),
  mlp_bias: z.boolean().nullish(),
  sliding_window: z.int().positive().nullish(),
  use_sliding_window: z.boolean().nullish(),
  max_window_layers: z.int().nullish(),
  layer_types: z.array(z.string()).nullish(),
  tie_word_embeddings: z.boolean().nullish(),
  /** Ours: the weights have a scalar head besides. */
  pairlab_score_head: z.boolean().default(false),
})
type LlamaFile = z.output<typeof llamaFile>

const gpt2File = z.looseObject({
  vocab_size: vocabularySize,
  n_layer: layerCount,
  n_embd: width,
  n_head: headCount,
  n_inner: width.nullish(),
  n_positions: positionCount,
  activation_function: z.string().default('gelu_new'),
  layer_norm_epsilon: z.number().default(1e-5),
  scale_attn_weights: z.boolean().default(true),
  scale_attn_by_inverse_layer_idx: z.boolean().default(false),
  tie_word_embeddings: z.boolean().nullish(),
  pairlab_score_head: z.boolean().default(false),
})

function unsupported(
  what: string,
  hint = 'Llama, Mistral, Qwen2, Qwen3, SmolLM and GPT-2 models are read, and of encoders BERT (with MiniLM) and DistilBERT.',
): AppError {
  return new AppError({ code: 'model-unsupported', message: `config.json: ${what}`, hint })
}

function parse<T>(schema: z.ZodType<T>, file: unknown): T {
  const parsed = schema.safeParse(file)
  if (parsed.success) return parsed.data
  throw unsupported(
    `it cannot be used: ${describeIssues(parsed.error)}.`,
    'The file is not whole, or not of this kind of model.',
  )
}

/** What kind of model the file says it is; '' where it does not. */
export function modelTypeOf(file: unknown): string {
  const said = z.looseObject({ model_type: z.string() }).safeParse(file)
  return said.success ? said.data.model_type : ''
}

/** @throws AppError `model-unsupported` naming the field */
export function decoderConfigOf(file: unknown): DecoderConfig {
  const type = modelTypeOf(file)
  if (type === 'gpt2') return gpt2Config(parse(gpt2File, file))
  if (type === 'llama' || type === 'mistral' || type === 'qwen2' || type === 'qwen3')
    return llamaConfig(type, parse(llamaFile, file))
  throw unsupported(type === '' ? 'it does not say its model_type.' : `models of the type "${type}" are not supported.`)
}

function llamaConfig(family: Exclude<Family, 'gpt2'>, file: LlamaFile): DecoderConfig {
  if (file.hidden_act !== 'silu') throw unsupported(`hidden_act is "${file.hidden_act}"; silu is supported.`)
  const headDim = file.head_dim ?? file.hidden_size / file.num_attention_heads
  if (!Number.isInteger(headDim))
    throw unsupported(`hidden_size ${file.hidden_size} does not divide into ${file.num_attention_heads} heads.`)
  const rope = file.rope_parameters ?? file.rope_scaling ?? {}
  const qwen2 = family === 'qwen2'
  const bias = qwen2 || file.attention_bias === true
  return {
    family,
    vocabSize: file.vocab_size,
    layers: file.num_hidden_layers,
    hidden: file.hidden_size,
    heads: file.num_attention_heads,
    kvHeads: file.num_key_value_heads ?? file.num_attention_heads,
    headDim,
    feedForward: file.intermediate_size,
    ropeTheta: file.rope_parameters?.rope_theta ?? file.rope_theta ?? 10_000,
    ropeScaling: ropeScalingOf(rope, file),
    ...(file.max_position_embeddings == null ? {} : { maxPositions: file.max_position_embeddings }),
    normEpsilon: file.rms_norm_eps,
    attentionBias: bias,
    outputBias: bias && !qwen2,
    mlpBias: family === 'llama' && file.mlp_bias === true,
    qkNorm: family === 'qwen3',
    window: windowOf(family, file),
    tiedEmbeddings: file.tie_word_embeddings ?? false,
    scoreHead: file.pairlab_score_head,
  }
}

function ropeScalingOf(rope: z.output<typeof ropeFields>, file: LlamaFile): RopeScaling | null {
  const kind = rope.rope_type ?? rope.type ?? 'default'
  if (kind === 'default') return null
  const needed = (name: 'factor' | 'low_freq_factor' | 'high_freq_factor'): number => {
    const value = rope[name]
    if (value === undefined || !(value > 0)) throw unsupported(`rope type "${kind}" needs ${name}.`)
    return value
  }
  if (kind === 'linear' || kind === 'dynamic') return { kind, factor: needed('factor') }
  if (kind !== 'llama3') throw unsupported(`rope type "${kind}" is not supported.`)
  const originalLength = rope.original_max_position_embeddings ?? file.max_position_embeddings
  if (originalLength == null) throw unsupported('rope type "llama3" needs original_max_position_embeddings.')
  return {
    kind,
    factor: needed('factor'),
    lowFrequencyFactor: needed('low_freq_factor'),
    highFrequencyFactor: needed('high_freq_factor'),
    originalLength,
  }
}

/** One window for all layers, or none: a mixture of both is another model. */
function windowOf(family: Family, file: LlamaFile): number | null {
  const window = file.sliding_window ?? null
  if (window === null || family === 'llama' || file.use_sliding_window === false) return null
  const kinds = new Set(file.layer_types ?? [])
  if (kinds.size > 1) throw unsupported('layer_types mixes windows with full attention.')
  if (kinds.has('full_attention')) return null
  const mixed = family !== 'mistral' && (file.max_window_layers ?? 0) > 0 && kinds.size === 0
  if (mixed) throw unsupported('max_window_layers gives some layers a window and others none.')
  return window
}

const GELU_FORMS: Readonly<Record<string, GeluForm>> = { gelu_new: 'tanh', gelu_pytorch_tanh: 'tanh', gelu: 'exact' }

function gpt2Config(file: z.output<typeof gpt2File>): DecoderConfig {
  const form = GELU_FORMS[file.activation_function]
  if (form === undefined)
    throw unsupported(`activation_function is "${file.activation_function}"; gelu_new and gelu are supported.`)
  if (!file.scale_attn_weights || file.scale_attn_by_inverse_layer_idx)
    throw unsupported('its attention is scaled in another way.')
  if (file.n_embd % file.n_head !== 0)
    throw unsupported(`n_embd ${file.n_embd} does not divide into ${file.n_head} heads.`)
  return {
    family: 'gpt2',
    vocabSize: file.vocab_size,
    layers: file.n_layer,
    hidden: file.n_embd,
    heads: file.n_head,
    kvHeads: file.n_head,
    headDim: file.n_embd / file.n_head,
    feedForward: file.n_inner ?? 4 * file.n_embd,
    ropeTheta: 10_000,
    maxPositions: file.n_positions,
    normEpsilon: file.layer_norm_epsilon,
    gelu: form,
    tiedEmbeddings: file.tie_word_embeddings ?? true,
    scoreHead: file.pairlab_score_head,
  }
}

const ARCHITECTURES: Readonly<Record<Family, string>> = {
  llama: 'LlamaForCausalLM',
  mistral: 'MistralForCausalLM',
  qwen2: 'Qwen2ForCausalLM',
  qwen3: 'Qwen3ForCausalLM',
  gpt2: 'GPT2LMHeadModel',
}

/**
 * The file for a model of ours, in the family's own words and in the spelling that every version of the libraries
 * reads. @param maxLength longest sequence, where the configuration does not say
 */
export function decoderConfigFile(config: DecoderConfig, maxLength: number): Record<string, unknown> {
  const family = config.family ?? 'llama'
  const common = {
    architectures: [ARCHITECTURES[family]],
    model_type: family,
    vocab_size: config.vocabSize,
    tie_word_embeddings: config.tiedEmbeddings,
    torch_dtype: 'float32',
    ...(config.scoreHead ? { pairlab_score_head: true } : {}),
  }
  if (family === 'gpt2') {
    return {
      ...common,
      n_layer: config.layers,
      n_embd: config.hidden,
      n_head: config.heads,
      n_inner: config.feedForward,
      n_positions: config.maxPositions ?? maxLength,
      activation_function: config.gelu === 'exact' ? 'gelu' : 'gelu_new',
      layer_norm_epsilon: config.normEpsilon,
    }
  }
  const window = config.window ?? null
  return {
    ...common,
    num_hidden_layers: config.layers,
    hidden_size: config.hidden,
    num_attention_heads: config.heads,
    num_key_value_heads: config.kvHeads,
    head_dim: config.headDim,
    intermediate_size: config.feedForward,
    max_position_embeddings: config.maxPositions ?? maxLength,
    rope_theta: config.ropeTheta,
    rope_scaling: ropeScalingFile(config.ropeScaling ?? null),
    rms_norm_eps: config.normEpsilon,
    hidden_act: 'silu',
    attention_bias: config.attentionBias ?? false,
    mlp_bias: config.mlpBias ?? false,
    ...(family === 'llama' ? {} : { sliding_window: window }),
    ...(family === 'qwen2' || family === 'qwen3'
      ? { use_sliding_window: window !== null, max_window_layers: window === null ? config.layers : 0 }
      : {}),
  }
}

function ropeScalingFile(scaling: RopeScaling | null): unknown {
  if (scaling === null) return null
  if (scaling.kind !== 'llama3') return { rope_type: scaling.kind, factor: scaling.factor }
  return {
    rope_type: 'llama3',
    factor: scaling.factor,
    low_freq_factor: scaling.lowFrequencyFactor,
    high_freq_factor: scaling.highFrequencyFactor,
    original_max_position_embeddings: scaling.originalLength,
  }
}
