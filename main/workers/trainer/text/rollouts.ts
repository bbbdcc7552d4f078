import { invariant } from '../../../../shared/assert.ts'
import { chunked, groupsOfPart, groupTotals, type BatchParts } from '../../../core/learn/batch-totals.ts'
import { groupBatch, type EncodedGroup } from '../../../core/learn/batches.ts'
import { completionLogProbs } from '../../../core/learn/completion-log-probs.ts'
import type { Rollout } from '../../../core/learn/define.ts'
import { createRandom } from '../../../core/learn/random.ts'
import type { RewardScale } from '../../../core/learn/rewards.ts'
import { rolloutMetrics } from '../../../core/learn/sampling/rollout.ts'
import { openScorer } from './scoring.ts'
import { createWriter, rolloutPrompts, type Needs, type Writer, type Written } from './writing.ts'

/** What one step learns from. */
export interface StepBatch {
  readonly parts: BatchParts
  /** Real tokens. */
  readonly tokens: number
  /** Optimizer updates on it; 0 where nothing of it carries loss. */
  readonly updates: number
  /** What is known of it before any update. */
  readonly metrics: Readonly<Record<string, number>>
}

export interface Rollouts {
  /** Tokens that each prompt and its completions take at most: what the batch plan orders. */
  readonly lengths: readonly number[]
  /** The policy completes these prompts, with random numbers of seed and step alone: after a resume it writes the same. */
  write(prompts: readonly number[], step: number): Promise<StepBatch>
  /** The same for any prompts. */
  readonly writer: Writer
}

/** Null for a method that learns from logged completions. @throws AppError for a reward that cannot score new text */
export async function openRollouts(session: Needs, scale: RewardScale | null): Promise<Rollouts | null> {
  const { context, algorithm, config, format, sets, reference } = session
  const rollout = algorithm.rollout?.(config) ?? null
  if (rollout === null) return null
  const source = algorithm.rewards?.(config) ?? null
  invariant(source !== null && reference !== null, 'what writes has a reward and a reference')
  reference.keep()
  const scorer = await openScorer(context, source, context.spec.rewardModelPath)
  const prompts = rolloutPrompts(sets.train.pairs, format, context.spec.training.maxLength, rollout.maxTokens)
  const write = createWriter(session, rollout, scorer, scale ?? { mean: 0, sd: 1 })
  let warned = false
  const random = createRandom(context.spec.seed)
  return {
    lengths: prompts.map((prompt) => rollout.samples * (prompt.ids.length + rollout.maxTokens)),
    async write(chosen, step) {
      const written = await write(
        chosen.map((index) => prompts[index]!),
        rollout.samples,
        random.fork('rollouts').fork(String(step)),
      ) // indices of the plan
      const batch = await stepBatch(session, rollout, written)
      if (batch.updates === 0 && !warned) {
        warned = true
        context.warn(
          `Every completion of step ${step} was cut at the longest length and is masked: nothing was learned from it, and the weights stay as they are. Later steps like it are not said again.`,
          'Raise the longest completion, start from a model that ends its answers, or turn off the masking of truncated completions.',
        )
      }
      return batch
    },
    writer: write,
  }
}

/** What was cut without ending, with none of its tokens counting. Its reward stays for what the others are compared with. */
function withoutTruncated({ encoded, written }: Written): EncodedGroup {
  return {
    ...encoded,
    completions: encoded.completions.map((row, at) =>
      written.completions[at]?.ended === false ? { ...row, trained: new Uint8Array(row.completion.length) } : row,
    ),
  }
}

/** Log-probs under the policy that wrote are kept only where it will have moved on: otherwise they are the policy's own. */
async function stepBatch(
  { context, decoder, tokenizer }: Needs,
  rollout: Rollout,
  written: readonly Written[],
): Promise<StepBatch> {
  // A dry run takes what a step takes at most.
  const masks = rollout.maskTruncated && !context.dry
  const groups = written.map((one) => (masks ? withoutTruncated(one) : one.encoded))
  const totals = groupTotals(groups)
  const rows = groups.flatMap((group) => group.completions)
  // Rows that were masked are other rows, of which nothing is known: zeros, as the policy's are.
  const referenceOf = new Map(
    written.flatMap((one) => one.encoded.completions.map((row) => [row, one.reference(row)] as const)),
  )
  const old =
    rollout.updates === 1 ? null : await completionLogProbs(decoder, rows, tokenizer.padId, () => context.breathe())
  const oldOf = old === null ? null : new Map(rows.map((row, at) => [row, old[at] ?? new Float32Array(0)]))
  const none = new Float32Array(0)
  const chunks = chunked(Array.from(groups.keys()), groupsOfPart(context.spec.training.microBatchSize, rollout.samples))
  return {
    parts: {
      count: chunks.length,
      totals,
      make: (part) =>
        groupBatch(
          (chunks[part] ?? []).map((index) => groups[index]!),
          rollout.samples,
          tokenizer.padId,
          (row) => referenceOf.get(row) ?? none,
          oldOf === null ? null : (row) => oldOf.get(row) ?? none,
        ), // indices of groups
    },
    tokens: rows.reduce((count, row) => count + row.prompt.length + row.completion.length, 0),
    // Adam would move the weights by what it remembers even without a gradient.
    updates: totals.tokens === 0 ? 0 : rollout.updates,
    metrics: rolloutMetrics(written.map((one) => one.written)),
  }
}
