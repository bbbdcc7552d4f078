// `entry.ts ask <name>`: one question, one answer. See main/base/processes/worker-questions.ts.
import { createInterface } from 'node:readline'
import { toWire } from '../../shared/errors.ts'
import {
  questionName,
  workerQuestions,
  type AnswerOf,
  type QuestionOf,
  type WorkerMessage,
  type WorkerQuestion,
} from '../base/processes/worker-questions.ts'
import { systemError } from '../base/files/system-error.ts'
import { nameMemoryFailure } from './memory-failure.ts'

type Say = (text: string) => void
type Count = (phase: string, done: number) => void
type Answers = {
  readonly [N in WorkerQuestion]: (question: QuestionOf<N>, say: Say, count: Count) => Promise<AnswerOf<N>>
}

/** Each loads what it needs and no more. */
const ANSWERS: Answers = {
  golden: async (question) => (await import('./golden/answer-golden.ts')).answerGolden(question),
  reproduce: async (question, say) => (await import('./reproduce/answer-reproduce.ts')).answerReproduce(question, say),
  embed: async (question, say) => (await import('./generator/answer-embed.ts')).answerEmbed(question, say),
  match: async (question, say) => (await import('./versus/answer-match.ts')).answerMatch(question, say),
  benchmark: async (question, say) => (await import('./benchmarks/answer-benchmark.ts')).answerBenchmark(question, say),
  collect: async (question, _say, count) => (await import('./acting/answer-collect.ts')).answerCollect(question, count),
  'collect-pace': async (question) => (await import('./acting/answer-collect.ts')).answerCollectPace(question),
  bandit: async () => (await import('./reproduce/bandit-report.ts')).reportBandit(),
}

export async function answer(name: string): Promise<number> {
  try {
    const known = questionName.parse(name)
    const question = workerQuestions[known].question.parse(JSON.parse(await readQuestion()))
    const found = await (ANSWERS[known] as (question: unknown, say: Say, count: Count) => Promise<unknown>)(
      question,
      (text) => void tell({ type: 'note', text }),
      countNowAndThen(),
    ) // parsed by this very name's schema
    await tell({ type: 'answer', answer: found })
    return 0
  } catch (error) {
    console.error(error)
    const named = nameMemoryFailure(error, 'Take a smaller model, or fewer and shorter texts at once.')
    await tell({ type: 'failed', error: toWire(systemError(named)) })
    return 1
  }
}

const COUNT_MS = 200

/** Counts come with every step of the work; a few a second are told. */
function countNowAndThen(): Count {
  let [told, toldMs] = ['', 0]
  return (phase, done) => {
    if (phase === told && performance.now() - toldMs < COUNT_MS) return
    ;[told, toldMs] = [phase, performance.now()]
    void tell({ type: 'progress', phase, done })
  }
}

/** The first line. Once the input closes, nobody waits for an answer any more. */
function readQuestion(): Promise<string> {
  return new Promise((resolve) => {
    const lines = createInterface({ input: process.stdin, crlfDelay: Infinity })
    lines.once('line', resolve)
    lines.once('close', () => process.exit(1))
  })
}

/** Settles once it is written: an answer may be larger than what a pipe holds, and the process ends after it. */
function tell(message: WorkerMessage): Promise<void> {
  return new Promise((resolve) => void process.stdout.write(`${JSON.stringify(message)}\n`, () => resolve()))
}
