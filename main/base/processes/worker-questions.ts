// What a worker can be asked in one question and one answer: `<worker> ask <name>`. The question is a line of JSON on its
// standard input, which stays open: when it closes, whoever asked is gone, and so is the worker. Answers are lines of JSON.
import { z } from 'zod'
import { banditReport, reproductionReport } from '../../../shared/contract/papers.ts'
import { engineName } from '../../../shared/domain.ts'
import { wireError } from '../../../shared/errors.ts'

const engine = { engine: engineName, enginesFolder: z.string() }

export const workerQuestions = {
  /** Golden vectors of a folder against our own functions. */
  golden: {
    question: z.strictObject({ folder: z.string(), ...engine }),
    answer: z.strictObject({
      report: z.looseObject({ passed: z.int(), failed: z.int(), notCovered: z.int() }),
      text: z.string(),
    }),
  },
  /** One experiment of main/core/experiments.ts. `text` is the report for a terminal. */
  reproduce: {
    question: z.strictObject({
      id: z.string(),
      form: z.enum(['quick', 'full']),
      seedCount: z.int().positive().nullable(),
      ...engine,
    }),
    answer: z.strictObject({ report: reproductionReport, device: z.string(), text: z.string() }),
  },
  /** Texts as vectors, a float32 matrix in NumPy's format at `out`. */
  embed: {
    question: z.strictObject({
      folder: z.string(),
      texts: z.array(z.string()),
      prompt: z.string().nullable(),
      out: z.string(),
      ...engine,
    }),
    answer: z.strictObject({ dim: z.int(), cutCount: z.int(), maxTokens: z.int().nullable() }),
  },
  /** CoPG §5.1 with exact gradients, for the Papers page. */
  bandit: { question: z.strictObject({}), answer: banditReport },
} as const

export type WorkerQuestion = keyof typeof workerQuestions
export type QuestionOf<N extends WorkerQuestion> = z.infer<(typeof workerQuestions)[N]['question']>
export type AnswerOf<N extends WorkerQuestion> = z.infer<(typeof workerQuestions)[N]['answer']>

export const questionName = z.enum(Object.keys(workerQuestions) as [WorkerQuestion, ...WorkerQuestion[]])

/** Notes in words as it goes, then one of the two others. */
export const workerMessage = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('note'), text: z.string() }),
  z.strictObject({ type: z.literal('answer'), answer: z.unknown() }),
  z.strictObject({ type: z.literal('failed'), error: wireError }),
])
export type WorkerMessage = z.infer<typeof workerMessage>
