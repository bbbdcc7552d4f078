import { z } from 'zod'
import { splitName } from '../data-kinds.ts'
import { datasetId, runId } from '../domain.ts'
import { call, importedFile } from './define.ts'

export const queryRow = z.strictObject({
  index: z.int(),
  queryId: z.string(),
  /** '' where documents are features and the query has no text. */
  text: z.string(),
  split: splitName,
  /** Documents that were judged, and how many of them have a grade above 0. */
  judged: z.int(),
  relevant: z.int(),
})
export type QueryRow = z.infer<typeof queryRow>

/** A document as lists show it. */
export const shownDocument = z.strictObject({
  docId: z.string(),
  /** '' where there is none. */
  title: z.string(),
  /** Its beginning. */
  text: z.string(),
  /** There is more of the text than this. */
  cut: z.boolean(),
})
export type ShownDocument = z.infer<typeof shownDocument>

export const judgedOrder = z.strictObject({
  /** The first places. */
  rows: z.array(
    shownDocument.extend({
      /** From 1. */
      rank: z.int(),
      score: z.number(),
      /** Null where nobody judged it. */
      grade: z.number().nullable(),
      /** Its place in the other order that was asked for; null where it has none there. */
      otherRank: z.int().nullable(),
    }),
  ),
  /** Documents in the order. */
  total: z.int(),
  /** With linear gain, the ideal holding every judged document. Null where no document is relevant. */
  ndcg10: z.number().nullable(),
  /** Where the judged documents are; null where the order does not have one. */
  judged: z.array(z.strictObject({ docId: z.string(), rank: z.int().nullable() })),
})
export type JudgedOrder = z.infer<typeof judgedOrder>

const at = { datasetId, index: z.int().nonnegative() }
const page = { offset: z.int().nonnegative().default(0), limit: z.int().min(1).max(200).default(50) }

export const rankingCalls = {
  /** A BEIR folder, or a LETOR feature file or a folder of them (train, vali, test). The split is kept as given. */
  'rankings.import': call(z.strictObject(importedFile), z.strictObject({ datasetId })),
  /** `search` in ids and texts, whatever the case. */
  'rankings.queries': call(
    z.strictObject({
      datasetId,
      ...page,
      search: z.string().max(1000).default(''),
      side: splitName.nullable().default(null),
    }),
    z.strictObject({ total: z.int(), rows: z.array(queryRow) }),
  ),
  /** One query with its judgments, best grade first. */
  'rankings.query': call(
    z.strictObject(at),
    queryRow.extend({
      judgments: z.array(z.strictObject({ docId: z.string(), grade: z.number() })),
      /** Its documents are numbers, without a text. */
      features: z.boolean(),
    }),
  ),
  /** The documents that belong to the queries: 0 where they are features. Reads the collection the first time. */
  'rankings.collection': call(z.strictObject({ datasetId }), z.strictObject({ documents: z.int() })),
  /** Documents by id; those that are not in the collection are left out. */
  'rankings.documents': call(
    z.strictObject({ datasetId, docIds: z.array(z.string()).max(200) }),
    z.array(shownDocument),
  ),
  /** A whole document, and the queries for which it was judged. */
  'rankings.document': call(
    z.strictObject({ datasetId, docId: z.string() }),
    z.strictObject({
      docId: z.string(),
      title: z.string(),
      text: z.string(),
      judgedFor: z.array(z.strictObject({ index: z.int(), queryId: z.string(), text: z.string(), grade: z.number() })),
    }),
  ),
  /** Documents whose id, title or text holds `search`, in the order of the collection. */
  'rankings.find': call(
    z.strictObject({ datasetId, ...page, search: z.string().max(1000).default('') }),
    z.strictObject({ total: z.int(), rows: z.array(shownDocument) }),
  ),
  /**
   * The collection's order for a query by BM25, as training takes its candidates, and beside it the order that a run gave
   * when it was measured. Both null where neither was asked for; a run has an order of the held-out queries alone.
   */
  'rankings.orders': call(
    z.strictObject({
      ...at,
      bm25: z.boolean().default(true),
      runId: runId.nullable().default(null),
      limit: z.int().min(1).max(200).default(20),
    }),
    z.strictObject({
      bm25: judgedOrder.nullable(),
      run: judgedOrder.nullable(),
      /** Under which weights the run ranked: of the step that validation chose, or of its last step. */
      weights: z.enum(['best', 'last']).nullable(),
    }),
  ),
  /** Runs on these data that kept how they ranked, newest first. */
  'rankings.rankers': call(
    z.strictObject({ datasetId }),
    z.array(z.strictObject({ runId, name: z.string(), seed: z.int(), methodName: z.string() })),
  ),
  /** Ends what is being read of a collection: what waits for it is answered with `cancelled`. */
  'rankings.cancel': call(z.strictObject({ datasetId }), z.null()),
} as const

/** How far the reading of a collection is, for who waits for it. */
export const collectionProgress = z.strictObject({
  datasetId: z.string(),
  doing: z.enum(['documents', 'search', 'bm25', 'run']),
  /** Bytes. */
  done: z.number(),
  total: z.number(),
})
