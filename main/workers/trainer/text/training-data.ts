import { invariant } from '../../../../shared/assert.ts'
import { toText, type SplitName } from '../../../../shared/data-kinds.ts'
import { AppError } from '../../../../shared/errors.ts'
import {
  answerTotals,
  chunked,
  groupsOfPart,
  groupTotals,
  pairTotals,
  type BatchParts,
} from '../../../core/learn/batch-totals.ts'
import {
  answerBatch,
  groupBatch,
  groupPairs,
  pairBatch,
  sequenceLength,
  type EncodedGroup,
  type PairRewards,
  type ReferenceOf,
} from '../../../core/learn/batches.ts'
import type { Algorithm } from '../../../core/learn/define.ts'
import {
  answersMismatched,
  encodeAnswers,
  encodeRows,
  withMismatched,
  type EncodedAnswer,
  type EncodedAnswers,
  type EncodedCompletion,
  type EncodedPair,
  type EncodedRows,
  type EncodedRowPair,
} from '../../../core/learn/tokens/encode-rows.ts'
import { applyScale, rewardScale, rewardsOfRow, standardise, type RewardScale } from '../../../core/learn/rewards.ts'
import type { TextFormat } from '../../../core/learn/tokens/text-format.ts'
import type { RunContext } from '../run-context.ts'
import { rowsOfAnswers, rowsOfPairs } from './reference-rows.ts'
import { openScorer } from './scoring.ts'
import type { RowsBySide, SideRows } from './view-file.ts'

/** Pairs with what belongs to each of them, by position, or answers that stand alone: one of the two lists is empty. */
export interface PairSet<P extends EncodedPair = EncodedRowPair> {
  readonly pairs: readonly P[]
  readonly rewards: readonly PairRewards[] | null
  readonly answers: readonly EncodedAnswer[]
}

/** How many items a set holds, of either kind. */
export function sizeOf({ pairs, answers }: PairSet<EncodedPair>): number {
  return pairs.length + answers.length
}

export type PairSets = { readonly [S in SplitName]: PairSet }

export interface EncodedData {
  readonly sets: PairSets
  readonly cutShare: number
  readonly longest: number
  /** How the method's rewards were scaled; null where it takes none. */
  readonly scale: RewardScale | null
}

export function* textsOf({ pairs, answers }: SideRows): Generator<string> {
  for (const row of pairs) {
    yield toText(row.prompt)
    yield toText(row.a)
    yield toText(row.b)
  }
  for (const row of answers) {
    yield toText(row.prompt)
    yield toText(row.completion)
  }
}

/** Tokens, and rewards where the method wants them. @throws AppError `dataset-invalid` without a row to train on */
export async function encodeData(
  context: RunContext,
  rows: RowsBySide,
  format: TextFormat,
  algorithm: Algorithm,
  config: unknown,
): Promise<EncodedData> {
  const { maxLength } = context.spec.training
  const { train } = rows
  if (train.pairs.length + train.answers.length === 0)
    throw new AppError({
      code: 'dataset-invalid',
      message: 'The training side of the split has nothing that is labeled.',
      hint: 'Label more, or change the split.',
    })
  const encode = (side: SplitName): EncodedRows & EncodedAnswers => {
    const pairs = encodeRows(rows[side].pairs, format, maxLength)
    const answers = encodeAnswers(rows[side].answers, format, maxLength)
    return {
      pairs: pairs.pairs,
      answers: answers.answers,
      cutShare: Math.max(pairs.cutShare, answers.cutShare), // one of them is of nothing
      longest: Math.max(pairs.longest, answers.longest),
    }
  }
  const encoded = { train: encode('train'), validation: encode('validation'), test: encode('test') }
  await context.breatheOrStop()
  const rewards = await rewardsOf(
    context,
    rows,
    { train: encoded.train.pairs, validation: encoded.validation.pairs, test: encoded.test.pairs },
    algorithm,
    config,
  )
  const set = (side: SplitName): PairSet => {
    const { pairs, answers } = encoded[side]
    const others = algorithm.mismatched === true
    return {
      pairs: others ? withMismatched(pairs, format, maxLength) : pairs,
      rewards: rewards?.[side] ?? null,
      answers: others ? answersMismatched(answers, format, maxLength) : answers,
    }
  }
  const sizes = [encoded.train, encoded.validation, encoded.test]
  return {
    sets: { train: set('train'), validation: set('validation'), test: set('test') },
    cutShare: encoded.train.cutShare,
    longest: Math.max(...sizes.map((part) => part.longest)),
    scale: rewards?.scale ?? null,
  }
}

type SideRewards = { readonly [S in SplitName]: readonly PairRewards[] } & { readonly scale: RewardScale }

/** Scaled once, by the training side. Null where the method takes none. */
async function rewardsOf(
  context: RunContext,
  rows: RowsBySide,
  pairs: { readonly [S in SplitName]: readonly EncodedRowPair[] },
  algorithm: Algorithm,
  config: unknown,
): Promise<SideRewards | null> {
  const source = algorithm.rewards?.(config) ?? null
  if (source === null) return null
  const scorer = source.kind === 'reward-model' ? await openScorer(context, source, context.spec.rewardModelPath) : null
  if (scorer !== null) context.phase('rewards')
  const rewardsOfSide = async (side: SplitName): Promise<PairRewards[]> => {
    if (scorer === null) {
      return rows[side].pairs.map((row, at) => {
        const found = rewardsOfRow(row, source)
        invariant(found !== null, 'only a reward model scores elsewhere')
        return pairs[side][at]?.swapped === true
          ? { chosen: found.b, rejected: found.a }
          : { chosen: found.a, rejected: found.b }
      })
    }
    const texts = pairs[side].flatMap(({ contents: { prompt, chosen, rejected } }) =>
      [chosen, rejected].map((completion) => ({ prompt, completion })),
    )
    const scores = await scorer.score(texts, () => context.breatheOrStop())
    return pairs[side].map((_pair, at) => ({ chosen: scores[2 * at] ?? 0, rejected: scores[2 * at + 1] ?? 0 }))
  }
  const raw = {
    train: await rewardsOfSide('train'),
    validation: await rewardsOfSide('validation'),
    test: await rewardsOfSide('test'),
  }
  scorer?.dispose()
  const values = raw.train.flatMap((reward) => [reward.chosen, reward.rejected])
  const scale = rewardScale(values, source, wantsStandardised(config))
  const found = standardise(values)
  // Only R/β counts, so a β says nothing without the scale of the rewards that it stood against.
  context.emit({
    type: 'fact',
    facts: {
      rewardSource: source.kind,
      rewardMean: found.mean,
      rewardDeviation: found.sd,
      rewardShift: scale.mean,
      rewardDivisor: scale.sd,
    },
  })
  const scaled = (rewards: readonly PairRewards[]): PairRewards[] =>
    rewards.map((reward) => ({
      chosen: applyScale(reward.chosen, scale),
      rejected: applyScale(reward.rejected, scale),
    }))
  return { train: scaled(raw.train), validation: scaled(raw.validation), test: scaled(raw.test), scale }
}

function wantsStandardised(config: unknown): boolean {
  return typeof config === 'object' && config !== null && 'standardise' in config && config.standardise === true
}

/** What the batch plan orders: pairs, or groups of completions. */
export interface TrainingItems {
  /** Tokens of each item. */
  readonly lengths: readonly number[]
  /** Items as one optimizer batch, in micro-batches. */
  parts(items: readonly number[]): BatchParts
  /** Completions whose reference log-probs they ask for. */
  rows(items: readonly number[]): readonly EncodedCompletion[]
  /** Real tokens of these items. */
  tokens(items: readonly number[]): number
}

export interface ItemOptions {
  readonly set: PairSet<EncodedPair>
  readonly algorithm: Algorithm
  readonly config: unknown
  readonly microBatchSize: number
  readonly padId: number
  readonly referenceOf: ReferenceOf | null
}

/** @throws AppError `dataset-invalid` when groups are wanted and no prompt has two completions */
export function trainingItems(options: ItemOptions): TrainingItems {
  if (options.set.answers.length > 0) return answerItems(options)
  const groupSize = options.algorithm.groupSize?.(options.config) ?? null
  return groupSize === null ? pairItems(options) : groupItems(options, groupSize)
}

export function pairItems({ set, algorithm, config, microBatchSize, padId, referenceOf }: ItemOptions): TrainingItems {
  const lengths = set.pairs.map((pair) => sequenceLength(pair.chosen) + sequenceLength(pair.rejected))
  return {
    lengths,
    parts(items) {
      const chunks = chunked(items, microBatchSize)
      const pick = (indices: readonly number[]): readonly EncodedPair[] => indices.map((index) => set.pairs[index]!) // indices of the plan
      return {
        count: chunks.length,
        totals: pairTotals(
          pick(items),
          algorithm,
          config,
          set.rewards === null ? null : items.map((index) => set.rewards![index]!),
        ),
        make: (part) =>
          pairBatch(
            pick(chunks[part] ?? []),
            padId,
            set.rewards === null ? null : (chunks[part] ?? []).map((index) => set.rewards![index]!),
            referenceOf,
          ),
      }
    },
    rows: (items) => rowsOfPairs(items.map((index) => set.pairs[index]!)), // indices of the plan
    tokens: (items) => items.reduce((sum, index) => sum + (lengths[index] ?? 0), 0),
  }
}

/** What a set is scored by: its pairs, or its answers. */
export function scoredItems(options: ItemOptions): TrainingItems {
  return options.set.answers.length > 0 ? answerItems(options) : pairItems(options)
}

function answerItems({ set: { answers }, algorithm, microBatchSize, padId, referenceOf }: ItemOptions): TrainingItems {
  invariant(algorithm.answers !== undefined, 'the method can learn from answers that stand alone')
  const lengths = answers.map(({ answer }) => sequenceLength(answer))
  return {
    lengths,
    parts(items) {
      const chunks = chunked(items, microBatchSize)
      const pick = (indices: readonly number[]): readonly EncodedAnswer[] => indices.map((index) => answers[index]!) // indices of the plan
      return {
        count: chunks.length,
        totals: answerTotals(pick(items)),
        make: (part) => answerBatch(pick(chunks[part] ?? []), padId, referenceOf),
      }
    },
    rows: (items) => rowsOfAnswers(items.map((index) => answers[index]!)), // indices of the plan
    tokens: (items) => items.reduce((sum, index) => sum + (lengths[index] ?? 0), 0),
  }
}

function groupItems({ set, microBatchSize, padId, referenceOf }: ItemOptions, size: number): TrainingItems {
  invariant(set.rewards !== null, 'groups are compared by their rewards')
  const groups = groupPairs(set.pairs, set.rewards, size)
  if (groups.length === 0)
    throw new AppError({
      code: 'dataset-invalid',
      message: 'No prompt has two different completions.',
      hint: 'Take the pairs as they are: set the completions per prompt to 2.',
    })
  const lengths = groups.map((group) => group.completions.reduce((sum, one) => sum + sequenceLength(one), 0))
  const groupsPerPart = groupsOfPart(microBatchSize, size)
  return {
    lengths,
    parts(items) {
      const chunks = chunked(items, groupsPerPart)
      const pick = (indices: readonly number[]): readonly EncodedGroup[] => indices.map((index) => groups[index]!) // indices of the plan
      return {
        count: chunks.length,
        totals: groupTotals(pick(items)),
        make: (part) => groupBatch(pick(chunks[part] ?? []), size, padId, referenceOf),
      }
    },
    rows: (items) => items.flatMap((index) => groups[index]!.completions), // indices of the plan
    tokens: (items) => items.reduce((sum, index) => sum + (lengths[index] ?? 0), 0),
  }
}
