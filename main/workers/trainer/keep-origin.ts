import { copyFileSync, existsSync, linkSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import {
  CHECKPOINT_FILES,
  openModelFiles,
  readState,
  type CheckpointState,
} from '../../core/models/checkpoint-files.ts'
import { moveDurably, syncTree, writeNewFile } from '../../base/files/durable.ts'
import { diskError } from '../../base/run-folder/run-file.ts'

/** What goes on training needs, and a model does not. */
const OF_TRAINING: readonly string[] = [CHECKPOINT_FILES.optimizer, CHECKPOINT_FILES.reference]

/** Where a run keeps the checkpoint that it began with, as seen from a checkpoint of its own. */
export const KEPT_ORIGIN = '../../origin'

/**
 * Keeps the checkpoint that a run of adapters began with in the run's own folder, once: the run that wrote it may be deleted.
 * Adapters stay apart from the model that they stand beside, of which they are a few per cent; whole weights are linked where
 * the disk can, since a checkpoint is never written to again.
 * @param checkpoint folder of it   @returns where it is kept
 * @throws AppError `disk-full`; `spec-invalid` where it is gone or is not what was written, and nothing is kept then
 */
export async function keepOrigin(runFolder: string, checkpoint: string): Promise<string> {
  const target = path.join(runFolder, 'origin')
  if (existsSync(target)) return target // moved there whole
  const files = await openModelFiles(checkpoint)
  files.close()
  const temporary = `${target}.tmp`
  try {
    rmSync(temporary, { recursive: true, force: true })
    copyCheckpoint(checkpoint, temporary)
    syncTree(temporary)
    moveDurably(temporary, target)
    return target
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true })
    throw diskError(error, target)
  }
}

function copyCheckpoint(from: string, to: string): void {
  mkdirSync(to, { recursive: true })
  const state = readState(from)
  for (const name of Object.keys(state.files).filter((one) => !OF_TRAINING.includes(one))) linkOrCopy(from, to, name)
  const base = state.base === null ? null : keptBase(state.base, from, to)
  writeNewFile(path.join(to, CHECKPOINT_FILES.state), `${JSON.stringify({ ...state, base }, null, 2)}\n`)
}

/** A model of the registry stays where it is; one that the other run kept goes along. */
function keptBase(
  base: NonNullable<CheckpointState['base']>,
  from: string,
  to: string,
): NonNullable<CheckpointState['base']> {
  if (path.isAbsolute(base.path)) return base
  const [source, target] = [path.resolve(from, base.path), path.join(to, 'base')]
  if (existsSync(path.join(source, CHECKPOINT_FILES.state))) copyCheckpoint(source, target)
  else {
    mkdirSync(target, { recursive: true })
    for (const name of readdirSync(source)) linkOrCopy(source, target, name)
  }
  return { path: 'base', hash: base.hash }
}

function linkOrCopy(from: string, to: string, name: string): void {
  const [source, target] = [path.join(from, name), path.join(to, name)]
  try {
    linkSync(source, target)
  } catch {
    copyFileSync(source, target) // another disk, or one without links
  }
}
