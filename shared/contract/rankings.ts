import { z } from 'zod'
import { splitName } from '../data-kinds.ts'
import { datasetId, runId } from '../domain.ts'
import { call, importedFile } from './define.ts'

export const judgedRow = z.strictObject({
  index: z.int(),
  queryId: z.string(),
  /** '' where documents are features and the query has no text. */
  text: z.string(),
  /** Null: drawn when a run is made. */
  split: splitName.nullable(),
  judgments: z.array(
    z.strictObject({
      docId: z.string(),
      grade: z.number(),
      /** Null for a document that is not in the collection, or is features. */ title: z.string().nullable(),
      text: z.string().nullable(),
    }),
  ),
})
export type JudgedRow = z.infer<typeof judgedRow>

/** What a run keeps of each held-out query. */
export const rankingMeasure = z.enum(['ndcg', 'ndcg_exp', 'mrr', 'recall', 'first_stage_ndcg'])

export const rankingCalls = {
  /** A BEIR folder, or a LETOR feature file or a folder of them (train, vali, test). The split is kept as given. */
  'rankings.import': call(z.strictObject(importedFile), z.strictObject({ datasetId })),
  /** Queries with their judged documents, best grade first. Texts of documents are cut. */
  'rankings.queries': call(
    z.strictObject({ datasetId, offset: z.int().nonnegative().default(0), limit: z.int().min(1).max(200).default(50) }),
    z.strictObject({ total: z.int(), documents: z.int(), rows: z.array(judgedRow) }),
  ),
  /** Two rankers on the same queries, paired query by query: b − a with a bootstrap interval over queries. */
  'rankings.compare': call(
    z.strictObject({
      a: runId,
      b: runId,
      side: z.enum(['validation', 'test']).default('test'),
      /** `best`: under the checkpoint that the validation side chose, of the test side alone. */
      at: z.enum(['best', 'last']).default('best'),
      measure: rankingMeasure.default('ndcg'),
    }),
    z.strictObject({
      meanA: z.number(),
      meanB: z.number(),
      difference: z.number(),
      low: z.number().nullable(),
      high: z.number().nullable(),
      better: z.int(),
      worse: z.int(),
      equal: z.int(),
      items: z.array(z.strictObject({ queryId: z.string(), a: z.number(), b: z.number() })),
    }),
  ),
} as const
