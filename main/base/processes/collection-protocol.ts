import { z } from 'zod'
import { judgedOrder, shownDocument } from '../../../shared/contract/rankings.ts'
import { wireError } from '../../../shared/errors.ts'

/**
 * The app and a process that keeps one collection of judged lists talk in lines of JSON: questions on its standard
 * input, messages on its standard output. It opens the records of a data set, reads them as it is asked, and ends when
 * its input does.
 */
export const collectionStart = z.strictObject({
  /** records.jsonl of the data set. */
  records: z.string(),
  /** Bytes of it that hold queries; documents follow. */
  queriesEnd: z.number(),
  memoryBytes: z.number(),
})
export type CollectionStart = z.infer<typeof collectionStart>

const judgments = z.array(z.tuple([z.string(), z.number()]))

export const collectionQuestions = {
  /** How many documents there are. */
  size: { question: z.strictObject({}), answer: z.strictObject({ documents: z.int() }) },
  /** Documents by id, their texts cut; those that are not there are left out. */
  documents: { question: z.strictObject({ docIds: z.array(z.string()) }), answer: z.array(shownDocument) },
  /** A whole document, and the queries that judged it. */
  document: {
    question: z.strictObject({ docId: z.string() }),
    answer: z
      .strictObject({
        docId: z.string(),
        title: z.string(),
        text: z.string(),
        judgedFor: z.array(
          z.strictObject({ index: z.int(), queryId: z.string(), text: z.string(), grade: z.number() }),
        ),
      })
      .nullable(),
  },
  /** Documents that hold a text, in their order. */
  find: {
    question: z.strictObject({ search: z.string(), offset: z.int(), limit: z.int() }),
    answer: z.strictObject({ total: z.int(), rows: z.array(shownDocument) }),
  },
  /** Orders of one query. */
  orders: {
    question: z.strictObject({
      queryId: z.string(),
      text: z.string(),
      judgments,
      bm25: z.boolean(),
      /** TREC run files, of which the first that has the query counts. */
      runFiles: z.array(z.string()),
      limit: z.int(),
    }),
    answer: z.strictObject({
      bm25: judgedOrder.nullable(),
      run: judgedOrder.nullable(),
      /** Place among `runFiles`. */
      runFile: z.int().nullable(),
    }),
  },
} as const

export type CollectionQuestion = keyof typeof collectionQuestions
export type CollectionAsk<N extends CollectionQuestion> = z.infer<(typeof collectionQuestions)[N]['question']>
export type CollectionAnswer<N extends CollectionQuestion> = z.infer<(typeof collectionQuestions)[N]['answer']>

export const collectionCommand = z.strictObject({
  id: z.int(),
  name: z.enum(Object.keys(collectionQuestions) as [CollectionQuestion, ...CollectionQuestion[]]),
  question: z.unknown(),
})

export const collectionMessage = z.discriminatedUnion('type', [
  /** What keeps the answers waiting, a few times a second. */
  z.strictObject({
    type: z.literal('progress'),
    doing: z.enum(['documents', 'search', 'bm25', 'run']),
    done: z.number(),
    total: z.number(),
  }),
  z.strictObject({ type: z.literal('answer'), id: z.int(), answer: z.unknown() }),
  z.strictObject({ type: z.literal('failed'), id: z.int(), error: wireError }),
])
export type CollectionMessage = z.infer<typeof collectionMessage>
export type CollectionProgress = Omit<Extract<CollectionMessage, { type: 'progress' }>, 'type'>
