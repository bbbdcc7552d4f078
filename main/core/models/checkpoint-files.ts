// A checkpoint as other parts of the program read it: the model, and where training stood.
import { createHash } from 'node:crypto'
import { createReadStream, existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { AppError } from '../../../shared/errors.ts'
import { adapterShapes, mergedSource, type LoraOptions } from '../learn/models/adapters.ts'
import { isEncoderType } from '../learn/models/encoder-config.ts'
import { decoderConfigOf, modelTypeOf } from '../learn/models/hf-config.ts'
import { isLlamaLike } from '../learn/models/model-config.ts'
import type { TensorSource } from '../learn/models/parameters.ts'
import { decodeSafeTensors, type SafeTensor } from '../learn/models/safetensors.ts'
import type { LanguageFiles } from '../learn/tokens/language.ts'
import { openAnyModel } from './folder.ts'
import { storedBytesIn } from './sizes-in.ts'
import { readLanguage } from './language-files.ts'
import { ADAPTER_WEIGHTS, isAdapterFolder, openAdapterFolder, type AdapterFolder } from './peft.ts'
import { openSafeTensors } from './safetensors-file.ts'
import { stackAdapters } from './stack-adapters.ts'
import type { WeightsReader } from './weights-reader.ts'

/** Where training stood. Everything random is drawn from the seed and the step, so that no generator needs saving. */
const checkpointState = z.strictObject({
  formatVersion: z.literal(1),
  step: z.int().nonnegative(),
  /** Number of the last event that belongs before this point. */
  eventSeq: z.int().nonnegative(),
  /** Time spent training, over all trainers of the run. */
  wallMs: z.number(),
  tokensSeen: z.number(),
  /** Position in the data, as batches.ts writes it. */
  plan: z.json(),
  /** By which metric: a number by another one is no rival. '' in checkpoints from before it was noted. */
  best: z.strictObject({ step: z.int(), value: z.number(), by: z.string().default('') }).nullable(),
  /** The evaluation that this step is due was dropped for want of time. */
  owesEvaluation: z.boolean().default(false),
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
  /** tokenizer.json; null where the model reads no text. */
  readonly tokenizer: unknown
  /** How the model is spoken to, its tokenizer included. */
  readonly language: LanguageFiles
  /** Read from the disk when asked. */
  readonly source: TensorSource
  /** sha256 of the weights file. */
  readonly hash: string
  /**
   * The frozen model and the adapters apart, where the model's file has it in fewer bits than float32, which adapters
   * that are merged into it would take away; else null.
   */
  readonly apart: ApartModel | null
  close(): void
}

export interface ApartModel {
  readonly source: TensorSource
  readonly adapters: AdapterFolder
  readonly lora: LoraOptions
}

export interface Checkpoint extends Omit<ModelFiles, 'apart'> {
  /** Beside the model that `source` is of; null where that is what was trained. */
  readonly adapters: AdapterFolder | null
  readonly optimizer: Readonly<Record<string, SafeTensor>>
  /** What the reference has of its own, where it follows the policy; null: it is where training began. */
  readonly reference: TensorSource | null
  readonly state: CheckpointState
  readonly folder: string
}

export const CHECKPOINT_FILES = {
  config: 'config.json',
  tokenizer: 'tokenizer.json',
  weights: 'model.safetensors',
  optimizer: 'optimizer.safetensors',
  /** Only of a run whose reference follows the policy. */
  reference: 'reference.safetensors',
  state: 'state.json',
} as const

/** @throws AppError `spec-invalid` when a file is missing or is not what was written */
export async function loadCheckpoint(folder: string): Promise<Checkpoint> {
  return {
    ...(await openWeights(folder, [])),
    optimizer: decodeSafeTensors(readFileSync(path.join(folder, CHECKPOINT_FILES.optimizer))).tensors,
  }
}

/** What is measured of a checkpoint: all but what further training needs. */
export type CheckpointWeights = Omit<Checkpoint, 'optimizer'>

/** @param unread files that are not checked @throws as `loadCheckpoint` */
export async function openWeights(
  folder: string,
  unread: readonly string[] = [CHECKPOINT_FILES.optimizer],
): Promise<CheckpointWeights> {
  const stored = await openStored(folder, unread)
  const reference =
    CHECKPOINT_FILES.reference in stored.state.files
      ? openSafeTensors(path.join(folder, CHECKPOINT_FILES.reference))
      : null
  return {
    ...stored,
    folder,
    reference: reference === null ? null : readerSource(reference),
    close() {
      stored.close()
      reference?.close()
    },
  }
}

/** The model alone, with adapters merged into it. @throws AppError `spec-invalid` */
export async function openModelFiles(folder: string): Promise<ModelFiles> {
  const { config, tokenizer, language, source, adapters, hash, state, below, close } = await openStored(folder, [
    CHECKPOINT_FILES.optimizer,
    CHECKPOINT_FILES.reference,
  ])
  const isPacked = state.base !== null && storedBytesIn(path.resolve(folder, state.base.path)) !== null
  return {
    config,
    tokenizer,
    language,
    source: adapters === null ? source : mergedSource(source, adapters, adapters.scale, liesInOut(config)),
    hash,
    apart:
      adapters === null
        ? null
        : below !== null
          ? apartOf(config, below.source, stackAdapters([below.adapters, adapters]))
          : isPacked
            ? apartOf(config, source, adapters)
            : null,
    close,
  }
}

/** Null where the adapters are not of a policy. */
function apartOf(config: unknown, source: TensorSource, adapters: AdapterFolder): ApartModel | null {
  const lora = loraIn(config, adapters)
  return lora === null ? null : { source, adapters, lora }
}

/** Linear weights of this network are [in, out]. */
function liesInOut(config: unknown): boolean {
  return !isEncoderType(modelTypeOf(config)) && !isLlamaLike(decoderConfigOf(config))
}

/** As the adapters of a policy were trained, but for what is dropped in training; null for those of other networks. */
function loraIn(file: unknown, { names, rank, scale }: AdapterFolder): LoraOptions | null {
  if (isEncoderType(modelTypeOf(file))) return null
  const config = decoderConfigOf(file)
  const targets = (['attention', 'mlp', 'all-linear'] as const).find((one) => {
    const wanted = Object.keys(adapterShapes(config, { rank, alpha: 1, dropout: 0, targets: one }))
    return (
      wanted.length === [...names].filter((name) => name.includes('.lora_')).length &&
      wanted.every((name) => names.has(name))
    )
  })
  return targets === undefined ? null : { rank, alpha: scale * rank, dropout: 0, targets }
}

interface Stored extends Omit<Checkpoint, 'folder' | 'optimizer' | 'reference'> {
  /** `apart` of the checkpoint that this one stands beside. */
  readonly below: ApartModel | null
}

/** @param unread files that are not needed, and not checked */
async function openStored(folder: string, unread: readonly string[] = []): Promise<Stored> {
  const state = await checkedState(folder, unread)
  const config = readJson(folder, CHECKPOINT_FILES.config)
  const tokenizer = CHECKPOINT_FILES.tokenizer in state.files ? readJson(folder, CHECKPOINT_FILES.tokenizer) : null
  const described = { state, config, tokenizer, language: readLanguage(folder, { config, tokenizer }) }
  if (!isAdapterFolder(folder)) {
    const reader = openSafeTensors(path.join(folder, CHECKPOINT_FILES.weights))
    return {
      ...described,
      source: readerSource(reader),
      adapters: null,
      below: null,
      hash: state.files[CHECKPOINT_FILES.weights] ?? '',
      close: () => reader.close(),
    }
  }
  if (state.base === null) throw damagedError(folder, 'it does not say which model its adapters belong to')
  const place = path.resolve(folder, state.base.path)
  const base = await openBase(place)
  if (base.hash !== state.base.hash) {
    base.close()
    throw damagedError(folder, `the model in ${place}, which its adapters belong to, was changed`)
  }
  const adapters = openAdapterFolder(folder)
  return {
    ...described,
    source: base.source,
    adapters,
    below: base.apart,
    hash: state.files[ADAPTER_WEIGHTS] ?? '',
    close() {
      base.close()
      adapters.close()
    },
  }
}

/** A model's folder, or a checkpoint that a later run began with, whose adapters are merged. */
async function openBase(folder: string): Promise<Pick<ModelFiles, 'source' | 'hash' | 'apart' | 'close'>> {
  if (existsSync(path.join(folder, CHECKPOINT_FILES.state))) return openModelFiles(folder)
  const model = openAnyModel(folder, true)
  return { source: model, hash: await model.hash(), apart: null, close: () => model.close() }
}

function readerSource(reader: WeightsReader): TensorSource {
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

/** As it was written, its files unseen. */
export function readState(folder: string): CheckpointState {
  return checkpointState.parse(readJson(folder, CHECKPOINT_FILES.state))
}

/** The state, after every file has been compared with what was written. */
async function checkedState(folder: string, unread: readonly string[]): Promise<CheckpointState> {
  try {
    const state = readState(folder)
    for (const [name, expected] of Object.entries(state.files)) {
      if (!unread.includes(name) && (await hashOf(path.join(folder, name))) !== expected)
        throw damagedError(folder, `${name} is not what was written`)
    }
    return state
  } catch (error) {
    if (error instanceof AppError) throw error
    throw damagedError(folder, error instanceof Error ? error.message : String(error), error)
  }
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file, { highWaterMark: 2 ** 20 })) hash.update(chunk as Buffer) // no encoding was asked for
  return hash.digest('hex')
}

function damagedError(folder: string, what: string, cause?: unknown): AppError {
  return new AppError({
    code: 'spec-invalid',
    message: `The checkpoint ${folder} cannot be used: ${what}.`,
    hint: 'Choose another checkpoint, or train that run again.',
    cause,
  })
}
