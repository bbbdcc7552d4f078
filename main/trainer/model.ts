import { z } from 'zod'
import { AppError, describeIssues } from '../../shared/errors.ts'
import type { RunSpec } from '../../shared/run-spec.ts'
import { decoderFromTensors, initialWeights, presetConfig, type Decoder, type DecoderConfig, type NamedTensor } from '../learn/models/decoder.ts'
import type { Random } from '../learn/random.ts'

/** config.json in the words of Hugging Face's Llama, so that other programs know what the weights are. */
const modelConfigFile = z.looseObject({
  vocab_size: z.int(),
  num_hidden_layers: z.int(),
  hidden_size: z.int(),
  num_attention_heads: z.int(),
  num_key_value_heads: z.int(),
  head_dim: z.int(),
  intermediate_size: z.int(),
  rope_theta: z.number(),
  rms_norm_eps: z.number(),
  tie_word_embeddings: z.boolean(),
  /** Ours: the weights have a scalar head besides. */
  pairlab_score_head: z.boolean().default(false),
})

export function configToFile(config: DecoderConfig, maxLength: number): unknown {
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    vocab_size: config.vocabSize,
    num_hidden_layers: config.layers,
    hidden_size: config.hidden,
    num_attention_heads: config.heads,
    num_key_value_heads: config.kvHeads,
    head_dim: config.headDim,
    intermediate_size: config.feedForward,
    max_position_embeddings: maxLength,
    rope_theta: config.ropeTheta,
    rms_norm_eps: config.normEpsilon,
    hidden_act: 'silu',
    attention_bias: false,
    mlp_bias: false,
    tie_word_embeddings: config.tiedEmbeddings,
    torch_dtype: 'float32',
    pairlab_score_head: config.scoreHead,
  }
}

/** @throws AppError `model-unsupported` */
export function configFromFile(file: unknown): DecoderConfig {
  const parsed = modelConfigFile.safeParse(file)
  if (!parsed.success) throw new AppError({ code: 'model-unsupported', message: `The model's config.json cannot be used: ${describeIssues(parsed.error)}.`, hint: 'Choose a run of this app, or train it again.' })
  const value = parsed.data
  return {
    vocabSize: value.vocab_size,
    layers: value.num_hidden_layers,
    hidden: value.hidden_size,
    heads: value.num_attention_heads,
    kvHeads: value.num_key_value_heads,
    headDim: value.head_dim,
    feedForward: value.intermediate_size,
    ropeTheta: value.rope_theta,
    normEpsilon: value.rms_norm_eps,
    tiedEmbeddings: value.tie_word_embeddings,
    scoreHead: value.pairlab_score_head,
  }
}

export interface ModelStart {
  readonly config: DecoderConfig
  readonly weights: Readonly<Record<string, NamedTensor>>
}

/** The weights a new model begins with: its preset's sizes, drawn from the seed. */
export function newModel(model: Extract<RunSpec['model'], { kind: 'new' }>, vocabSize: number, scoreHead: boolean, random: Random): ModelStart {
  const config = presetConfig(model.preset, vocabSize, { tiedEmbeddings: model.tiedEmbeddings, scoreHead })
  return { config, weights: initialWeights(config, random) }
}

/**
 * The weights of a checkpoint, with a scalar head if one is wanted: its own, or a fresh one. A policy that is made
 * from a reward model loses the head.
 */
export function continueModel(file: unknown, weights: Readonly<Record<string, NamedTensor>>, scoreHead: boolean): ModelStart {
  const own = configFromFile(file)
  const config = { ...own, scoreHead }
  const head = { shape: [1, config.hidden], data: new Float32Array(config.hidden) } // 0, as initialWeights has it
  return { config, weights: scoreHead ? { 'score.weight': head, ...weights } : weights }
}

/** @throws AppError `model-unsupported` when the weights are not those of the configuration */
export function buildDecoder(start: ModelStart): Decoder {
  try {
    return decoderFromTensors(start.config, start.weights)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new AppError({ code: 'model-unsupported', message: `The weights do not fit their configuration: ${error.message}.`, hint: 'The checkpoint is damaged; choose another.', cause: error })
  }
}
