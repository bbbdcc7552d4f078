// What the policy writes, and what a reward makes of it.
import type { Content } from '../../../../shared/data-kinds.ts'
import type { EncodedGroup } from '../../../core/learn/batches.ts'
import { completionLogProbs } from '../../../core/learn/completion-log-probs.ts'
import type { Algorithm, Rollout } from '../../../core/learn/define.ts'
import type { Decoder } from '../../../core/learn/models/decoder.ts'
import type { Random } from '../../../core/learn/random.ts'
import { applyScale, type RewardScale } from '../../../core/learn/rewards.ts'
import type { WrittenGroup } from '../../../core/learn/sampling/rollout.ts'
import { sampleCompletions } from '../../../core/learn/sampling/sample.ts'
import type { EncodedCompletion, EncodedRowPair } from '../../../core/learn/tokens/encode-rows.ts'
import { promptRoom, type TextFormat } from '../../../core/learn/tokens/text-format.ts'
import type { Tokenizer } from '../../../core/learn/tokens/tokenizer.ts'
import type { RunContext } from '../run-context.ts'
import type { Reference } from './reference.ts'
import type { Scorer } from './scoring.ts'
import type { PairSets } from './training-data.ts'

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
export interface Needs {
  readonly context: RunContext
  readonly algorithm: Algorithm
  readonly config: unknown
  readonly tokenizer: Tokenizer
  readonly format: TextFormat
  readonly decoder: Decoder
  readonly sets: PairSets
  readonly reference: Reference | null
}

/** A prompt's completions. */
export interface Written {
  readonly encoded: EncodedGroup
  readonly written: WrittenGroup
  /** Log-probs of its tokens under the reference; none where there is no reference. */
  reference(one: EncodedCompletion): Float32Array
}

export type Writer = (prompts: readonly RolloutPrompt[], samples: number, random: Random) => Promise<readonly Written[]>

export function createWriter(
  { context, tokenizer, format, decoder, reference }: Needs,
  rollout: Pick<Rollout, 'maxTokens' | 'temperature' | 'missingEosPenalty'>,
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
    const known = (await reference?.use((policy) => completionLogProbs(policy, rows, tokenizer.padId, breathe))) ?? []
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

function chunkOf<T>(values: readonly T[], at: number, size: number): readonly T[] {
  return values.slice(at * size, (at + 1) * size)
}
