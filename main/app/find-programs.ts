// Where the programs and files lie that the app starts and reads: beside the source, or beside what was built of it.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { invariant } from '../../shared/assert.ts'
import type { ProgramCommand } from '../base/processes/program.ts'
import path from 'node:path'

const here = path.dirname(fileURLToPath(import.meta.url))

/** From the source a program is TypeScript that Node reads as it stands; built, it lies beside this file, or where PAIRLAB_BUILT says. */
function findProgram(source: string, built: string): ProgramCommand {
  const given = process.env['PAIRLAB_BUILT']
  const entry =
    [
      ...(given === undefined ? [] : [path.join(given, built)]),
      path.join(here, source),
      path.join(here, built),
      path.join(here, '..', built),
    ].find((file) => existsSync(file)) ?? path.join(here, source)
  return { execPath: process.execPath, args: [entry] }
}

/** Computes whatever is computed. */
export function findWorker(): ProgramCommand {
  return findProgram('../workers/entry.ts', 'worker.js')
}

/** Reads what people give, apart from the app. */
export function findReader(): ProgramCommand {
  return findProgram('../workers/reader/entry.ts', 'reader.js')
}

/** Samples, documents and licences that come with the program. */
export function findResources(): string {
  const folder = [
    path.join(here, '../resources'),
    path.join(here, '../../resources'),
    path.join(here, '../../../resources'),
  ].find((place) => existsSync(path.join(place, 'samples')))
  invariant(folder !== undefined, `no resources near ${here}`)
  return folder
}
