import type { QuestionOf } from '../../base/processes/worker-questions.ts'
import { toText, type Content } from '../../../shared/data-kinds.ts'
import { createRandom } from '../../core/learn/random.ts'
import { sampleTexts } from '../../core/learn/sampling/sample-text.ts'
import { promptRoom } from '../../core/learn/tokens/text-format.ts'
import { everySoOften } from '../every-so-often.ts'
import { openWriter } from '../generator/generate-model.ts'
import type { MatchPrompt } from './prompts.ts'

type Question = QuestionOf<'match'>

export interface PlayerAnswer {
  readonly text: string
  /** As the data hold completions: text, or turns. */
  readonly content: Content
  readonly tokens: number | null
  /** Null for an answer of the data. */
  readonly ended: boolean | null
}

/** Of a model that says nothing of how far it reads. */
const USUAL_LENGTH = 2048

/**
 * Answers to each prompt, one after the other. The random numbers of an answer come from seed, prompt and sample alone, the same for
 * both players: a model against itself ties everywhere. @returns [prompt · samples + sample]
 */
export async function writeAnswers(
  player: Question['players'][0],
  prompts: readonly MatchPrompt[],
  { samples, seed, settings }: Pick<Question, 'samples' | 'seed' | 'settings'>,
  breathe: () => Promise<void>,
  tell: (done: number, total: number) => void,
): Promise<readonly PlayerAnswer[]> {
  if (player.kind === 'data')
    return prompts.flatMap((prompt) => {
      const content = prompt[player.answers]! // prompts without one were left out
      return Array.from({ length: samples }, () => ({ text: toText(content), content, tokens: null, ended: null }))
    })
  const { decoder, language } = await openWriter(player.model)
  const { tokenizer, format } = language
  const longest = Math.min(player.maxLength ?? USUAL_LENGTH, decoder.config.maxPositions ?? Infinity)
  const room = promptRoom(format, longest, settings.maxTokens)
  const asked = prompts.flatMap((prompt) => Array.from({ length: samples }, () => prompt))
  const ids = new Map(prompts.map((prompt) => [prompt, format.prompt(prompt.content, room)]))
  const random = createRandom(seed).fork('match')
  const told = everySoOften((count) => tell(count, asked.length))
  let done = 0
  const completions = await sampleTexts(
    decoder,
    tokenizer,
    asked.map((prompt) => ids.get(prompt)!), // of every prompt
    (row) => random.fork(`prompt ${Math.floor(row / samples)}`).fork(`sample ${row % samples}`),
    { ...settings, topK: 0, minP: 0, repetitionPenalty: 1, endId: tokenizer.endId, stopIds: tokenizer.stopIds },
    {
      breathe,
      onToken(_row, token) {
        if (!token.last) return
        done += 1
        told(done)
      },
    },
  )
  decoder.dispose()
  return completions.map(({ text, ids: drawn, ended }, row) => ({
    text,
    content: format.written(text, asked[row]!.content), // one each
    tokens: drawn.length,
    ended,
  }))
}
