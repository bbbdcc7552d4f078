import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { annotatorId } from '../../../shared/domain.ts'
import { describeIssues } from '../../../shared/errors.ts'
import { listPeople, nameKey, type Person } from './annotators.ts'
import { replaceFile } from '../../base/files/durable.ts'
import type { ReadableDb } from './open.ts'

/** Older versions wrote neither the key nor the data set. */
const person = z.object({
  annotatorId,
  name: z.string(),
  createdAtMs: z.number(),
  imported: z.boolean(),
  nameKey: z.string().optional(),
  datasetId: z.string().nullable().default(null),
})

function filePath(dataFolder: string): string {
  return path.join(dataFolder, 'annotators.json')
}

/** Keeps the names outside the database too, after every change, so that journals can be read without it. */
export function writeAnnotatorsFile(db: ReadableDb, dataFolder: string): void {
  replaceFile(filePath(dataFolder), `${JSON.stringify(listPeople(db), null, 2)}\n`)
}

/** The names last written; none where the file is missing or no longer what this version writes, and those of it that can be read. */
export function readAnnotatorsFile(dataFolder: string): {
  readonly annotators: readonly Person[]
  readonly problem: string | null
} {
  const file = filePath(dataFolder)
  if (!existsSync(file)) return { annotators: [], problem: null }
  let entries: unknown
  try {
    entries = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    return {
      annotators: [],
      problem: `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}; names are taken from the labels`,
    }
  }
  if (!Array.isArray(entries))
    return { annotators: [], problem: `${file} is not a list of annotators; names are taken from the labels` }
  const parsed = entries.map((entry) => person.safeParse(entry))
  const bad = parsed.find((one) => !one.success)
  return {
    annotators: parsed.flatMap((one) =>
      one.success ? [{ ...one.data, nameKey: one.data.nameKey ?? nameKey(one.data.name) }] : [],
    ),
    problem:
      bad?.error === undefined ? null : `${file} holds an entry that is no annotator: ${describeIssues(bad.error)}`,
  }
}
