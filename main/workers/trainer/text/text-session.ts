import { AppError } from '../../../../shared/errors.ts'
import { keepsReference, mainMetricOn, movesReference, type Algorithm } from '../../../core/learn/define.ts'
import { findTextAlgorithm } from '../../../core/learn/registry.ts'
import type { BatchPlan } from '../../../core/learn/batch-plan.ts'
import type { Decoder } from '../../../core/learn/models/decoder.ts'
import type { Optimizer } from '../../../core/learn/optimizer.ts'
import type { LanguageFiles } from '../../../core/learn/tokens/language.ts'
import type { TextFormat } from '../../../core/learn/tokens/text-format.ts'
import type { Tokenizer } from '../../../core/learn/tokens/tokenizer.ts'
import type { Checkpoint } from '../../../core/models/checkpoint-files.ts'
import { openFreshRewards, type FreshRewards } from './fresh-rewards.ts'
import { openReference, type Reference } from './reference.ts'
import { openReferenceRows, rowsOfSet, type ReferenceRows } from './reference-rows.ts'
import { openRollouts, type Rollouts, type StepBatch } from './rollouts.ts'
import type { RunContext } from '../run-context.ts'
import { openDecoder, openOptimizer, openOrigin, openSpoken, type AdapterBase } from '../origin.ts'
import { parseConfig } from '../parse-config.ts'
import { openPlan } from '../open-plan.ts'
import { checkSupport } from './support.ts'
import { encodeData, sizeOf, textsOf, trainingItems, type PairSets, type TrainingItems } from './training-data.ts'
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
  /** Null where no reward can score what the policy writes. */
  readonly fresh: FreshRewards | null
  /** What the step learns from: logged completions, or those that the policy writes now. */
  batchOf(chosen: readonly number[], step: number): Promise<StepBatch>
  /** Null where the loss compares with no reference. */
  readonly referenceRows: ReferenceRows | null
  /** Null where there is none to speak of. */
  readonly reference: Reference | null
  /** What adapters stand beside; null where none are trained. */
  readonly base: AdapterBase | null
}

/**
 * Loads what the specification names and brings it to where the checkpoint left it.
 * @param from null to begin at the first step
 * @throws AppError, StopRequest
 */
export async function openSession(context: RunContext, from: Checkpoint | null): Promise<Session> {
  const { spec } = context
  context.phase('loading')
  const method = findTextAlgorithm(spec.method)
  const config = parseConfig(method, spec.config)
  const rows = await readViewFile(spec.data.viewPath, spec.data.viewHash)
  const kind = rows.train.answers.length > 0 ? 'unpaired-responses' : 'response-pairs'
  const algorithm: Algorithm = { ...method, mainMetric: mainMetricOn(method, kind, config, spec.training) }
  const origin = await openOrigin(context, algorithm)
  const { tokenizer, format, language } = openSpoken(context, origin, from, textsOf(rows.train))
  await context.breatheOrStop()
  const data = await encodeData(context, rows, format, algorithm, config)
  const { start, options, decoder, base } = openDecoder(context, origin, tokenizer, from)
  const moving = movesReference(algorithm, spec.training)
    ? { mixup: spec.training.referenceMixup, stored: storedReference(from) }
    : null
  const reference = keepsReference(algorithm, spec.model.kind) ? openReference(start, decoder, options, moving) : null
  // A method that writes learns from what it wrote: of the logged completions it looks at those that are held out.
  const { train, ...heldOut } = data.sets
  const looks = algorithm.rollout?.(config) == null ? { train, ...heldOut } : heldOut
  const logged = Object.values(looks).flatMap(rowsOfSet)
  const referenceRows =
    algorithm.needsReference && reference !== null
      ? await openReferenceRows(context, reference, logged, tokenizer.padId)
      : null
  const optimizer = openOptimizer(spec.training, decoder, from)
  const items = trainingItems({
    set: data.sets.train,
    algorithm,
    config,
    microBatchSize: spec.training.microBatchSize,
    padId: tokenizer.padId,
    referenceOf: referenceRows?.of ?? null,
  })
  const needs = { context, algorithm, config, tokenizer, format, decoder, sets: data.sets, reference }
  const rollouts = await openRollouts(needs, data.scale)
  if (reference !== null && algorithm.needsSupport?.(config) === true)
    await checkSupport(context, reference, data.sets.train.pairs, { tokenizer, format })
  const plan = openPlan(rollouts?.lengths ?? items.lengths, spec, from)
  const batchOf = async (chosen: readonly number[], step: number): Promise<StepBatch> => {
    if (rollouts !== null) return rollouts.write(chosen, step)
    await referenceRows?.prepare(items.rows(chosen))
    return { parts: items.parts(chosen), tokens: items.tokens(chosen), updates: 1, metrics: {} }
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
      validationPairs: sizeOf(data.sets.validation),
      testPairs: sizeOf(data.sets.test),
    },
  })
  if (data.cutShare > 0.05)
    context.warn(
      `${Math.round(100 * data.cutShare)} % of the completions were cut to ${spec.training.maxLength} tokens.`,
      'Raise the longest sequence if the ends matter.',
    )
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
    referenceRows,
    reference,
    base,
    rollouts,
    fresh: openFreshRewards(needs, rollouts),
    batchOf,
  }
}

/** @throws AppError `spec-invalid` for a checkpoint without it */
function storedReference(from: Checkpoint | null): Checkpoint['reference'] {
  if (from === null || from.reference !== null) return from?.reference ?? null
  throw new AppError({
    code: 'spec-invalid',
    message: `The checkpoint ${from.folder} has no reference policy, and that of this run follows the policy.`,
    hint: 'The checkpoint is damaged; start the run again.',
  })
}
