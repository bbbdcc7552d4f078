import { z } from 'zod'
import { contrastData, splitName } from '../data-kinds.ts'
import { datasetId } from '../domain.ts'
import { call, importedFile } from './define.ts'

export const textRow = z.strictObject({
  index: z.int(),
  itemId: z.string(),
  /** Of the file it came from. */
  line: z.int(),
  split: splitName,
  data: contrastData,
})
export type TextRow = z.infer<typeof textRow>

export const textCalls = {
  /**
   * Rows with query, positive and negatives, two texts with a score, or one text (JSONL, JSON, CSV, TSV, lines). `as` and
   * `scale` (as in 0..5) answer where a file could be read in two ways.
   */
  'texts.import': call(
    z.strictObject({
      ...importedFile,
      as: z.enum(['lines', 'jsonl', 'json', 'csv', 'tsv']).nullable().default(null),
      scale: z.string().max(40).nullable().default(null),
    }),
    z.strictObject({ datasetId }),
  ),
  /** Whole texts. `search` in ids and texts, whatever the case. */
  'texts.rows': call(
    z.strictObject({
      datasetId,
      offset: z.int().nonnegative().default(0),
      limit: z.int().min(1).max(100).default(20),
      search: z.string().max(1000).default(''),
      side: splitName.nullable().default(null),
    }),
    z.strictObject({ total: z.int(), rows: z.array(textRow) }),
  ),
} as const
