import { z } from 'zod'
import { splitName } from '../data-kinds.ts'
import { datasetId } from '../domain.ts'
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

export const rankingCalls = {
  /** A BEIR folder, or a LETOR feature file or a folder of them (train, vali, test). The split is kept as given. */
  'rankings.import': call(z.strictObject(importedFile), z.strictObject({ datasetId })),
  /** Queries with their judged documents, best grade first. Texts of documents are cut. */
  'rankings.queries': call(
    z.strictObject({ datasetId, offset: z.int().nonnegative().default(0), limit: z.int().min(1).max(200).default(50) }),
    z.strictObject({ total: z.int(), documents: z.int(), rows: z.array(judgedRow) }),
  ),
} as const
