// Where a run on texts begins: the model that it starts from or goes on with, and how that is spoken to.
import type { AlgorithmPage } from '../../core/learn/define.ts'
import type { LoraOptions } from '../../core/learn/models/adapters.ts'
import type { Decoder, DecoderOptions } from '../../core/learn/models/decoder.ts'
import { decoderConfigOf } from '../../core/learn/models/hf-config.ts'
import { createOptimizer, type Optimizer } from '../../core/learn/optimizer.ts'
import { assignFrom } from '../../core/learn/models/assign.ts'
import { createRandom } from '../../core/learn/random.ts'
import { openLanguage, type Language, type LanguageFiles } from '../../core/learn/tokens/language.ts'
import type { Tokenizer } from '../../core/learn/tokens/tokenizer.ts'
import {
  openModelFiles,
  type Checkpoint,
  type CheckpointState,
  type CheckpointWeights,
  type ModelFiles,
} from '../../core/models/checkpoint-files.ts'
import { openModelFolder } from '../../core/models/folder.ts'
import { ownLanguage } from '../../core/models/language-files.ts'
import { AppError } from '../../../shared/errors.ts'
import { PACKED_ENGINES, type TrainingConfig } from '../../../shared/training-config.ts'
import {
  buildDecoder,
  continueModel,
  loraOf,
  newModel,
  requireOwnTokenizer,
  trainingOptions,
  type ModelStart,
} from './model.ts'
import type { RunContext } from './run-context.ts'
import { KEPT_ORIGIN, keepOrigin } from './keep-origin.ts'
import { makeTokenizer } from './make-tokenizer.ts'

export interface AdapterBase {
  readonly lora: LoraOptions
  readonly start: ModelStart
  /** Where the frozen model is; null: only in memory, and has to be written into the run's folder. */
  readonly note: CheckpointState['base']
}

/** @throws AppError `spec-invalid`: the engine has no product with weights in fewer bits */
export function requireStorage({ engine, spec }: RunContext): void {
  const { frozenStorage, adapt } = spec.training
  if (frozenStorage === 'float32' || adapt === 'full' || (PACKED_ENGINES as readonly string[]).includes(engine)) return
  throw new AppError({
    code: 'spec-invalid',
    message: `The ${engine} engine cannot multiply frozen weights kept as ${frozenStorage}.`,
    hint: `Keep them as float32, or use ${PACKED_ENGINES[0]}.`,
  })
}

/** Where a run's tokenizer and first weights come from. */
export interface Origin {
  /** Null where a tokenizer has to be made. */
  readonly language: LanguageFiles | null
  readonly tokenizerSpec: { readonly kind: 'byte' } | { readonly kind: 'bpe'; readonly vocabSize: number }
  /** The model on the disk that adapters would stand beside; null: only in memory. */
  readonly base: CheckpointState['base']
  start(tokenizer: Tokenizer): ModelStart
}

export async function openOrigin(context: RunContext, algorithm: AlgorithmPage): Promise<Origin> {
  const { model, seed } = context.spec
  const scoreHead = algorithm.role === 'reward-model'
  if (model.kind === 'new') {
    return {
      language: null,
      tokenizerSpec: model.tokenizer,
      base: null,
      start: (tokenizer) => newModel(model, tokenizer.vocabSize, scoreHead, createRandom(seed).fork('weights')),
    }
  }
  if (model.kind === 'networks')
    throw new AppError({
      code: 'spec-invalid',
      message: `${algorithm.name} trains a language model.`,
      hint: 'Start from a new model, a finished run or a registered model.',
    })
  const keeps = model.kind === 'run' && loraOf(context.spec.training) !== null
  const files =
    model.kind === 'registered'
      ? await openRegistered(context, model.path)
      : await openModelFiles(keeps ? await keepOrigin(context.folder, model.path) : model.path)
  if (files.hash !== model.hash) {
    throw new AppError({
      code: 'spec-invalid',
      message: `${model.kind === 'run' ? 'The checkpoint' : 'The model'} ${model.path} was changed after this run was made.`,
      hint:
        model.kind === 'run'
          ? 'Start the run again from its request.'
          : 'Put the files back as they were, or add the model again and start another run.',
    })
  }
  const config = decoderConfigOf(files.config)
  return {
    language: files.language,
    tokenizerSpec: { kind: 'byte' },
    base: { path: keeps ? KEPT_ORIGIN : model.path, hash: model.hash },
    start: (tokenizer) => {
      requireOwnTokenizer(tokenizer, config)
      return continueModel(config, files.source, files.hash, scoreHead)
    },
  }
}

async function openRegistered(
  context: RunContext,
  path: string,
): Promise<Pick<ModelFiles, 'config' | 'language' | 'source' | 'hash'>> {
  const folder = openModelFolder(path)
  if (folder.tokenizer === null)
    throw new AppError({
      code: 'model-unsupported',
      message: `There is no tokenizer.json in ${path}.`,
      hint: 'Put the model’s tokenizer.json beside its weights and add the model again.',
    })
  const hash = await folder.hash()
  await context.breatheOrStop()
  return { config: folder.configJson, language: folder.language, source: folder, hash }
}

/** What training speaks with: the checkpoint's, the model's that it began with, or a new tokenizer in Pairlab's own layout. */
export interface Spoken extends Language {
  readonly language: LanguageFiles
}

/**
 * @param texts what a new tokenizer is made of
 * @throws AppError `model-unsupported`, `spec-invalid`
 */
export function openSpoken(
  context: RunContext,
  origin: Origin,
  from: Checkpoint | null,
  texts: Iterable<string>,
): Spoken {
  const language = from?.language ?? origin.language ?? ownLanguage(makeTokenizer(context, origin.tokenizerSpec, texts))
  // The day the run was made: a run that goes on tomorrow reads the same tokens.
  return { language, ...openLanguage(language, context.spec.layout, new Date(context.spec.createdAtMs)) }
}

/** The weights of a checkpoint in the shape of the run's own start; of an adapter checkpoint, what was trained whole. */
function resumedModel(start: ModelStart, { source, adapters }: Checkpoint): Pick<ModelStart, 'config' | 'source'> {
  if (adapters === null) return { config: start.config, source }
  return {
    config: start.config,
    source: { read: (name) => (adapters.names.has(name) ? adapters.read(name) : start.source.read(name)) },
  }
}

/** What trains gets the numbers that it had at the checkpoint. @throws RangeError where they are another model's */
export function restoreDecoder(decoder: Decoder, { source, adapters }: CheckpointWeights): void {
  for (const [name, variable] of Object.entries(decoder.variables)) assignFrom(variable, adapters ?? source, name)
}

/** The model that trains, where the checkpoint left it, and what its adapters stand beside. */
export interface Opened {
  /** As training began. */
  readonly start: ModelStart
  readonly options: DecoderOptions
  readonly decoder: Decoder
  /** Null where no adapters are trained. */
  readonly base: AdapterBase | null
}

/** @throws AppError `model-unsupported`, `spec-invalid` */
export function openDecoder(
  context: RunContext,
  origin: Origin,
  tokenizer: Tokenizer,
  from: Checkpoint | null,
): Opened {
  const { training, seed } = context.spec
  const start = origin.start(tokenizer)
  requireStorage(context)
  const random = createRandom(seed).fork('adapters')
  const options = trainingOptions(start.config, training, random, from?.adapters ?? null)
  const lora = loraOf(training)
  return {
    start,
    options,
    decoder: buildDecoder(from === null ? start : resumedModel(start, from), options),
    base: lora === null ? null : { lora, start, note: from?.state.base ?? origin.base },
  }
}

/** Of what trains, with the moments that a checkpoint kept. */
export function openOptimizer(training: TrainingConfig, decoder: Decoder, from: Checkpoint | null): Optimizer {
  const optimizer = createOptimizer(training, decoder.variables)
  if (from !== null) optimizer.fromTensors(from.optimizer)
  return optimizer
}
