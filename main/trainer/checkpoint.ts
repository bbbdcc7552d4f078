import { createHash } from 'node:crypto'
import { closeSync, createReadStream, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { AppError } from '../../shared/errors.ts'
import { mergedSource } from '../learn/models/adapters.ts'
import { decoderConfigOf } from '../learn/models/hf-config.ts'
import type { TensorSource } from '../learn/models/parameters.ts'
import { decodeSafeTensors, type SafeTensor } from '../learn/safetensors.ts'
import { openModelFolder } from '../models/folder.ts'
import { ADAPTER_CONFIG, ADAPTER_WEIGHTS, isAdapterFolder, openAdapterFolder, type AdapterFolder } from '../models/peft.ts'
import { openSafeTensors, type SafeTensorsReader } from '../models/safetensors-file.ts'
import { writeSafeTensors, type TensorToWrite, type WrittenFile } from '../models/write.ts'
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
  /** The frozen model of a checkpoint that holds adapters: its folder, as seen from here, and its hash. */
  base: z.strictObject({ path: z.string(), hash: z.string() }).nullable().default(null),
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
  /** Read from the disk when asked. */
  readonly source: TensorSource
  /** sha256 of the weights file. */
  readonly hash: string
  close(): void
}

export interface Checkpoint extends ModelFiles {
  /** Beside the model that `source` is of; null where that is what was trained. */
  readonly adapters: AdapterFolder | null
  readonly optimizer: Readonly<Record<string, SafeTensor>>
  readonly state: CheckpointState
  readonly folder: string
}

const FILES = { config: 'config.json', tokenizer: 'tokenizer.json', weights: 'model.safetensors', optimizer: 'optimizer.safetensors', state: 'state.json' } as const

export interface CheckpointContents {
  /** config.json */
  readonly config: unknown
  /** tokenizer.json */
  readonly tokenizer: unknown
  /** What trains, or all of the model; of adapters, under the names of their library. */
  readonly weights: Readonly<Record<string, TensorToWrite>>
  /** adapter_config.json, where the weights are adapters beside a model that is not written again. */
  readonly adapter: unknown
  readonly optimizer: Readonly<Record<string, TensorToWrite>>
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
    const weightsFile = contents.adapter === null ? FILES.weights : ADAPTER_WEIGHTS
    const written: Record<string, WrittenFile> = {
      [FILES.config]: writeJson(path.join(temporary, FILES.config), contents.config, 2),
      [FILES.tokenizer]: writeJson(path.join(temporary, FILES.tokenizer), contents.tokenizer),
      ...(contents.adapter === null ? {} : { [ADAPTER_CONFIG]: writeJson(path.join(temporary, ADAPTER_CONFIG), contents.adapter, 2) }),
      [weightsFile]: await writeSafeTensors(path.join(temporary, weightsFile), contents.weights, { format: 'pt' }),
      [FILES.optimizer]: await writeSafeTensors(path.join(temporary, FILES.optimizer), contents.optimizer),
    }
    const files = Object.fromEntries(Object.entries(written).map(([name, { sha256 }]) => [name, sha256]))
    const state: CheckpointState = { formatVersion: 1, ...contents.state, files }
    const last = writeJson(path.join(temporary, FILES.state), state, 2)
    syncFolder(temporary)
    // The same step again, after a resume: the old one is whole until the new one is.
    const old = `${target}.old`
    if (existsSync(target)) renameSync(target, old)
    renameSync(temporary, target)
    syncFolder(path.dirname(target))
    rmSync(old, { recursive: true, force: true })
    const sizeBytes = [...Object.values(written), last].reduce((sum, file) => sum + file.sizeBytes, 0)
    return { path: path.relative(runFolder, target).split(path.sep).join('/'), sizeBytes, sha256: written[weightsFile]!.sha256 }
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true })
    throw diskError(error, target)
  }
}

function writeJson(file: string, value: unknown, indent?: number): WrittenFile {
  const data = Buffer.from(indent === undefined ? JSON.stringify(value) : `${JSON.stringify(value, null, indent)}\n`)
  const descriptor = openSync(file, 'w')
  try {
    writeFully(descriptor, data)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  return { sizeBytes: data.length, sha256: createHash('sha256').update(data).digest('hex') }
}

/**
 * The frozen model that adapters stand beside, written once into the run's folder: what it came from may be deleted.
 * @returns what checkpoints note of it
 * @throws AppError `disk-full`
 */
export async function keepBase(runFolder: string, contents: Pick<CheckpointContents, 'config' | 'tokenizer' | 'weights'>): Promise<NonNullable<CheckpointState['base']>> {
  const target = path.join(runFolder, 'base')
  const temporary = `${target}.tmp`
  try {
    rmSync(temporary, { recursive: true, force: true })
    mkdirSync(temporary, { recursive: true })
    writeJson(path.join(temporary, FILES.config), contents.config, 2)
    writeJson(path.join(temporary, FILES.tokenizer), contents.tokenizer)
    await writeSafeTensors(path.join(temporary, FILES.weights), contents.weights, { format: 'pt' })
    syncFolder(temporary)
    rmSync(target, { recursive: true, force: true })
    renameSync(temporary, target)
    syncFolder(runFolder)
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true })
    throw diskError(error, target)
  }
  const folder = openModelFolder(target)
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
export async function loadLastCheckpoint(runFolder: string): Promise<{ readonly checkpoint: Checkpoint | null; readonly damaged: readonly string[] }> {
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

/** @throws AppError `spec-invalid` when a file is missing or is not what was written */
export async function loadCheckpoint(folder: string): Promise<Checkpoint> {
  const stored = await openStored(folder)
  return { ...stored, folder, optimizer: decodeSafeTensors(readFileSync(path.join(folder, FILES.optimizer))).tensors }
}

/** The model alone, with adapters merged into it. @throws AppError `spec-invalid` */
export async function openModelFiles(folder: string): Promise<ModelFiles> {
  const { config, tokenizer, source, adapters, hash, close } = await openStored(folder, FILES.optimizer)
  return { config, tokenizer, source: adapters === null ? source : mergedSource(decoderConfigOf(config), source, adapters, adapters.scale), hash, close }
}

/** @param unread a file that is not needed, and not checked */
async function openStored(folder: string, unread?: string): Promise<Omit<Checkpoint, 'folder' | 'optimizer'>> {
  const state = await checkedState(folder, unread)
  const described = { state, config: readJson(folder, FILES.config), tokenizer: readJson(folder, FILES.tokenizer) }
  if (!isAdapterFolder(folder)) {
    const reader = openSafeTensors(path.join(folder, FILES.weights))
    return { ...described, source: readerSource(reader), adapters: null, hash: state.files[FILES.weights] ?? '', close: () => reader.close() }
  }
  if (state.base === null) throw damagedError(folder, 'it does not say which model its adapters belong to')
  const base = openModelFolder(path.resolve(folder, state.base.path))
  if ((await base.hash()) !== state.base.hash) throw damagedError(folder, `the model in ${base.folder}, which its adapters belong to, was changed`)
  const adapters = openAdapterFolder(folder)
  return {
    ...described,
    source: base,
    adapters,
    hash: state.files[ADAPTER_WEIGHTS] ?? '',
    close() {
      base.close()
      adapters.close()
    },
  }
}

function readerSource(reader: SafeTensorsReader): TensorSource {
  return {
    read(name) {
      const entry = reader.entries[name]
      if (entry === undefined) throw new RangeError(`the weights have no tensor ${name}`)
      return { shape: entry.shape, data: reader.read(name) }
    },
  }
}

function readJson(folder: string, name: string): unknown {
  return JSON.parse(readFileSync(path.join(folder, name), 'utf8'))
}

/** The state, after every file has been compared with what was written. */
async function checkedState(folder: string, unread: string | undefined): Promise<CheckpointState> {
  try {
    const state = checkpointState.parse(readJson(folder, FILES.state))
    for (const [name, expected] of Object.entries(state.files)) {
      if (name !== unread && (await hashOf(path.join(folder, name))) !== expected) throw damagedError(folder, `${name} is not what was written`)
    }
    return state
  } catch (error) {
    throw damagedError(folder, error instanceof Error ? error.message : String(error), error)
  }
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file, { highWaterMark: 2 ** 20 })) hash.update(chunk as Buffer) // no encoding was asked for
  return hash.digest('hex')
}

function damagedError(folder: string, what: string, cause?: unknown): AppError {
  return new AppError({ code: 'spec-invalid', message: `The checkpoint ${folder} cannot be used: ${what}.`, hint: 'Choose another checkpoint, or train that run again.', cause })
}
