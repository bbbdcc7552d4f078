import type { ReferenceOf } from '../../../core/learn/batches.ts'
import { completionLogProbs } from '../../../core/learn/completion-log-probs.ts'
import type { EncodedAnswer, EncodedCompletion, EncodedPair } from '../../../core/learn/tokens/encode-rows.ts'
import type { RunContext } from '../run-context.ts'
import type { Reference } from './reference.ts'
import { referenceLogProbs } from './scoring.ts'

/** Log-probs of logged completions under the reference. */
export interface ReferenceRows {
  readonly of: ReferenceOf
  /** To be awaited before batches of these rows are made, each time. */
  prepare(rows: readonly EncodedCompletion[]): Promise<void>
}

/** Every completion of the pairs that a method may ask for. */
export function rowsOfPairs(pairs: readonly EncodedPair[]): EncodedCompletion[] {
  return pairs.flatMap(({ chosen, rejected, mismatched }) => [
    chosen,
    rejected,
    ...(mismatched === undefined ? [] : [mismatched.chosen, mismatched.rejected]),
  ])
}

/** The same of answers that stand alone. */
export function rowsOfAnswers(answers: readonly EncodedAnswer[]): EncodedCompletion[] {
  return answers.flatMap(({ answer, mismatched }) => [answer, ...(mismatched === undefined ? [] : [mismatched])])
}

/** Of a side of the data, which has pairs or answers. */
export function rowsOfSet(set: {
  readonly pairs: readonly EncodedPair[]
  readonly answers: readonly EncodedAnswer[]
}): EncodedCompletion[] {
  return [...rowsOfPairs(set.pairs), ...rowsOfAnswers(set.answers)]
}

/**
 * Of a reference that stays: all rows at once, kept over runs. Of one that moves: those of each batch as it comes, and
 * nothing is kept, so that a run that goes on computes what it would have computed.
 */
export async function openReferenceRows(
  context: RunContext,
  reference: Reference,
  rows: readonly EncodedCompletion[],
  padId: number,
): Promise<ReferenceRows> {
  if (reference.moving === null) {
    const of = await reference.use((decoder) =>
      referenceLogProbs(context, { decoder, weightsHash: reference.hash, rows, padId }),
    )
    return { of, prepare: async () => undefined }
  }
  const none = new Float32Array(0)
  let known = new Map<EncodedCompletion, Float32Array>()
  return {
    of: (row) => known.get(row) ?? none,
    async prepare(wanted) {
      const found = await reference.use((decoder) =>
        completionLogProbs(decoder, wanted, padId, () => context.breathe()),
      )
      known = new Map(wanted.map((row, at) => [row, found[at]!])) // as many as asked for
    },
  }
}
