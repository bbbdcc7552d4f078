import { createHash } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { AppError } from '../../shared/errors.ts'
import { decodeSafeTensors, encodeSafeTensors, type SafeTensor } from '../learn/safetensors.ts'
import { checkpointFolder, diskError, runPaths, syncFolder, writeFully } from '../runs/run-dir.ts'

/** Where training stood. Everything random is drawn from the seed and the step, so that no generator needs saving. */
export const checkpointState = z.strictObject({
  formatVersion: z.literal(1),
  step: z.int().nonnegative(),
  /** Number of the last event that belongs before this point. */
  eventSeq: z.int().nonnegative(),
  /** Time spent training, over all trainers of the run. */
  wallMs: z.number(),
  tokensSeen: z.number(),
  /** Position in the data, as batches.ts writes it. */
  plan: z.json(),
  best: z.strictObject({ step: z.int(), value: z.number() }).nullable(),
  /** sha256 of each file beside this one. */
  files: z.record(z.string(), z.string()),
})
export type CheckpointState = z.infer<typeof checkpointState>

/** A model on the disk: what another run, or another program, needs of a checkpoint. */
export interface ModelFiles {
  /** config.json */
  readonly config: unknown
  /** tokenizer.json */
  readonly tokenizer: unknown
  readonly weights: Readonly<Record<string, SafeTensor>>
  /** sha256 of model.safetensors. */
  readonly hash: string
}

export interface Checkpoint extends ModelFiles {
  readonly optimizer: Readonly<Record<string, SafeTensor>>
  readonly state: CheckpointState
  readonly folder: string
}

const FILES = { config: 'config.json', tokenizer: 'tokenizer.json', weights: 'model.safetensors', optimizer: 'optimizer.safetensors', state: 'state.json' } as const

export interface SavedCheckpoint {
  /** Relative to the run's folder. */
  readonly path: string
  readonly sizeBytes: number
  /** Of the weights file. */
  readonly sha256: string
}

export type CheckpointContents = Omit<Checkpoint, 'hash' | 'folder' | 'state'> & { readonly state: Omit<CheckpointState, 'files' | 'formatVersion'> }

/**
 * Writes every file under another name, then renames the folder: a reader, or a power cut, finds a whole checkpoint
 * or none.
 * @throws AppError `disk-full`
 */
export function saveCheckpoint(runFolder: string, contents: CheckpointContents): SavedCheckpoint {
  const target = checkpointFolder(runFolder, contents.state.step)
  const temporary = `${target}.tmp`
  try {
    rmSync(temporary, { recursive: true, force: true })
    mkdirSync(temporary, { recursive: true })
    const bytes = {
      [FILES.config]: Buffer.from(`${JSON.stringify(contents.config, null, 2)}\n`),
      [FILES.tokenizer]: Buffer.from(JSON.stringify(contents.tokenizer)),
      [FILES.weights]: encodeSafeTensors(contents.weights, { format: 'pt' }),
      [FILES.optimizer]: encodeSafeTensors(contents.optimizer),
    }
    const files = Object.fromEntries(Object.entries(bytes).map(([name, data]) => [name, sha256(data)]))
    const state: CheckpointState = { formatVersion: 1, ...contents.state, files }
    const all = { ...bytes, [FILES.state]: Buffer.from(`${JSON.stringify(state, null, 2)}\n`) }
    for (const [name, data] of Object.entries(all)) writeSynced(path.join(temporary, name), data)
    syncFolder(temporary)
    // The same step again, after a resume: the old one is whole until the new one is.
    const old = `${target}.old`
    if (existsSync(target)) renameSync(target, old)
    renameSync(temporary, target)
    syncFolder(path.dirname(target))
    rmSync(old, { recursive: true, force: true })
    return { path: path.relative(runFolder, target).split(path.sep).join('/'), sizeBytes: Object.values(all).reduce((sum, data) => sum + data.length, 0), sha256: files[FILES.weights] ?? '' }
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true })
    throw diskError(error, target)
  }
}

function writeSynced(file: string, data: Uint8Array): void {
  const descriptor = openSync(file, 'w')
  try {
    writeFully(descriptor, data)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function sha256(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
}

/** Steps that have a whole checkpoint, ascending. */
export function listCheckpointSteps(runFolder: string): number[] {
  const folder = runPaths(runFolder).checkpoints
  if (!existsSync(folder)) return []
  return readdirSync(folder).filter((name) => /^\d+$/.test(name)).map(Number).toSorted((a, b) => a - b)
}

/** Deletes all but the last `keep` and the best. */
export function pruneCheckpoints(runFolder: string, keep: number, bestStep: number | null): void {
  const folder = runPaths(runFolder).checkpoints
  const steps = listCheckpointSteps(runFolder)
  const kept = new Set([...steps.slice(-keep), bestStep])
  for (const step of steps) if (!kept.has(step)) rmSync(checkpointFolder(runFolder, step), { recursive: true, force: true })
  // What a process left half written or half replaced when it died.
  for (const name of existsSync(folder) ? readdirSync(folder) : []) if (!/^\d+$/.test(name)) rmSync(path.join(folder, name), { recursive: true, force: true })
}

/**
 * The newest checkpoint whose files are what they were when written; null when there is none. Damaged ones are
 * passed over and named in `damaged`.
 */
export function loadLastCheckpoint(runFolder: string): { readonly checkpoint: Checkpoint | null; readonly damaged: readonly string[] } {
  const damaged: string[] = []
  for (const step of listCheckpointSteps(runFolder).toReversed()) {
    const folder = checkpointFolder(runFolder, step)
    try {
      return { checkpoint: loadCheckpoint(folder), damaged }
    } catch (error) {
      damaged.push(`${path.basename(folder)}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  return { checkpoint: null, damaged }
}

/** @throws AppError `spec-invalid` when a file is missing or is not what was written */
export function loadCheckpoint(folder: string): Checkpoint {
  const { state, read } = openCheckpoint(folder)
  return { ...readModel(read), optimizer: decodeSafeTensors(read(FILES.optimizer)).tensors, state, folder }
}

/** The model alone. @throws AppError `spec-invalid` */
export function loadModelFiles(folder: string): ModelFiles {
  return readModel(openCheckpoint(folder).read)
}

function readModel(read: (name: string) => Buffer): ModelFiles {
  const weights = read(FILES.weights)
  return { config: JSON.parse(read(FILES.config).toString('utf8')), tokenizer: JSON.parse(read(FILES.tokenizer).toString('utf8')), weights: decodeSafeTensors(weights).tensors, hash: sha256(weights) }
}

function openCheckpoint(folder: string): { state: CheckpointState; read: (name: string) => Buffer } {
  try {
    const state = checkpointState.parse(JSON.parse(readFileSync(path.join(folder, FILES.state), 'utf8')))
    return {
      state,
      read(name) {
        const bytes = readFileSync(path.join(folder, name))
        if (sha256(bytes) !== state.files[name]) throw damagedError(folder, `${name} is not what was written`)
        return bytes
      },
    }
  } catch (error) {
    throw damagedError(folder, error instanceof Error ? error.message : String(error), error)
  }
}

function damagedError(folder: string, what: string, cause?: unknown): AppError {
  return new AppError({ code: 'spec-invalid', message: `The checkpoint ${folder} cannot be used: ${what}.`, hint: 'Choose another checkpoint, or train that run again.', cause })
}
