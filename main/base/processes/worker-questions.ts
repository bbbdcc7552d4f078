// What a worker can be asked in one question and one answer: `<worker> ask <name>`. The question is a line of JSON on its
// standard input, which stays open: when it closes, whoever asked is gone, and so is the worker. Answers are lines of JSON.
import { z } from 'zod'
import { collectSettings } from '../../../shared/collecting.ts'
import { banditReport, reproductionReport } from '../../../shared/contract/papers.ts'
import { engineName } from '../../../shared/domain.ts'
import { wireError } from '../../../shared/errors.ts'
import { rewardSource } from '../../../shared/run-spec.ts'
import { generateStart } from './generator-protocol.ts'

const engine = { engine: engineName, enginesFolder: z.string() }

const writerModel = generateStart.shape.model

const matchPlayer = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('model'),
    model: writerModel,
    /** Longest row that it was trained on; null: as long as the model reads. */
    maxLength: z.int().nullable(),
    /** What it was trained on here, to see whether it knows the prompts; null where nothing is known. */
    trainedOn: z.strictObject({ path: z.string(), hash: z.string() }).nullable(),
  }),
  z.strictObject({ kind: z.literal('data'), answers: z.enum(['chosen', 'rejected']) }),
])

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
  /** Two players answer the same prompts and are judged; a line of JSON for each bout at `out`. */
  match: {
    question: z.strictObject({
      players: z.tuple([matchPlayer, matchPlayer]),
      judge: z.discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('rule'), source: rewardSource }),
        z.strictObject({ kind: z.literal('reward-model'), path: z.string(), maxLength: z.int() }),
        z.strictObject({ kind: z.literal('model'), model: writerModel }),
        z.strictObject({ kind: z.literal('nobody') }),
      ]),
      view: z.strictObject({ path: z.string(), hash: z.string() }),
      side: z.enum(['validation', 'test']),
      prompts: z.int(),
      samples: z.int(),
      settings: z.strictObject({ temperature: z.number(), topP: z.number(), maxTokens: z.int() }),
      seed: z.int(),
      cacheFolder: z.string(),
      out: z.string(),
      ...engine,
    }),
    answer: z.strictObject({
      device: z.string(),
      available: z.int(),
      used: z.int(),
      /** Outcomes of labeled pairs under the judge: 1 where it decides as people did. */
      agreement: z.array(z.strictObject({ value: z.number(), weight: z.number(), cluster: z.string() })),
      position: z.strictObject({ first: z.number(), consistent: z.number() }).nullable(),
      /** Prompts, of those used, that a run was trained on, by player. */
      trainedOn: z.tuple([z.int(), z.int()]),
    }),
  },
  /** A published benchmark's own files, read and measured. */
  benchmark: {
    question: z.strictObject({
      model: z.discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('reward-model'), path: z.string(), maxLength: z.int() }),
        z.strictObject({ kind: z.literal('embedder'), path: z.string(), prompt: z.string().nullable() }),
      ]),
      place: z.string(),
      cacheFolder: z.string(),
      ...engine,
    }),
    answer: z.strictObject({
      device: z.string(),
      found: z.discriminatedUnion('kind', [
        z.strictObject({
          kind: z.literal('rewards'),
          subsets: z.array(
            z.strictObject({
              subset: z.string(),
              items: z.int(),
              score: z.number(),
              low: z.number().nullable(),
              high: z.number().nullable(),
              parts: z.record(z.string(), z.number()).nullable(),
            }),
          ),
          mean: z.number(),
        }),
        z.strictObject({
          kind: z.literal('vectors'),
          tasks: z.array(
            z.strictObject({
              type: z.string(),
              split: z.string(),
              texts: z.int(),
              cutCount: z.int(),
              scores: z.record(z.string(), z.number()),
              seconds: z.number(),
            }),
          ),
        }),
      ]),
    }),
  },
  /** Policies act in a world; pairs of segments as items of a data set, a line of JSON each, at `out`. */
  collect: {
    question: z.strictObject({ settings: collectSettings, checkpoint: z.string().nullable(), out: z.string() }),
    answer: z.strictObject({ pairs: z.int() }),
  },
  /** What such a collection takes here, in milliseconds a step: acted, acted out to judge, written. */
  'collect-pace': {
    question: z.strictObject({ settings: collectSettings, checkpoint: z.string().nullable() }),
    answer: z.strictObject({ stepMs: z.number(), valueStepMs: z.number(), writtenStepMs: z.number() }),
  },
  /** CoPG §5.1 with exact gradients, for the Papers page. */
  bandit: { question: z.strictObject({}), answer: banditReport },
} as const

export type WorkerQuestion = keyof typeof workerQuestions
export type QuestionOf<N extends WorkerQuestion> = z.infer<(typeof workerQuestions)[N]['question']>
export type AnswerOf<N extends WorkerQuestion> = z.infer<(typeof workerQuestions)[N]['answer']>

export const questionName = z.enum(Object.keys(workerQuestions) as [WorkerQuestion, ...WorkerQuestion[]])

/** Notes in words and counts as it goes, then one of the two others. */
export const workerMessage = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('note'), text: z.string() }),
  z.strictObject({ type: z.literal('progress'), phase: z.string(), done: z.int() }),
  z.strictObject({ type: z.literal('answer'), answer: z.unknown() }),
  z.strictObject({ type: z.literal('failed'), error: wireError }),
])
export type WorkerMessage = z.infer<typeof workerMessage>
