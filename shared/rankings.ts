import { z } from 'zod'

/** A query and what its judges say of documents of the collection, which follow the items as `document` lines. */
export const judgedQuery = z.strictObject({
  kind: z.literal('query'),
  text: z.string(),
  /** Document and grade; 0 is not relevant. */
  judgments: z.array(z.tuple([z.string(), z.number()])),
})
export type JudgedQuery = z.infer<typeof judgedQuery>

/** A query whose documents are given as numbers (LETOR). */
export const featureQuery = z.strictObject({
  kind: z.literal('features'),
  docIds: z.array(z.string()),
  grades: z.array(z.number()),
  /** [document][feature] */
  features: z.array(z.array(z.number())),
})
export type FeatureQuery = z.infer<typeof featureQuery>

/** `data` of an item of the kind `rankings`. */
export const rankingItem = z.discriminatedUnion('kind', [judgedQuery, featureQuery])
export type RankingItem = z.infer<typeof rankingItem>

/** `data` of an extra line `document`. */
export const rankingDocument = z.strictObject({ docId: z.string(), title: z.string(), text: z.string() })
export type RankingDocument = z.infer<typeof rankingDocument>
