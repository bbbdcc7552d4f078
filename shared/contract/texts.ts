import { z } from 'zod'
import { datasetId } from '../domain.ts'
import { call, importedFile } from './define.ts'

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
} as const
