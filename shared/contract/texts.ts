import { z } from 'zod'
import { datasetId } from '../domain.ts'
import { call } from './define.ts'

export const textCalls = {
  /** Lines with query, positive and negatives (JSONL), one text a line, or STS-B in its usual forms. */
  'texts.import': call(z.strictObject({ path: z.string().min(1), name: z.string().max(120).default(''), licence: z.string().nullable().default(null) }), z.strictObject({ datasetId })),
} as const
