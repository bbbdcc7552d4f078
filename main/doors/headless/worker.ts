import { findWorker } from '../../app/find-programs.ts'
import { enginesFolderOf } from '../../app/engine-setup/folder.ts'
import { engineEnvironment } from '../../app/engine-setup/probe.ts'
import type { ProgramCommand } from '../../base/processes/program.ts'
import { resolveDataFolder } from './connect.ts'

/** What computes for a verb: a worker that finds the engines which were added to the data folder. */
export function workerFor(dataDir: string | undefined): {
  readonly worker: ProgramCommand
  readonly enginesFolder: string
} {
  const enginesFolder = enginesFolderOf(resolveDataFolder(dataDir))
  return { worker: { ...findWorker(), environment: () => engineEnvironment(enginesFolder) }, enginesFolder }
}
