// A language model as judge (Zheng et al., 2306.05685): it is asked which of two answers is better, in both orders, since many take
// whichever stands first. Its word is the likelier of two next tokens, so that it always decides and nothing is drawn.
import { toText } from '../../../shared/data-kinds.ts'
import { AppError } from '../../../shared/errors.ts'
import { completionLogProbs } from '../../core/learn/completion-log-probs.ts'
import type { EncodedCompletion } from '../../core/learn/tokens/encode-rows.ts'
import type { GenerateStart } from '../../base/processes/generator-protocol.ts'
import { openWriter } from '../generator/generate-model.ts'
import type { JudgedPair, MatchJudge, PairToJudge } from './match-judge.ts'

const LONGEST = 2048
/** Of a question, and of each answer: what is longer is cut at its end, for both alike. */
const CHARACTERS = 1800
const CHUNK = 8

/** @throws AppError `model-unsupported` where the two words begin with the same token */
export async function openModelJudge(model: GenerateStart['model'], breathe: () => Promise<void>): Promise<MatchJudge> {
  const { decoder, language } = await openWriter(model)
  const { tokenizer, format } = language
  const longest = Math.min(LONGEST, decoder.config.maxPositions ?? Infinity)

  /** The prompt, and the first token of the word after it. */
  function row(question: string, word: 'A' | 'B'): EncodedCompletion {
    const { prompt, completion } = format.row(question, word, longest)
    return { prompt, completion: completion.slice(0, 1), text: word }
  }
  if (row('?', 'A').completion[0] === row('?', 'B').completion[0])
    throw new AppError({
      code: 'model-unsupported',
      message: 'The judge’s tokenizer writes the answers A and B with the same first token.',
      hint: 'Choose another model as judge.',
    })

  /** P(the first answer), given that one of the two is said. */
  async function firstOf(questions: readonly string[]): Promise<number[]> {
    const rows = questions.flatMap((question) => [row(question, 'A'), row(question, 'B')])
    const logProbs = await completionLogProbs(decoder, rows, tokenizer.padId, breathe)
    return questions.map((_question, at) => 1 / (1 + Math.exp(logProbs[2 * at + 1]![0]! - logProbs[2 * at]![0]!))) // two each
  }

  return {
    async decide(pairs, tell) {
      const judged: JudgedPair[] = []
      for (let at = 0; at < pairs.length; at += CHUNK) {
        const chunk = pairs.slice(at, at + CHUNK)
        const straight = await firstOf(chunk.map((pair) => asked(pair, false)))
        const swapped = await firstOf(chunk.map((pair) => asked(pair, true)))
        chunk.forEach((_pair, index) => judged.push(decided(straight[index]!, swapped[index]!))) // one each
        tell(judged.length, pairs.length)
      }
      return judged
    },
    dispose: () => decoder.dispose(),
  }
}

/** @param straight P(first) where our answer stands first   @param swapped the same where it stands second */
export function decided(straight: number, swapped: number): JudgedPair {
  const taken = (p: number): number => (p > 0.5 ? 1 : p < 0.5 ? 0 : 0.5)
  const [one, other] = [taken(straight), taken(swapped)]
  // Won in both orders, lost in both, or a tie.
  const outcome = one === 1 && other === 0 ? 1 : one === 0 && other === 1 ? 0 : 0.5
  return { outcome, scores: null, firstTaken: [one, other] }
}

export function asked({ prompt, answers }: PairToJudge, swapped: boolean): string {
  const [first, second] = swapped ? [answers[1], answers[0]] : answers
  const cut = (text: string): string => (text.length <= CHARACTERS ? text : `${text.slice(0, CHARACTERS)} …`)
  return [
    'Here are a question and two answers to it. Which answer is better?',
    `Question:\n${cut(toText(prompt))}`,
    `Answer A:\n${cut(toText(first))}`,
    `Answer B:\n${cut(toText(second))}`,
    'Say A or B, and nothing else.',
  ].join('\n\n')
}
