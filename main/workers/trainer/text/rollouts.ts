import { invariant } from '../../../../shared/assert.ts'
import { chunked, groupsOfPart, groupTotals, type BatchParts } from '../../../core/learn/batch-totals.ts'
import { groupBatch, type EncodedGroup } from '../../../core/learn/batches.ts'
import type { Algorithm, Rollout } from '../../../core/learn/define.ts'
import type { Decoder } from '../../../core/learn/models/decoder.ts'
import type { Content } from '../../../../shared/data-kinds.ts'
import { promptRoom, type TextFormat } from '../../../core/learn/tokens/text-format.ts'
import type { EncodedCompletion, EncodedRowPair } from '../../../core/learn/tokens/encode-rows.ts'
import { createRandom, type Random } from '../../../core/learn/random.ts'
import { applyScale, type RewardScale } from '../../../core/learn/rewards.ts'
import { rolloutMetrics, type WrittenGroup } from '../../../core/learn/sampling/rollout.ts'
import { sampleCompletions } from '../../../core/learn/sampling/sample.ts'
import type { Tokenizer } from '../../../core/learn/tokens/tokenizer.ts'
import { meanInterval } from '../intervals.ts'
import type { RunContext } from '../run-context.ts'
import { openScorer, type Scorer } from './scoring.ts'
import { completionLogProbs } from '../../../core/learn/completion-log-probs.ts'
import type { Reference } from './reference.ts'
import type { PairSet, PairSets } from './training-data.ts'

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
  /** One completion of each held-out prompt, always with the same random numbers. Names begin with `eval/rollout/`. */
  evaluate(): Promise<Record<string, number>>
}

export interface RolloutPrompt {
  readonly text: string
  readonly content: Content
  readonly ids: readonly number[]
}

/** Each prompt of the pairs once, in their order, cut where the longest completion leaves too little room. */
export function rolloutPrompts(
  pairs: readonly EncodedRowPair[],
  format: TextFormat,
  maxLength: number,
  maxTokens: number,
): RolloutPrompt[] {
  const room = promptRoom(format, maxLength, maxTokens)
  const contents = new Map(pairs.map((pair) => [pair.promptText, pair.contents.prompt] as const))
  return [...contents].map(([text, content]) => ({ text, content, ids: format.prompt(content, room) }))
}

/** Of a session: who writes, and what it writes on. */
interface Needs {
  readonly context: RunContext
  readonly algorithm: Algorithm
  readonly config: unknown
  readonly tokenizer: Tokenizer
  readonly format: TextFormat
  readonly decoder: Decoder
  readonly sets: PairSets
  readonly reference: Reference | null
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
  const { maxLength, evalPairs } = context.spec.training
  const promptsOf = (set: PairSet): RolloutPrompt[] => rolloutPrompts(set.pairs, format, maxLength, rollout.maxTokens)
  const prompts = promptsOf(sets.train)
  const heldOut = promptsOf(
    [sets.validation, sets.test, sets.train].find((set) => set.pairs.length > 0) ?? sets.train,
  ).slice(0, evalPairs)
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
    async evaluate() {
      const written = await write(heldOut, 1, random.fork('held-out rollouts'))
      const { 'rollout/equal-rewards': _one, ...metrics } = rolloutMetrics(written.map((group) => group.written))
      const rewards = meanInterval(written.flatMap((group) => group.written.rawRewards))
      const own = written.flatMap((group) => group.written.completions.map((one) => sum(one.logProbs)))
      const other = written.flatMap((group) => group.encoded.completions.map((one) => sum(group.reference(one))))
      return {
        ...Object.fromEntries(Object.entries(metrics).map(([name, value]) => [`eval/${name}`, value])),
        'eval/rollout/reward_low': rewards.low,
        'eval/rollout/reward_high': rewards.high,
        'eval/rollout/kl': meanInterval(own.map((value, at) => value - (other[at] ?? 0))).mean,
      }
    },
  }
}

interface Written {
  readonly encoded: EncodedGroup
  readonly written: WrittenGroup
  reference(one: EncodedCompletion): Float32Array
}

type Writer = (prompts: readonly RolloutPrompt[], samples: number, random: Random) => Promise<readonly Written[]>

function createWriter(
  { context, tokenizer, format, decoder, reference }: Needs,
  rollout: Rollout,
  scorer: Scorer,
  scale: RewardScale,
): Writer {
  const breathe = (): Promise<void> => context.breathe()
  return async (prompts, samples, random) => {
    const asked = prompts.flatMap((prompt) => Array.from({ length: samples }, () => prompt))
    const options = {
      maxTokens: rollout.maxTokens,
      temperature: rollout.temperature,
      endId: tokenizer.endId,
      stopIds: tokenizer.stopIds,
      modelLogProbs: rollout.temperature !== 1,
    }
    const drawn = await sampleCompletions(
      decoder,
      asked.map((prompt) => prompt.ids),
      (row) => random.fork(String(row)),
      options,
      breathe,
    )
    const rows = drawn.map(({ ids }, row): EncodedCompletion => ({
      prompt: asked[row]!.ids,
      completion: ids,
      text: tokenizer.decode(ids),
    })) // one each
    const rawRewards = await scorer.score(
      rows.map((row, at) => ({
        prompt: asked[at]!.content,
        completion: format.written(row.text, asked[at]!.content),
      })),
      breathe,
    ) // one each
    const known = await reference!.use((policy) => completionLogProbs(policy, rows, tokenizer.padId, breathe)) // checked when opened
    const referenceOf = new Map(rows.map((row, at) => [row, known[at] ?? new Float32Array(0)]))
    return prompts.map((prompt, at): Written => {
      const own = chunkOf(rows, at, samples)
      const raw = chunkOf(rawRewards, at, samples)
      const completions = chunkOf(drawn, at, samples).map((one) => ({
        tokens: one.ids.length,
        ended: one.ended,
        logProbs: rollout.temperature === 1 ? one.logProbs : one.modelLogProbs,
      }))
      const penalty = (of: number): number => (completions[of]!.ended ? 0 : (rollout.missingEosPenalty ?? 0))
      const rewards = raw.map((reward, of) => applyScale(reward - penalty(of), scale)) // one each
      return {
        encoded: { promptText: prompt.text, completions: own, rewards, weight: 1 },
        written: { rewards, rawRewards: raw, completions },
        reference: (one) => referenceOf.get(one) ?? new Float32Array(0),
      }
    })
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

function chunkOf<T>(values: readonly T[], at: number, size: number): readonly T[] {
  return values.slice(at * size, (at + 1) * size)
}

function sum(values: Iterable<number>): number {
  let total = 0
  for (const value of values) total += value
  return total
}
