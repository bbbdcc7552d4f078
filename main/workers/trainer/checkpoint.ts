import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import {
  CHECKPOINT_FILES,
  loadCheckpoint,
  type Checkpoint,
  type CheckpointState,
} from '../../core/models/checkpoint-files.ts'
import { openAnyModel } from '../../core/models/folder.ts'
import { ADAPTER_CONFIG, ADAPTER_WEIGHTS } from '../../core/models/peft.ts'
import { writeSafeTensors, type TensorToWrite, type WrittenFile } from '../../core/models/write.ts'
import { checkpointFolder, runPaths } from '../../base/run-folder/paths.ts'
import { diskError } from '../../base/run-folder/run-file.ts'
import { moveDurably, syncFolder, writeNewFile } from '../../base/files/durable.ts'

export interface CheckpointContents {
  /** config.json */
  readonly config: unknown
  /** tokenizer.json; null where the model reads no text. */
  readonly tokenizer: unknown
  /** Text of more files by name: how a model that was not made here is spoken to. */
  readonly language?: Readonly<Record<string, string>>
  /** What trains, or all of the model; of adapters, under the names of their library. */
  readonly weights: Readonly<Record<string, TensorToWrite>>
  /** adapter_config.json, where the weights are adapters beside a model that is not written again. */
  readonly adapter: unknown
  readonly optimizer: Readonly<Record<string, TensorToWrite>>
  /** Of a reference that follows the policy: what it has of its own. */
  readonly reference?: Readonly<Record<string, TensorToWrite>> | null
  readonly state: Omit<CheckpointState, 'files' | 'formatVersion'>
}

export interface SavedCheckpoint {
  /** Relative to the run's folder. */
  readonly path: string
  readonly sizeBytes: number
  /** Of the weights file. */
  readonly sha256: string
}

/**
 * Writes every file under another name, one tensor at a time, then renames the folder: a reader, or a power cut, finds
 * a whole checkpoint or none.
 * @throws AppError `disk-full`
 */
export async function saveCheckpoint(runFolder: string, contents: CheckpointContents): Promise<SavedCheckpoint> {
  const target = checkpointFolder(runFolder, contents.state.step)
  const temporary = `${target}.tmp`
  try {
    rmSync(temporary, { recursive: true, force: true })
    mkdirSync(temporary, { recursive: true })
    const weightsFile = contents.adapter === null ? CHECKPOINT_FILES.weights : ADAPTER_WEIGHTS
    const written: Record<string, WrittenFile> = {
      [CHECKPOINT_FILES.config]: writeJson(path.join(temporary, CHECKPOINT_FILES.config), contents.config, 2),
      ...(contents.tokenizer === null
        ? {}
        : {
            [CHECKPOINT_FILES.tokenizer]: writeJson(
              path.join(temporary, CHECKPOINT_FILES.tokenizer),
              contents.tokenizer,
            ),
          }),
      ...Object.fromEntries(
        Object.entries(contents.language ?? {}).map(([name, text]) => [
          name,
          writeText(path.join(temporary, name), text),
        ]),
      ),
      ...(contents.adapter === null
        ? {}
        : { [ADAPTER_CONFIG]: writeJson(path.join(temporary, ADAPTER_CONFIG), contents.adapter, 2) }),
      [weightsFile]: await writeSafeTensors(path.join(temporary, weightsFile), contents.weights, { format: 'pt' }),
      [CHECKPOINT_FILES.optimizer]: await writeSafeTensors(
        path.join(temporary, CHECKPOINT_FILES.optimizer),
        contents.optimizer,
      ),
      ...(contents.reference == null
        ? {}
        : {
            [CHECKPOINT_FILES.reference]: await writeSafeTensors(
              path.join(temporary, CHECKPOINT_FILES.reference),
              contents.reference,
            ),
          }),
    }
    const files = Object.fromEntries(Object.entries(written).map(([name, { sha256 }]) => [name, sha256]))
    const state: CheckpointState = { formatVersion: 1, ...contents.state, files }
    const last = writeJson(path.join(temporary, CHECKPOINT_FILES.state), state, 2)
    syncFolder(temporary)
    // The same step again, after a resume: the old one is whole until the new one is.
    const old = `${target}.old`
    if (existsSync(target)) moveDurably(target, old)
    moveDurably(temporary, target)
    rmSync(old, { recursive: true, force: true })
    const sizeBytes = [...Object.values(written), last].reduce((sum, file) => sum + file.sizeBytes, 0)
    return {
      path: path.relative(runFolder, target).split(path.sep).join('/'),
      sizeBytes,
      sha256: written[weightsFile]!.sha256,
    }
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true })
    throw diskError(error, target)
  }
}

function writeJson(file: string, value: unknown, indent?: number): WrittenFile {
  return writeText(file, indent === undefined ? JSON.stringify(value) : `${JSON.stringify(value, null, indent)}\n`)
}

function writeText(file: string, text: string): WrittenFile {
  const data = Buffer.from(text)
  writeNewFile(file, data)
  return { sizeBytes: data.length, sha256: createHash('sha256').update(data).digest('hex') }
}

/**
 * The frozen model that adapters stand beside, written once into the run's folder: what it came from may be deleted.
 * @returns what checkpoints note of it
 * @throws AppError `disk-full`
 */
export async function keepBase(
  runFolder: string,
  contents: Pick<CheckpointContents, 'config' | 'tokenizer' | 'weights'>,
): Promise<NonNullable<CheckpointState['base']>> {
  const target = path.join(runFolder, 'base')
  const temporary = `${target}.tmp`
  try {
    rmSync(temporary, { recursive: true, force: true })
    mkdirSync(temporary, { recursive: true })
    writeJson(path.join(temporary, CHECKPOINT_FILES.config), contents.config, 2)
    writeJson(path.join(temporary, CHECKPOINT_FILES.tokenizer), contents.tokenizer)
    await writeSafeTensors(path.join(temporary, CHECKPOINT_FILES.weights), contents.weights, { format: 'pt' })
    syncFolder(temporary)
    rmSync(target, { recursive: true, force: true })
    moveDurably(temporary, target)
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true })
    throw diskError(error, target)
  }
  const folder = openAnyModel(target, true)
  try {
    return { path: '../../base', hash: await folder.hash() } // as seen from a checkpoint's folder
  } finally {
    folder.close()
  }
}

/** Steps that have a whole checkpoint, ascending. */
export function listCheckpointSteps(runFolder: string): number[] {
  const folder = runPaths(runFolder).checkpoints
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .toSorted((a, b) => a - b)
}

/** Deletes all but the last `keep` and the best. */
export function pruneCheckpoints(runFolder: string, keep: number, bestStep: number | null): void {
  const folder = runPaths(runFolder).checkpoints
  const steps = listCheckpointSteps(runFolder)
  const kept = new Set([...steps.slice(-keep), bestStep])
  for (const step of steps)
    if (!kept.has(step)) rmSync(checkpointFolder(runFolder, step), { recursive: true, force: true })
  // What a process left half written or half replaced when it died.
  for (const name of existsSync(folder) ? readdirSync(folder) : [])
    if (!/^\d+$/.test(name)) rmSync(path.join(folder, name), { recursive: true, force: true })
}

/**
 * The newest checkpoint whose files are what they were when written; null when there is none. Damaged ones are
 * passed over and named in `damaged`.
 */
export async function loadLastCheckpoint(
  runFolder: string,
): Promise<{ readonly checkpoint: Checkpoint | null; readonly damaged: readonly string[] }> {
  const damaged: string[] = []
  for (const step of listCheckpointSteps(runFolder).toReversed()) {
    const folder = checkpointFolder(runFolder, step)
    try {
      return { checkpoint: await loadCheckpoint(folder), damaged }
    } catch (error) {
      damaged.push(`${path.basename(folder)}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  return { checkpoint: null, damaged }
}
