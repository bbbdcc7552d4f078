import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { isOwnEngine } from '../../base/own-engines.ts'

/** Where engines that were added are kept: PAIRLAB_ENGINES, else in the data folder. */
export function enginesFolderOf(dataFolder: string): string {
  const given = process.env['PAIRLAB_ENGINES']
  return given === undefined || given === '' ? path.join(dataFolder, 'engines') : path.resolve(given)
}

/** What `engine add` says of the engine it built; lies beside it as engine.json. */
export const engineRecord = z.strictObject({
  formatVersion: z.literal(1),
  name: z.literal('tensorflow'),
  tensorflowVersion: z.string(),
  /** Built with CUDA; whether a graphics card is there shows when it is opened. */
  cuda: z.boolean(),
  /** Where the libraries came from, in words. */
  source: z.string(),
  builtAtMs: z.number(),
  platform: z.string(),
  /** Relative to the folder. */
  addon: z.string(),
  addonSha256: z.string(),
  /** Folders of shared libraries, relative or absolute, in search order. */
  libraries: z.array(z.string()),
})
export type EngineRecord = z.infer<typeof engineRecord>

export const RECORD_FILE = 'engine.json'

/** Null where none was added, or its record cannot be read. */
export function readEngineRecord(enginesFolder: string, name: 'tensorflow' = 'tensorflow'): EngineRecord | null {
  const file = path.join(enginesFolder, name, RECORD_FILE)
  if (!existsSync(file)) return null
  try {
    return engineRecord.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return null // as good as none: adding it again writes it anew
  }
}

/** Search path for the libraries of an engine that this installation made; '' where there is none. */
export function librarySearchPath(enginesFolder: string): string {
  const record = readEngineRecord(enginesFolder)
  return record === null || !isOwnEngine(path.join(enginesFolder, 'tensorflow'), false)
    ? ''
    : record.libraries.map((one) => path.resolve(enginesFolder, 'tensorflow', one)).join(path.delimiter)
}
