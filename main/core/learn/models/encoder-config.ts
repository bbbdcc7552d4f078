// The configuration of a BERT or DistilBERT encoder, and config.json in their words.
import { z } from 'zod'
import { AppError, describeIssues } from '../../../../shared/errors.ts'
import type { GeluForm } from './model-config.ts'
import { headCount, layerCount, positionCount, segmentKinds, vocabularySize, width } from './size-limits.ts'

/** MiniLM, and most small retrieval models, are BERTs of fewer layers. */
export type EncoderFamily = 'bert' | 'distilbert'

export interface EncoderConfig {
  readonly family: EncoderFamily
  readonly vocabSize: number
  readonly layers: number
  readonly hidden: number
  readonly heads: number
  readonly feedForward: number
  /** Longest sequence the model knows. */
  readonly maxPositions: number
  /** Kinds of segment, whose embedding is added to the tokens'; 0 for distilbert, which has none. */
  readonly tokenTypes: number
  readonly normEpsilon: number
  readonly activation: GeluForm | 'relu'
}

/** Encoders that are often met and are not read, so that a refusal can say what they are. */
const OTHER_ENCODERS: Readonly<Record<string, string>> = {
  roberta: 'RoBERTa',
  'xlm-roberta': 'XLM-RoBERTa',
  camembert: 'CamemBERT',
  deberta: 'DeBERTa',
  'deberta-v2': 'DeBERTa-v2',
  electra: 'ELECTRA',
  albert: 'ALBERT',
  mpnet: 'MPNet',
  modernbert: 'ModernBERT',
  nomic_bert: 'Nomic BERT',
  t5: 'T5',
  xlnet: 'XLNet',
  longformer: 'Longformer',
  mobilebert: 'MobileBERT',
  squeezebert: 'SqueezeBERT',
  convbert: 'ConvBERT',
  funnel: 'Funnel',
}

const READ = 'Of encoders, BERT (with MiniLM) and DistilBERT are read.'

function unsupported(what: string, hint = READ): AppError {
  return new AppError({ code: 'model-unsupported', message: `config.json: ${what}`, hint })
}

const common = {
  vocab_size: vocabularySize,
  is_decoder: z.boolean().nullish(),
  add_cross_attention: z.boolean().nullish(),
}
const bertFile = z.looseObject({
  ...common,
  num_hidden_layers: layerCount,
  hidden_size: width,
  num_attention_heads: headCount,
  intermediate_size: width,
  max_position_embeddings: positionCount,
  type_vocab_size: segmentKinds.default(2),
  layer_norm_eps: z.number().positive().default(1e-12),
  hidden_act: z.string().default('gelu'),
  position_embedding_type: z.string().nullish(),
})
/** Published files say `dim` and `n_layers`; files written through the shared names of the libraries say `hidden_size`. */
const distilbertFile = z.looseObject({
  ...common,
  n_layers: layerCount.optional(),
  num_hidden_layers: layerCount.optional(),
  dim: width.optional(),
  hidden_size: width.optional(),
  n_heads: headCount.optional(),
  num_attention_heads: headCount.optional(),
  hidden_dim: width.default(3072),
  max_position_embeddings: positionCount.default(512),
  activation: z.string().default('gelu'),
})

const ACTIVATIONS: Readonly<Record<string, EncoderConfig['activation']>> = {
  gelu: 'exact',
  gelu_python: 'exact',
  gelu_new: 'tanh',
  gelu_pytorch_tanh: 'tanh',
  relu: 'relu',
}

export function isEncoderType(type: string): boolean {
  return type === 'bert' || type === 'distilbert' || OTHER_ENCODERS[type] !== undefined
}

/** @param type `model_type` of the file   @throws AppError `model-unsupported` naming the architecture or the field */
export function encoderConfigOf(type: string, file: unknown): EncoderConfig {
  if (type === 'bert') return checked(bertConfig(parse(bertFile, file)))
  if (type === 'distilbert') return checked(distilbertConfig(parse(distilbertFile, file)))
  const name = OTHER_ENCODERS[type]
  throw unsupported(
    name === undefined
      ? `models of the type "${type}" are not supported.`
      : `${name} encoders ("${type}") are not supported: they compute something else than BERT does.`,
  )
}

function parse<
  T extends {
    readonly is_decoder?: boolean | null | undefined
    readonly add_cross_attention?: boolean | null | undefined
  },
>(schema: z.ZodType<T>, file: unknown): T {
  const parsed = schema.safeParse(file)
  if (!parsed.success)
    throw unsupported(
      `it cannot be used: ${describeIssues(parsed.error)}.`,
      'The file is not whole, or not of this kind of model.',
    )
  if (parsed.data.is_decoder === true || parsed.data.add_cross_attention === true)
    throw unsupported('it is set up as a decoder (is_decoder or add_cross_attention).')
  return parsed.data
}

function bertConfig(file: z.output<typeof bertFile>): EncoderConfig {
  const positions = file.position_embedding_type ?? 'absolute'
  if (positions !== 'absolute') throw unsupported(`position_embedding_type is "${positions}"; absolute is supported.`)
  return {
    family: 'bert',
    vocabSize: file.vocab_size,
    layers: file.num_hidden_layers,
    hidden: file.hidden_size,
    heads: file.num_attention_heads,
    feedForward: file.intermediate_size,
    maxPositions: file.max_position_embeddings,
    tokenTypes: file.type_vocab_size,
    normEpsilon: file.layer_norm_eps,
    activation: activationOf('hidden_act', file.hidden_act),
  }
}

function distilbertConfig(file: z.output<typeof distilbertFile>): EncoderConfig {
  return {
    family: 'distilbert',
    vocabSize: file.vocab_size,
    layers: file.n_layers ?? file.num_hidden_layers ?? 6,
    hidden: file.dim ?? file.hidden_size ?? 768,
    heads: file.n_heads ?? file.num_attention_heads ?? 12,
    feedForward: file.hidden_dim,
    maxPositions: file.max_position_embeddings,
    tokenTypes: 0,
    normEpsilon: 1e-12, // written into the architecture
    activation: activationOf('activation', file.activation),
  }
}

function activationOf(field: string, said: string): EncoderConfig['activation'] {
  const activation = ACTIVATIONS[said]
  if (activation === undefined)
    throw unsupported(`${field} is "${said}"; ${Object.keys(ACTIVATIONS).join(', ')} are supported.`)
  return activation
}

function checked(config: EncoderConfig): EncoderConfig {
  if (config.hidden % config.heads !== 0)
    throw unsupported(`${config.hidden} numbers a token do not divide into ${config.heads} heads.`)
  return config
}

const ACTIVATION_NAMES: Readonly<Record<EncoderConfig['activation'], string>> = {
  exact: 'gelu',
  tanh: 'gelu_new',
  relu: 'relu',
}

/** The file for a model of ours, in the spelling that every version of the libraries reads. */
export function encoderConfigFile(config: EncoderConfig): Record<string, unknown> {
  const both = {
    model_type: config.family,
    vocab_size: config.vocabSize,
    max_position_embeddings: config.maxPositions,
    pad_token_id: 0,
    torch_dtype: 'float32',
  }
  if (config.family === 'distilbert') {
    return {
      architectures: ['DistilBertModel'],
      ...both,
      n_layers: config.layers,
      dim: config.hidden,
      n_heads: config.heads,
      hidden_dim: config.feedForward,
      activation: ACTIVATION_NAMES[config.activation],
      sinusoidal_pos_embds: false,
    }
  }
  return {
    architectures: ['BertModel'],
    ...both,
    num_hidden_layers: config.layers,
    hidden_size: config.hidden,
    num_attention_heads: config.heads,
    intermediate_size: config.feedForward,
    type_vocab_size: config.tokenTypes,
    layer_norm_eps: config.normEpsilon,
    hidden_act: ACTIVATION_NAMES[config.activation],
    position_embedding_type: 'absolute',
  }
}
