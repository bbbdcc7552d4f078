import { z } from 'zod'
import { datasetId } from '../domain.ts'
import { call, clientKey } from './define.ts'

export const unpairedCalls = {
  /** Rows with prompt and completion, each with a label (true, 1, good, up …) or without one (JSONL, JSON, CSV, TSV). */
  'unpaired.import': call(
    z.strictObject({
      path: z.string().min(1),
      name: z.string().max(120).default(''),
      licence: z.string().nullable().default(null),
      clientKey,
    }),
    z.strictObject({ datasetId }),
  ),
} as const
