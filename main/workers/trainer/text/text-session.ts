import { keepsReference, type Algorithm, type AlgorithmPage } from '../../../core/learn/define.ts'
import { findTextAlgorithm } from '../../../core/learn/registry.ts'
import type { ReferenceOf } from '../../../core/learn/batches.ts'
import type { BatchPlan } from '../../../core/learn/batch-plan.ts'
import type { Decoder } from '../../../core/learn/models/decoder.ts'
import type { LoraOptions } from '../../../core/learn/models/adapters.ts'
import { decoderConfigOf } from '../../../core/learn/models/hf-config.ts'
import { createOptimizer, type Optimizer } from '../../../core/learn/optimizer.ts'
import { createRandom } from '../../../core/learn/random.ts'
import { openLanguage, type Language, type LanguageFiles } from '../../../core/learn/tokens/language.ts'
import type { TextFormat } from '../../../core/learn/tokens/text-format.ts'
import type { Tokenizer } from '../../../core/learn/tokens/tokenizer.ts'
import { AppError, describeIssues } from '../../../../shared/errors.ts'
import { BFLOAT16_ENGINES } from '../../../../shared/training-config.ts'
import { openModelFolder } from '../../../core/models/folder.ts'
import { ownLanguage } from '../../../core/models/language-files.ts'
import {
  openModelFiles,
  type Checkpoint,
  type CheckpointState,
  type ModelFiles,
} from '../../../core/models/checkpoint-files.ts'
import {
  buildDecoder,
  continueModel,
  loraOf,
  newModel,
  requireOwnTokenizer,
  trainingOptions,
  type ModelStart,
} from '../model.ts'
import { openReference, type Reference } from './reference.ts'
import { openRollouts, type Rollouts, type StepBatch } from './rollouts.ts'
import type { RunContext } from '../run-context.ts'
import { openPlan } from '../open-plan.ts'
import { referenceLogProbs } from './scoring.ts'
import { checkSupport } from './support.ts'
import {
  encodeData,
  makeTokenizer,
  textsOf,
  trainingItems,
  type PairSets,
  type TrainingItems,
} from './training-data.ts'
import { readViewFile } from './view-file.ts'

/** Everything a step needs, made once. */
export interface Session {
  readonly context: RunContext
  readonly algorithm: Algorithm
  /** As the method's own schema gives it. */
  readonly config: unknown
  readonly tokenizer: Tokenizer
  readonly format: TextFormat
  /** What checkpoints keep of how the model is spoken to. */
  readonly language: LanguageFiles
  readonly decoder: Decoder
  readonly optimizer: Optimizer
  readonly sets: PairSets
  readonly items: TrainingItems
  readonly plan: BatchPlan
  /** Not null: the policy writes the completions of each step. */
  readonly rollouts: Rollouts | null
  /** What the step learns from: logged completions, or those that the policy writes now. */
  batchOf(chosen: readonly number[], step: number): Promise<StepBatch>
  readonly referenceOf: ReferenceOf | null
  /** Null where there is none to speak of. */
  readonly reference: Reference | null
  /** What adapters stand beside; null where none are trained. */
  readonly base: AdapterBase | null
}

export interface AdapterBase {
  readonly lora: LoraOptions
  readonly start: ModelStart
  /** Null where the frozen model is not of the registry, and has to be kept with the run. */
  readonly registered: { readonly path: string; readonly hash: string } | null
  /** As earlier checkpoints of this run have it. */
  readonly note: CheckpointState['base']
}

/**
 * Loads what the specification names and brings it to where the checkpoint left it.
 * @param from null to begin at the first step
 * @throws AppError, StopRequest
 */
export async function openSession(context: RunContext, from: Checkpoint | null): Promise<Session> {
  const { spec } = context
  context.phase('loading')
  const algorithm = findTextAlgorithm(spec.method)
  const config = parseConfig(algorithm, spec.config)
  const rows = await readViewFile(spec.data.viewPath, spec.data.viewHash)
  const origin = await openOrigin(context, algorithm)
  const { tokenizer, format, language } = openSpoken(context, origin, from, textsOf(rows.train))
  await context.breatheOrStop()
  const data = await encodeData(context, rows, format, algorithm, config)
  const start = origin.start(tokenizer)
  const lora = loraOf(spec.training)
  requireStorage(context)
  const options = trainingOptions(
    start.config,
    spec.training,
    createRandom(spec.seed).fork('adapters'),
    from?.adapters ?? null,
  )
  const decoder = buildDecoder(from === null ? start : resumedModel(start, from), options)
  const reference = keepsReference(algorithm, spec.model.kind) ? openReference(start, decoder, options) : null
  const referenceOf =
    algorithm.needsReference && reference !== null
      ? await scoreReference(context, reference, data.sets, tokenizer)
      : null
  const optimizer = createOptimizer(spec.training, decoder.variables)
  if (from !== null) optimizer.fromTensors(from.optimizer)
  const items = trainingItems({
    set: data.sets.train,
    algorithm,
    config,
    microBatchSize: spec.training.microBatchSize,
    padId: tokenizer.padId,
    referenceOf,
  })
  const rollouts = await openRollouts(
    { context, algorithm, config, tokenizer, format, decoder, sets: data.sets, reference },
    data.scale,
  )
  if (reference !== null && algorithm.needsSupport?.(config) === true)
    await checkSupport(context, reference, data.sets.train.pairs, { tokenizer, format })
  const plan = openPlan(rollouts?.lengths ?? items.lengths, spec, from)
  const batchOf = async (chosen: readonly number[], step: number): Promise<StepBatch> =>
    rollouts?.write(chosen, step) ?? {
      parts: items.parts(chosen),
      tokens: items.tokens(chosen),
      updates: 1,
      metrics: {},
    }
  context.emit({
    type: 'fact',
    facts: {
      methodName: algorithm.name,
      pretrained: spec.pretrained,
      mainMetric: algorithm.mainMetric,
      parameterCount: decoder.parameterCount,
      vocabSize: tokenizer.vocabSize,
      cutShare: data.cutShare,
      longestTokens: data.longest,
      trainItems: rollouts?.lengths.length ?? items.lengths.length,
      validationPairs: data.sets.validation.pairs.length,
      testPairs: data.sets.test.pairs.length,
    },
  })
  if (data.cutShare > 0.05)
    context.warn(
      `${Math.round(100 * data.cutShare)} % of the completions were cut to ${spec.training.maxLength} tokens.`,
      'Raise the longest sequence if the ends matter.',
    )
  const base = lora === null ? null : { lora, start, registered: origin.registered, note: from?.state.base ?? null }
  return {
    context,
    algorithm,
    config,
    tokenizer,
    format,
    language,
    decoder,
    optimizer,
    sets: data.sets,
    items,
    plan,
    referenceOf,
    reference,
    base,
    rollouts,
    batchOf,
  }
}

/** @throws AppError `spec-invalid`: the engine has no product with bfloat16 weights */
export function requireStorage({ engine, spec }: RunContext): void {
  const { frozenStorage, adapt } = spec.training
  if (frozenStorage === 'float32' || adapt === 'full' || (BFLOAT16_ENGINES as readonly string[]).includes(engine))
    return
  throw new AppError({
    code: 'spec-invalid',
    message: `The ${engine} engine cannot multiply frozen weights kept as bfloat16.`,
    hint: `Keep them as float32, or use ${BFLOAT16_ENGINES[0]}.`,
  })
}

/** @throws AppError `spec-invalid` */
export function parseConfig(algorithm: AlgorithmPage, config: unknown): unknown {
  const parsed = algorithm.config.safeParse(config)
  if (parsed.success) return parsed.data
  throw new AppError({
    code: 'spec-invalid',
    message: `${algorithm.name}: ${describeIssues(parsed.error)}`,
    hint: 'Start the run again from its request.',
  })
}

/** Where a run's tokenizer and first weights come from. */
export interface Origin {
  /** Null where a tokenizer has to be made. */
  readonly language: LanguageFiles | null
  readonly tokenizerSpec: { readonly kind: 'byte' } | { readonly kind: 'bpe'; readonly vocabSize: number }
  readonly registered: AdapterBase['registered']
  start(tokenizer: Tokenizer): ModelStart
}

export async function openOrigin(context: RunContext, algorithm: AlgorithmPage): Promise<Origin> {
  const { model, seed } = context.spec
  const scoreHead = algorithm.role === 'reward-model'
  if (model.kind === 'new') {
    return {
      language: null,
      tokenizerSpec: model.tokenizer,
      registered: null,
      start: (tokenizer) => newModel(model, tokenizer.vocabSize, scoreHead, createRandom(seed).fork('weights')),
    }
  }
  if (model.kind === 'networks')
    throw new AppError({
      code: 'spec-invalid',
      message: `${algorithm.name} trains a language model.`,
      hint: 'Start from a new model, a finished run or a registered model.',
    })
  const files =
    model.kind === 'registered' ? await openRegistered(context, model.path) : await openModelFiles(model.path)
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
    registered: model.kind === 'registered' ? { path: model.path, hash: model.hash } : null,
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
export function resumedModel(
  start: ModelStart,
  { source, adapters }: Checkpoint,
): Pick<ModelStart, 'config' | 'source'> {
  if (adapters === null) return { config: start.config, source }
  return {
    config: start.config,
    source: { read: (name) => (adapters.names.has(name) ? adapters.read(name) : start.source.read(name)) },
  }
}

async function scoreReference(
  context: RunContext,
  reference: Reference,
  sets: PairSets,
  tokenizer: Tokenizer,
): Promise<ReferenceOf> {
  const rows = Object.values(sets).flatMap((set) =>
    set.pairs.flatMap((pair) => [
      pair.chosen,
      pair.rejected,
      ...(pair.mismatched === undefined ? [] : [pair.mismatched.chosen, pair.mismatched.rejected]),
    ]),
  )
  return reference.use((decoder) =>
    referenceLogProbs(context, { decoder, weightsHash: reference.hash, rows, padId: tokenizer.padId }),
  )
}
