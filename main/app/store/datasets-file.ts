import { readFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { importMapping } from '../../../shared/contract/import-mapping.ts'
import { dataKind } from '../../../shared/data-kinds.ts'
import { datasetId } from '../../../shared/domain.ts'
import { AppError, describeIssues } from '../../../shared/errors.ts'
import { splitSpec } from '../../../shared/run-spec.ts'
import type { DatasetEntry } from './datasets.ts'
import { datasetFolder } from './datasets-folder.ts'
import { replaceFile } from '../../base/files/durable.ts'

/** What dataset.json holds: everything of a data set that its records and labels do not say. */
const datasetFile = z.strictObject({
  formatVersion: z.literal(1),
  datasetId,
  name: z.string(),
  kind: dataKind,
  fingerprint: z.string(),
  source: z.string(),
  licence: z.string().nullable(),
  createdAtMs: z.number(),
  /** Items of any kind: the file keeps the name that it had when pairs were the only kind. */
  pairCount: z.int(),
  promptCount: z.int(),
  rejectedRowCount: z.int(),
  warningCount: z.int(),
  mapping: importMapping,
  guideline: z.string(),
  question: z.string(),
  split: splitSpec,
  shownSeed: z.string(),
})

/** Written beside the records at the end of an import and at every change, so that they mean something without the database. */
export function writeDatasetFile(dataFolder: string, dataset: DatasetEntry): void {
  const file = path.join(datasetFolder(dataFolder, dataset.datasetId), 'dataset.json')
  const { itemCount: pairCount, ...rest } = dataset
  replaceFile(file, `${JSON.stringify(datasetFile.parse({ formatVersion: 1, ...rest, pairCount }), null, 2)}\n`)
}

/** @throws AppError `dataset-invalid` when dataset.json is not what this version writes. */
export function readDatasetFile(dataFolder: string, id: string): DatasetEntry {
  const file = path.join(datasetFolder(dataFolder, id), 'dataset.json')
  const parsed = datasetFile.safeParse(parseJson(readFileSync(file, 'utf8')))
  if (!parsed.success)
    throw new AppError({
      code: 'dataset-invalid',
      message: `${file} cannot be read: ${describeIssues(parsed.error)}.`,
      hint: 'Put a copy of the file back, or import the source file again.',
    })
  const { formatVersion: _, pairCount: itemCount, ...dataset } = parsed.data
  return { ...dataset, itemCount }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return null // refused by the schema, with the file's name
    throw error
  }
}
