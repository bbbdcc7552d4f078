// What goes through a network at once while a method trains it: what memory is foreseen from.
import type { DataKind } from '../../../shared/data-kinds.ts'
import type { TrainingConfig } from '../../../shared/training-config.ts'
import { groupsOfPart } from './batch-totals.ts'
import type { Algorithm } from './define.ts'
import { createRandom } from './random.ts'
import { EVALUATION_TOKENS, type CandidateList, type RankingAlgorithm } from './ranking/ranking.ts'
import { ROWS_AT_ONCE } from './sampling/sample.ts'

export interface TrainingLoad {
  /** Tokens of the fullest pass of which a gradient is taken. @param longest tokens of a row */
  learned(longest: number): number
  /** Vectors are wanted of them, a piece at a time (models/pieces.ts); else log-probabilities or scores, of all at once. */
  readonly inPieces: boolean
  /** Every token is predicted, which takes the logits of the vocabulary. */
  readonly predicts: boolean
  /** Gradients of a batch are summed over so many parts. */
  readonly parts: number
  /** The same of the fullest pass without one, where it may be more. */
  looked(longest: number): number
  /** What the policy writes at once: so many rows that begin with so many different prompts. */
  readonly written: { readonly rows: number; readonly prompts: number; readonly maxTokens: number } | null
}

export type BatchSizes = Pick<TrainingConfig, 'batchSize' | 'microBatchSize'>

/** A pair is two rows of text. */
const ROWS_PER_PAIR = 2

/** Of a method on pairs of completions, on answers that stand alone, or on groups. @param heldOut pairs of an evaluation */
export function pairLoad(
  algorithm: Algorithm,
  config: unknown,
  training: BatchSizes,
  heldOut: number,
  kind: DataKind,
): TrainingLoad {
  const { batchSize, microBatchSize } = training
  const rollout = algorithm.rollout?.(config) ?? null
  const size = rollout?.samples ?? algorithm.groupSize?.(config) ?? null
  if (size !== null) return groupLoad(size, training, rollout, heldOut)
  const rows = kind === 'unpaired-responses' ? 1 : ROWS_PER_PAIR
  return {
    learned: (longest) => Math.min(batchSize, microBatchSize) * rows * longest,
    inPieces: false,
    predicts: algorithm.role !== 'reward-model',
    parts: Math.ceil(batchSize / microBatchSize),
    looked: () => 0,
    written: null,
  }
}

/** Of a method that learns from groups of so many completions of a prompt. @param rollout null: it does not write them itself */
export function groupLoad(
  size: number,
  { batchSize, microBatchSize }: BatchSizes,
  rollout: { readonly maxTokens: number } | null,
  heldOut: number,
): TrainingLoad {
  const groups = Math.min(batchSize, groupsOfPart(microBatchSize, size))
  return {
    learned(longest) {
      // Of completions that it writes the length is known; those of a prompt share its tokens in a pass.
      const own = Math.min(longest, rollout?.maxTokens ?? longest)
      return groups * (longest - own + size * own)
    },
    inPieces: false,
    predicts: true,
    parts: Math.ceil(batchSize / groups),
    looked: () => 0,
    written:
      rollout === null
        ? null
        : {
            rows: Math.min(ROWS_AT_ONCE, Math.max(batchSize * size, heldOut)),
            prompts: Math.min(ROWS_AT_ONCE, Math.max(batchSize, heldOut)),
            maxTokens: rollout.maxTokens,
          },
  }
}

/** Of a ranker that reads texts. */
export function rankingLoad(algorithm: RankingAlgorithm, config: unknown, training: BatchSizes): TrainingLoad {
  const { scorer, candidates } = config as { readonly scorer: string; readonly candidates: number } // every ranking method has them
  const lists = Math.min(training.batchSize, training.microBatchSize)
  // As many as it picks of a list with one relevant document: methods say by their pick how many they read.
  const list: CandidateList = {
    documents: Array.from({ length: candidates }, (_none, at) => at),
    relevance: Array.from({ length: candidates }, (_none, at) => (at === 0 ? 1 : 0)),
    unlisted: [],
  }
  const documents = algorithm.pick(list, config, createRandom(0)).length
  const rows = lists * (scorer === 'cross-encoder' ? documents : documents + 1)
  return {
    learned: (longest) => rows * longest,
    inPieces: true,
    predicts: false,
    parts: Math.ceil(training.batchSize / lists),
    looked: () => EVALUATION_TOKENS,
    written: null,
  }
}
