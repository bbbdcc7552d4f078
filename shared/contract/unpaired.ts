import { z } from 'zod'
import { datasetId } from '../domain.ts'
import { call, importedFile } from './define.ts'

export const unpairedCalls = {
  /** Rows with prompt and completion, each with a label (true, 1, good, up …) or without one (JSONL, JSON, CSV, TSV). */
  'unpaired.import': call(z.strictObject(importedFile), z.strictObject({ datasetId })),
} as const
