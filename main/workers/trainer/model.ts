import { createHash } from 'node:crypto'
import { AppError } from '../../../shared/errors.ts'
import type { RunSpec } from '../../../shared/run-spec.ts'
import type { TrainingConfig } from '../../../shared/training-config.ts'
import { initialAdapters, type LoraOptions } from '../../core/learn/models/adapters.ts'
import {
  decoderFrom,
  presetConfig,
  type Decoder,
  type DecoderConfig,
  type DecoderOptions,
} from '../../core/learn/models/decoder.ts'
import {
  freshWeights,
  outerNames,
  parameterShapes,
  sourceOf,
  type NamedTensor,
  type TensorSource,
} from '../../core/learn/models/parameters.ts'
import type { Tokenizer } from '../../core/learn/tokens/tokenizer.ts'
import type { Random } from '../../core/learn/random.ts'

/** The weights a run begins with, read one at a time. */
export interface ModelStart {
  readonly config: DecoderConfig
  readonly source: TensorSource
  /** Tells these weights from all others. */
  readonly hash: string
}

/** A new model: its preset's sizes, drawn from the seed. */
export function newModel(
  model: Extract<RunSpec['model'], { kind: 'new' }>,
  vocabSize: number,
  scoreHead: boolean,
  random: Random,
): ModelStart {
  const config = presetConfig(model.preset, vocabSize, { tiedEmbeddings: model.tiedEmbeddings, scoreHead })
  const source = freshWeights(config, random)
  const hash = createHash('sha256')
  for (const name of Object.keys(parameterShapes(config))) hash.update(name).update(source.read(name).data)
  return { config, source, hash: hash.digest('hex') }
}

/**
 * A model that is there already, with a scalar head if one is wanted: its own, or a fresh one. A policy that is made
 * from a reward model loses the head.
 */
export function continueModel(own: DecoderConfig, source: TensorSource, hash: string, scoreHead: boolean): ModelStart {
  const config = { ...own, scoreHead }
  if (!scoreHead || own.scoreHead) return { config, source, hash }
  const head = (): NamedTensor => ({ shape: [1, config.hidden], data: new Float32Array(config.hidden) }) // 0, as freshWeights has it
  return { config, source: { read: (name) => (name === 'score.weight' ? head() : source.read(name)) }, hash }
}

/** @throws AppError `model-unsupported` when the weights are not those of the configuration */
export function buildDecoder(
  { config, source }: Pick<ModelStart, 'config' | 'source'>,
  options: DecoderOptions = {},
): Decoder {
  try {
    return decoderFrom(config, source, options)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new AppError({
      code: 'model-unsupported',
      message: `The weights do not fit their configuration: ${error.message}.`,
      hint: 'The model is damaged; choose another.',
      cause: error,
    })
  }
}

/** @throws AppError `model-unsupported` */
export function requireOwnTokenizer(
  { vocabSize }: Pick<Tokenizer, 'vocabSize'>,
  config: Pick<DecoderConfig, 'vocabSize'>,
): void {
  if (vocabSize <= config.vocabSize) return
  throw new AppError({
    code: 'model-unsupported',
    message: `The tokenizer has ${vocabSize} tokens and the model's embedding ${config.vocabSize}.`,
    hint: 'tokenizer.json belongs to another model.',
  })
}

/** Null where no adapters are trained. */
export function loraOf(training: TrainingConfig): LoraOptions | null {
  if (training.adapt !== 'lora') return null
  return {
    rank: training.loraRank,
    alpha: training.loraAlpha,
    dropout: training.loraDropout,
    targets: training.loraTargets,
  }
}

/**
 * What of the model trains, and how much of a pass is kept.
 * @param adapters of a checkpoint; null draws them anew from `random`
 */
export function trainingOptions(
  config: DecoderConfig,
  training: TrainingConfig,
  random: Random,
  adapters: TensorSource | null,
): DecoderOptions {
  const recompute = training.gradientCheckpointing
  const { frozenStorage } = training
  const lora = loraOf(training)
  if (lora !== null)
    return { recompute, frozenStorage, lora, adapters: adapters ?? sourceOf(initialAdapters(config, lora, random)) }
  if (training.adapt === 'full') return { recompute }
  const { embedding, positions, head } = outerNames(config)
  const frozen = new Set([embedding, positions, head].map((name) => `${name}.weight`))
  return { recompute, frozenStorage, trainable: (name) => !frozen.has(name) }
}
