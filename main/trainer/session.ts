import { createHash } from 'node:crypto'
import type { Algorithm } from '../learn/define.ts'
import { findAlgorithm } from '../learn/registry.ts'
import type { ReferenceOf } from '../learn/batches.ts'
import { createBatchPlan, type BatchPlan, type BatchPlanState } from '../learn/batch-plan.ts'
import type { Decoder } from '../learn/models/decoder.ts'
import { decoderConfigOf } from '../learn/models/hf-config.ts'
import { createOptimizer, type Optimizer } from '../learn/optimizer.ts'
import { createRandom } from '../learn/random.ts'
import { encodeSafeTensors } from '../learn/safetensors.ts'
import { loadTokenizer, type Tokenizer } from '../learn/tokenizer.ts'
import { AppError, describeIssues } from '../../shared/errors.ts'
import { loadModelFiles, type Checkpoint } from './checkpoint.ts'
import { buildDecoder, continueModel, newModel, type ModelStart } from './model.ts'
import type { RunContext } from './run-context.ts'
import { referenceLogProbs } from './scoring.ts'
import { encodeData, makeTokenizer, trainingItems, type PairSets, type TrainingItems } from './training-data.ts'
import { readViewFile } from './view-file.ts'

/** Everything a step needs, made once. */
export interface Session {
  readonly context: RunContext
  readonly algorithm: Algorithm
  /** As the method's own schema gives it. */
  readonly config: unknown
  readonly tokenizer: Tokenizer
  readonly decoder: Decoder
  readonly optimizer: Optimizer
  readonly sets: PairSets
  readonly items: TrainingItems
  readonly plan: BatchPlan
  readonly referenceOf: ReferenceOf | null
  /** The reference policy's weights; null where there is none to speak of. */
  readonly reference: ModelStart | null
}

/**
 * Loads what the specification names and brings it to where the checkpoint left it.
 * @param from null to begin at the first step
 * @throws AppError, StopRequest
 */
export async function openSession(context: RunContext, from: Checkpoint | null): Promise<Session> {
  const { spec } = context
  context.phase('loading')
  const algorithm = findAlgorithm(spec.method)
  const config = parseConfig(algorithm, spec.config)
  const rows = await readViewFile(spec.data.viewPath, spec.data.viewHash)
  const origin = openOrigin(context, algorithm)
  const tokenizer = from === null ? (origin.tokenizer ?? makeTokenizer(context, origin.tokenizerSpec, rows.train)) : loadTokenizer(from.tokenizer)
  await context.breatheOrStop()
  const data = await encodeData(context, rows, tokenizer, algorithm, config)
  const start = origin.start(tokenizer)
  const decoder = buildDecoder(from === null ? start : { config: decoderConfigOf(from.config), weights: from.weights })
  const hasReference = algorithm.needsReference || (spec.model.kind === 'run' && algorithm.role === 'policy')
  const referenceOf = algorithm.needsReference ? await scoreReference(context, start, data.sets, tokenizer) : null
  const optimizer = createOptimizer(spec.training, decoder.variables)
  if (from !== null) optimizer.fromTensors(from.optimizer)
  const items = trainingItems({ set: data.sets.train, algorithm, config, microBatchSize: spec.training.microBatchSize, padId: tokenizer.padId, referenceOf })
  const plan = createBatchPlan({ lengths: items.lengths, batchSize: spec.training.batchSize, seed: spec.seed }, from === null ? undefined : (from.state.plan as unknown as BatchPlanState)) // written by plan.state()
  context.emit({
    type: 'fact',
    facts: {
      methodName: algorithm.name,
      mainMetric: algorithm.mainMetric,
      parameterCount: decoder.parameterCount,
      vocabSize: tokenizer.vocabSize,
      cutShare: data.cutShare,
      longestTokens: data.longest,
      trainItems: items.lengths.length,
      validationPairs: data.sets.validation.pairs.length,
      testPairs: data.sets.test.pairs.length,
    },
  })
  if (data.cutShare > 0.05) context.warn(`${Math.round(100 * data.cutShare)} % of the completions were cut to ${spec.training.maxLength} tokens.`, 'Raise the longest sequence if the ends matter.')
  return { context, algorithm, config, tokenizer, decoder, optimizer, sets: data.sets, items, plan, referenceOf, reference: hasReference ? start : null }
}

function parseConfig(algorithm: Algorithm, config: unknown): unknown {
  const parsed = algorithm.config.safeParse(config)
  if (parsed.success) return parsed.data
  throw new AppError({ code: 'spec-invalid', message: `${algorithm.name}: ${describeIssues(parsed.error)}`, hint: 'Start the run again from its request.' })
}

interface Origin {
  /** Null where a new one has to be made. */
  readonly tokenizer: Tokenizer | null
  readonly tokenizerSpec: { readonly kind: 'byte' } | { readonly kind: 'bpe'; readonly vocabSize: number }
  start(tokenizer: Tokenizer): ModelStart
}

function openOrigin({ spec }: RunContext, algorithm: Algorithm): Origin {
  const scoreHead = algorithm.role === 'reward-model'
  if (spec.model.kind === 'new') {
    const model = spec.model
    return { tokenizer: null, tokenizerSpec: model.tokenizer, start: (tokenizer) => newModel(model, tokenizer.vocabSize, scoreHead, createRandom(spec.seed).fork('weights')) }
  }
  if (spec.model.kind === 'registered') throw new AppError({ code: 'model-unsupported', message: 'This trainer cannot start from a registered model yet.', hint: 'Start from a new model or from a run.' })
  const files = loadModelFiles(spec.model.path)
  if (files.hash !== spec.model.hash) {
    throw new AppError({ code: 'spec-invalid', message: `The checkpoint ${spec.model.path} was changed after this run was made.`, hint: 'Start the run again from its request.' })
  }
  return { tokenizer: loadTokenizer(files.tokenizer), tokenizerSpec: { kind: 'byte' }, start: () => continueModel(files.config, files.weights, scoreHead) }
}

async function scoreReference(context: RunContext, start: ModelStart, sets: PairSets, tokenizer: Tokenizer): Promise<ReferenceOf> {
  const rows = Object.values(sets).flatMap((set) => set.pairs.flatMap((pair) => [pair.chosen, pair.rejected]))
  const weightsHash = createHash('sha256').update(encodeSafeTensors(start.weights)).digest('hex')
  const decoder = buildDecoder(start)
  try {
    return await referenceLogProbs(context, { decoder, weightsHash, rows, padId: tokenizer.padId })
  } finally {
    decoder.dispose()
  }
}
