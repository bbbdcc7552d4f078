import type { SampleItem } from '../../../../shared/contract/runs.ts'
import type { Content } from '../../../../shared/data-kinds.ts'
import type { EncodedCompletion } from '../../../core/learn/tokens/encode-rows.ts'
import type { Decoder } from '../../../core/learn/models/decoder.ts'
import { createRandom } from '../../../core/learn/random.ts'
import { sampleCompletions } from '../../../core/learn/sampling/sample.ts'
import { mean } from '../../../../shared/statistics/intervals.ts'
import { finiteOrNull } from '../metric-buffer.ts'
import { alone, withMean, withShare } from '../intervals.ts'
import { promptRoom } from '../../../core/learn/tokens/text-format.ts'
import { openScorer, type ScoredText, type Scorer } from './scoring.ts'
import { completionLogProbs } from '../../../core/learn/completion-log-probs.ts'
import type { Session } from './text-session.ts'
import { sizeOf } from './training-data.ts'

export interface Sampling {
  readonly items: readonly SampleItem[]
  readonly metrics: Readonly<Record<string, number>>
}

export interface Sampler {
  /** Completes the fixed prompts with the weights as they are. */
  sample(): Promise<Sampling>
  dispose(): void
}

interface Prompt {
  readonly pairId: string
  readonly text: string
  readonly content: Content
  readonly ids: readonly number[]
}

/**
 * Samples at held-out prompts, always the same prompts with the same random numbers, so that what changes is the
 * policy. With a judge each gets a reward; beside a reference also the log-ratio to where training began, and a win or a loss
 * against what was written there.
 */
export async function openSampler(session: Session): Promise<Sampler | null> {
  const { context, algorithm } = session
  const prompts = algorithm.role === 'policy' ? fixedPrompts(session) : []
  if (prompts.length === 0) return null
  const judge =
    context.spec.judge === null ? null : await openScorer(context, context.spec.judge.source, context.spec.judge.path)
  const baseline = judge === null || session.reference === null ? null : await baselineRewards(session, prompts, judge)
  return {
    async sample() {
      const drawn = await draw(session, session.decoder, prompts)
      const rewards =
        judge === null ? null : await judge.score(scoredTexts(session, prompts, drawn), () => context.breathe()) // one each
      const ratios = await logRatios(session, drawn)
      const items = drawn.map((one, at): SampleItem => ({
        promptIndex: at,
        pairId: prompts[at]!.pairId, // one each
        prompt: prompts[at]!.text,
        completion: one.text,
        tokens: one.completion.length,
        reward: finiteOrNull(rewards?.[at]),
        logRatio: finiteOrNull(ratios?.[at]),
      }))
      return { items, metrics: sampleMetrics(drawn, rewards, ratios, baseline) }
    },
    dispose: () => judge?.dispose(),
  }
}

/** From the validation side if it has any: nothing is learned from what is shown. */
function fixedPrompts({ context, sets, format }: Session): Prompt[] {
  const { samplePrompts, maxLength, sampleTokens } = context.spec.training
  const source = [sets.validation, sets.test, sets.train].find((set) => sizeOf(set) > 0)
  const room = promptRoom(format, maxLength, sampleTokens)
  const seen = new Map<string, Prompt>()
  for (const pair of [...(source?.pairs ?? []), ...(source?.answers ?? [])]) {
    if (seen.size >= samplePrompts) break
    if (seen.has(pair.promptText)) continue
    seen.set(pair.promptText, {
      pairId: pair.pairId,
      text: pair.promptText,
      content: pair.contents.prompt,
      ids: format.prompt(pair.contents.prompt, room),
    })
  }
  return [...seen.values()]
}

async function draw(
  { context, tokenizer }: Session,
  decoder: Decoder,
  prompts: readonly Prompt[],
): Promise<EncodedCompletion[]> {
  const { sampleTokens, sampleTemperature } = context.spec.training
  const random = createRandom(context.spec.seed).fork('samples')
  const drawn = await sampleCompletions(
    decoder,
    prompts.map((prompt) => prompt.ids),
    (at) => random.fork(String(at)),
    { maxTokens: sampleTokens, temperature: sampleTemperature, endId: tokenizer.endId, stopIds: tokenizer.stopIds },
    () => context.breathe(),
  )
  return drawn.map(({ ids }, at) => ({ prompt: prompts[at]!.ids, completion: ids, text: tokenizer.decode(ids) })) // one each
}

function scoredTexts(
  { format }: Session,
  prompts: readonly Prompt[],
  drawn: readonly EncodedCompletion[],
): ScoredText[] {
  return drawn.map(({ text }, at) => {
    const { content } = prompts[at]! // one each
    return { prompt: content, completion: format.written(text, content) }
  })
}

async function baselineRewards(session: Session, prompts: readonly Prompt[], judge: Scorer): Promise<number[] | null> {
  const breathe = (): Promise<void> => session.context.breatheOrStop()
  if (session.reference === null) return null
  return session.reference.useFirst(async (reference) => {
    const drawn = await draw(session, reference, prompts)
    return judge.score(scoredTexts(session, prompts, drawn), breathe) // one each
  })
}

/** Σ log π − log π₀ over each completion, at temperature 1; π₀ is the policy that training began with. */
async function logRatios(session: Session, rows: readonly EncodedCompletion[]): Promise<number[] | null> {
  const { context, tokenizer, decoder } = session
  const breathe = (): Promise<void> => context.breathe()
  if (session.reference === null) return null
  const sum = (values: Float32Array): number => values.reduce((total, value) => total + value, 0)
  const own = await completionLogProbs(decoder, rows, tokenizer.padId, breathe)
  const other = await session.reference.useFirst((reference) =>
    completionLogProbs(reference, rows, tokenizer.padId, breathe),
  )
  return own.map((values, at) => sum(values) - sum(other[at]!)) // one each
}

function sampleMetrics(
  drawn: readonly EncodedCompletion[],
  rewards: readonly number[] | null,
  ratios: readonly number[] | null,
  baseline: readonly number[] | null,
): Record<string, number> {
  const metrics: Record<string, number> = {
    'eval/samples/tokens': mean(drawn.map((one) => one.completion.length)),
  }
  if (ratios !== null) metrics['eval/samples/kl'] = mean(ratios)
  if (rewards !== null) Object.assign(metrics, withMean('eval/samples/reward', rewards))
  if (rewards !== null && baseline !== null) {
    const wins = rewards.map((reward, at) => (reward > baseline[at]! ? 1 : reward === baseline[at] ? 0.5 : 0)) // one each
    Object.assign(metrics, withShare('eval/samples/win_rate', alone(wins)))
  }
  return metrics
}
