// One policy against another: both answer the same prompts, one after the other, and then a judge reads what they wrote. One model
// is in memory at a time.
import { writeNewFile } from '../../base/files/durable.ts'
import type { AnswerOf, QuestionOf } from '../../base/processes/worker-questions.ts'
import { toText } from '../../../shared/data-kinds.ts'
import { AppError } from '../../../shared/errors.ts'
import type { MatchBout } from '../../../shared/contract/matches.ts'
import { openEngine } from '../engine/choose.ts'
import { readViewFile } from '../trainer/text/view-file.ts'
import { openJudge } from './judge.ts'
import type { JudgedPair, MatchJudge } from './match-judge.ts'
import { promptsOf, trainedPrompts, type MatchPrompt } from './prompts.ts'
import { writeAnswers, type PlayerAnswer } from './write-answers.ts'

/** Labeled pairs on which a judge is set against people. */
const CHECKED_PAIRS = 200

type Question = QuestionOf<'match'>

export async function answerMatch(question: Question, say: (text: string) => void): Promise<AnswerOf<'match'>> {
  const engine = await openEngine(question.engine, { enginesFolder: question.enginesFolder })
  const breathe = async (): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve))
    const trouble = engine.trouble?.() ?? null
    if (trouble !== null) throw trouble
  }
  const { prompts, available, labeled } = promptsOf(
    await readViewFile(question.view.path, question.view.hash),
    question,
  )
  if (prompts.length === 0)
    throw new AppError({
      code: 'dataset-invalid',
      message: `The ${question.side} side of the data has no prompt that both players can answer.`,
      hint: 'Choose the other side, or data with a side that is held out.',
    })
  const written: (readonly PlayerAnswer[])[] = []
  for (const [at, player] of question.players.entries())
    written.push(
      await writeAnswers(player, prompts, question, breathe, (done, total) =>
        say(`${at === 0 ? 'First' : 'Second'} player: ${done} of ${total} answers`),
      ),
    )
  const pairs = pairsOf(prompts, question.samples, written as [readonly PlayerAnswer[], readonly PlayerAnswer[]]) // two players
  const judge = await openJudge(question, breathe)
  const judged = judge === null ? null : await judgeAll(judge, pairs, say)
  const agreement = judge === null ? [] : await agreementOf(judge, labeled.slice(0, CHECKED_PAIRS), say)
  judge?.dispose()
  writeNewFile(
    question.out,
    pairs
      .map(({ prompt, sample, answers }, at): MatchBout => {
        const found = judged?.[at]
        const answerOf = (side: 0 | 1): MatchBout['answers'][0] => {
          const { content: _content, ...told } = answers[side]
          return { ...told, score: found?.scores?.[side] ?? null }
        }
        return { prompt: prompt.text, sample, answers: [answerOf(0), answerOf(1)], outcome: found?.outcome ?? null }
      })
      .map((bout) => `${JSON.stringify(bout)}\n`)
      .join(''),
  )
  const { device } = engine
  await engine.dispose()
  return {
    device,
    available,
    used: prompts.length,
    agreement,
    position: positionOf(judged),
    trainedOn: [await countTrained(question.players[0], prompts), await countTrained(question.players[1], prompts)],
  }
}

interface PlayedPair {
  readonly prompt: MatchPrompt
  readonly sample: number
  readonly answers: readonly [PlayerAnswer, PlayerAnswer]
}

function pairsOf(
  prompts: readonly MatchPrompt[],
  samples: number,
  [ours, theirs]: readonly [readonly PlayerAnswer[], readonly PlayerAnswer[]],
): PlayedPair[] {
  return prompts.flatMap((prompt, at) =>
    Array.from({ length: samples }, (_none, sample): PlayedPair => {
      const row = at * samples + sample
      return { prompt, sample, answers: [ours[row]!, theirs[row]!] } // one each
    }),
  )
}

async function judgeAll(
  judge: MatchJudge,
  pairs: readonly PlayedPair[],
  say: (text: string) => void,
): Promise<readonly JudgedPair[]> {
  return judge.decide(
    pairs.map(({ prompt, answers }) => ({
      prompt: prompt.content,
      answers: [answers[0].content, answers[1].content],
    })),
    (done, total) => say(`Judge: ${done} of ${total} pairs`),
  )
}

async function agreementOf(
  judge: MatchJudge,
  labeled: ReturnType<typeof promptsOf>['labeled'],
  say: (text: string) => void,
): Promise<AnswerOf<'match'>['agreement']> {
  if (labeled.length === 0) return []
  const decided = await judge.decide(
    labeled.map(({ prompt, a, b }) => ({ prompt, answers: [a, b] })),
    (done, total) => say(`Judge against people: ${done} of ${total} pairs`),
  )
  return labeled.map(({ prompt, preferenceA, weight }, at) => {
    const { outcome } = decided[at]! // one each
    return { value: preferenceA > 0.5 ? outcome : 1 - outcome, weight, cluster: toText(prompt) }
  })
}

function positionOf(judged: readonly JudgedPair[] | null): AnswerOf<'match'>['position'] {
  const asked = judged?.flatMap(({ firstTaken }) => (firstTaken === null ? [] : [firstTaken])) ?? []
  if (asked.length === 0) return null
  const sum = asked.reduce((total, [one, other]) => total + one + other, 0)
  // Who takes the first in one order and the second in the other means the same answer.
  const same = asked.filter(([one, other]) => one + other === 1 && one !== 0.5).length
  return { first: sum / (2 * asked.length), consistent: same / asked.length }
}

async function countTrained(player: Question['players'][0], prompts: readonly MatchPrompt[]): Promise<number> {
  if (player.kind === 'data' || player.trainedOn === null) return 0
  const known = await trainedPrompts(player.trainedOn)
  return prompts.filter(({ text }) => known.has(text)).length
}
