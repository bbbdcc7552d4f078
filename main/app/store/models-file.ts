import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { modelFacts, modelPlace } from '../../../shared/contract/models.ts'
import { modelId, runId } from '../../../shared/domain.ts'
import { AppError, describeIssues } from '../../../shared/errors.ts'
import { fileMark } from '../../core/models/file-mark.ts'
import { replaceFile } from '../../base/files/durable.ts'

export const verification = z.strictObject({ atMs: z.number(), hash: z.string() })

/** A model as the database and its model.json have it. */
export const modelEntry = z.strictObject({
  /** Also the name of its folder in the data folder's `models/`. */
  modelId,
  name: z.string(),
  place: modelPlace,
  /** Absolute: of a link the folder itself, of a copy where it came from. */
  source: z.string(),
  originRunId: runId.nullable(),
  hash: z.string(),
  facts: modelFacts,
  files: z.array(fileMark),
  /** The last time every byte was read, and what came out. */
  verified: verification.nullable(),
  addedAtMs: z.number(),
})
export type ModelEntry = z.infer<typeof modelEntry>

const modelFile = modelEntry.extend({ formatVersion: z.literal(1) })

export function modelsFolder(dataFolder: string): string {
  return path.join(dataFolder, 'models')
}

/** The model's own folder here: model.json, and the files of a copy. */
export function ownFolder(dataFolder: string, id: string): string {
  return path.join(modelsFolder(dataFolder), id)
}

/** Absolute folder of the model's files. */
export function weightsFolder(dataFolder: string, entry: Pick<ModelEntry, 'modelId' | 'place' | 'source'>): string {
  return entry.place === 'link' ? entry.source : ownFolder(dataFolder, entry.modelId)
}

/** Written at the end of an addition and at every change, so that the list can be built again without the database. */
export function writeModelFile(folder: string, entry: ModelEntry): void {
  mkdirSync(folder, { recursive: true })
  replaceFile(
    path.join(folder, 'model.json'),
    `${JSON.stringify(modelFile.parse({ formatVersion: 1, ...entry }), null, 2)}\n`,
  )
}

/** @throws AppError `model-unsupported` when model.json is not what this version writes */
export function readModelFile(folder: string): ModelEntry {
  const file = path.join(folder, 'model.json')
  const parsed = modelFile.safeParse(parseJson(readFileSync(file, 'utf8')))
  if (!parsed.success)
    throw new AppError({
      code: 'model-unsupported',
      message: `${file} cannot be read: ${describeIssues(parsed.error)}.`,
      hint: 'Put a copy of the file back, or add the model again.',
    })
  const { formatVersion: _, ...entry } = parsed.data
  return entry
}

/** Names of the folders that hold a model.json. */
export function listModelFolders(dataFolder: string): string[] {
  const folder = modelsFolder(dataFolder)
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => !name.startsWith('.') && existsSync(path.join(folder, name, 'model.json')))
    .toSorted()
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return null // refused by the schema, with the file's name
    throw error
  }
}
