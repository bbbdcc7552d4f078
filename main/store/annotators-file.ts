import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import type { Annotator } from '../../shared/contract/labels.ts'
import { annotatorId } from '../../shared/domain.ts'
import { listAnnotators } from './annotators.ts'
import { writeDurably } from './datasets-folder.ts'
import type { ReadableDb } from './open.ts'

const annotatorsFile = z.array(z.strictObject({ annotatorId, name: z.string(), createdAtMs: z.number(), imported: z.boolean() }))

function filePath(dataFolder: string): string {
  return path.join(dataFolder, 'annotators.json')
}

/** Keeps the names outside the database too, after every change, so that journals can be read without it. */
export function writeAnnotatorsFile(db: ReadableDb, dataFolder: string): void {
  writeDurably(filePath(dataFolder), `${JSON.stringify(listAnnotators(db), null, 2)}\n`)
}

/** The names last written; none where the file is missing or no longer what this version writes. */
export function readAnnotatorsFile(dataFolder: string): { readonly annotators: readonly Annotator[]; readonly problem: string | null } {
  const file = filePath(dataFolder)
  if (!existsSync(file)) return { annotators: [], problem: null }
  try {
    const parsed = annotatorsFile.safeParse(JSON.parse(readFileSync(file, 'utf8')))
    return parsed.success ? { annotators: parsed.data, problem: null } : { annotators: [], problem: `${file} is not a list of annotators` }
  } catch (error) {
    if (error instanceof SyntaxError) return { annotators: [], problem: `${file}: ${error.message}` }
    throw error
  }
}
