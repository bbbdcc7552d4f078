// A model in the layout of the Hugging Face libraries: config.json, safetensors in one file or in shards, tokenizer.json;
// or a GGUF file, which is all of these in one.
import { existsSync } from 'node:fs'
import path from 'node:path'
import { AppError } from '../../../shared/errors.ts'
import {
  encoderConfigOf,
  isEncoderType,
  type EncoderConfig,
  type EncoderFamily,
} from '../learn/models/encoder-config.ts'
import { encoderParameterCount, encoderShapes } from '../learn/models/encoder-parameters.ts'
import { decoderConfigOf, modelTypeOf } from '../learn/models/hf-config.ts'
import type { DecoderConfig, Family } from '../learn/models/model-config.ts'
import {
  layerPrefix,
  outerNames,
  parameterCount,
  parameterShapes,
  type NamedTensor,
  type TensorSource,
} from '../learn/models/parameters.ts'
import type { LanguageFiles } from '../learn/tokens/language.ts'
import { readLanguage } from './language-files.ts'
import { hashFiles, readJson, readLicence } from './model-files.ts'
import { embeddingFiles } from './sentence-transformers.ts'
import { openShards, type Shards } from './shards.ts'

export interface StoredTensor {
  /** As in the file. */
  readonly name: string
  readonly dtype: string
  readonly shape: readonly number[]
  /** Name of the file that holds it. */
  readonly file: string
  readonly sizeBytes: number
}

/** What every model folder has. */
interface StoredModel extends TensorSource {
  readonly folder: string
  /** config.json, parsed. */
  readonly configJson: unknown
  readonly parameterCount: number
  readonly tensors: readonly StoredTensor[]
  /** Tensors that no part of the model reads; buffers that older checkpoints carry are not among them. */
  readonly unused: readonly string[]
  /** Of the weights as stored. */
  readonly weightBytes: number
  /** The type most of the weights are stored in. */
  readonly dtype: string
  /** tokenizer.json, parsed; null where there is none. */
  readonly tokenizer: unknown
  /** How the model is spoken to. */
  readonly language: LanguageFiles
  readonly licence: { readonly name: string; readonly text: string } | null
  /** A parameter by the network's name for it, as float32, read from the disk now. */
  read(name: string): NamedTensor
  /** Any tensor by its name in the files, as float32, read from the disk now. */
  readStored(name: string): NamedTensor
  /** sha256 over the names and bytes of configuration, tokenizer and weights, and of what says how an encoder pools. */
  hash(onProgress?: (doneBytes: number, totalBytes: number) => void, signal?: AbortSignal): Promise<string>
  close(): void
}

export interface ModelFolder extends StoredModel {
  readonly kind: 'decoder'
  readonly family: Family
  readonly config: DecoderConfig
}

export interface EncoderFolder extends StoredModel {
  readonly kind: 'encoder'
  readonly family: EncoderFamily
  readonly config: EncoderConfig
}

/** A decoder's folder. @throws AppError `file-not-found`, `model-unsupported`: naming the file or the tensor */
export function openModelFolder(folder: string): ModelFolder {
  const model = openAnyModel(folder)
  if (model.kind === 'decoder') return model
  model.close()
  throw new AppError({
    code: 'model-unsupported',
    message: `The model in ${folder} is an encoder ("${model.family}"): it cannot write completions.`,
    hint: 'Choose a decoder, e.g. a Llama, Qwen or GPT-2 model.',
  })
}

/**
 * A decoder's or an encoder's folder.
 * @param headless for its hidden states alone: a decoder then needs no language-model head
 * @throws AppError `file-not-found`, `model-unsupported`: naming the file or the tensor
 */
export function openAnyModel(folder: string, headless = false): ModelFolder | EncoderFolder {
  const configJson = readJson(folder, 'config.json', true)
  const type = modelTypeOf(configJson)
  if (isEncoderType(type)) {
    const config = encoderConfigOf(type, configJson)
    return {
      kind: 'encoder',
      family: config.family,
      config,
      ...open(folder, configJson, encoderLayout(config), embeddingFiles(folder)),
    }
  }
  const said = decoderConfigOf(configJson)
  const config = headless ? { ...said, tiedEmbeddings: true, scoreHead: false } : said
  return {
    kind: 'decoder',
    family: config.family ?? 'llama',
    config,
    ...open(folder, configJson, decoderLayout(config), []),
  }
}

/** How a family's parameters are called in its files. */
interface Layout {
  readonly shapes: Readonly<Record<string, readonly number[]>>
  readonly parameterCount: number
  /** Names under which a parameter may be stored, the usual one first. */
  storedNames(name: string): readonly string[]
  /** Tensors that hold no weight of the model, or one that is stored twice. */
  ignored(name: string): boolean
}

function decoderLayout(config: DecoderConfig): Layout {
  const prefix = `${layerPrefix(config, 0).split('.')[0]!}.` // model. or transformer.
  return {
    shapes: parameterShapes(config),
    parameterCount: parameterCount(config),
    storedNames: (name) => (name.startsWith(prefix) ? [name, name.slice(prefix.length)] : [name]),
    ignored: (name) =>
      (config.tiedEmbeddings && name === `${outerNames(config).head}.weight`) ||
      /(^|\.)(rotary_emb\.inv_freq|attn\.(bias|masked_bias))$|^rope_freqs\.weight$/.test(name),
  }
}

/** Stored alone (`AutoModel`) or inside a model with a head, and with the norms' names of the first releases. */
function encoderLayout(config: EncoderConfig): Layout {
  return {
    shapes: encoderShapes(config),
    parameterCount: encoderParameterCount(config),
    storedNames(name) {
      const older = name.replace(/LayerNorm\.weight$/, 'LayerNorm.gamma').replace(/LayerNorm\.bias$/, 'LayerNorm.beta')
      return [...new Set([name, older])].flatMap((one) => [one, `${config.family}.${one}`])
    },
    ignored: (name) => /(^|\.)embeddings\.(position_ids|token_type_ids)$/.test(name),
  }
}

function open(folder: string, configJson: unknown, layout: Layout, moreFiles: readonly string[]): StoredModel {
  const shards = openShards(folder)
  try {
    return describe(folder, configJson, layout, moreFiles, shards)
  } catch (error) {
    for (const shard of shards.readers.values()) shard.close()
    throw error
  }
}

function describe(
  folder: string,
  configJson: unknown,
  layout: Layout,
  moreFiles: readonly string[],
  { readers, places }: Shards,
): StoredModel {
  const stored = [...places].map(([name, file]): StoredTensor => {
    const { dtype, shape, begin, end } = readers.get(file)!.entries[name]!
    return { name, dtype, shape, file, sizeBytes: end - begin }
  })
  const byName = new Map(stored.map((tensor) => [tensor.name, tensor]))
  const nameOf = matchNames(layout, byName)
  const used = new Set(nameOf.values())
  const readStored = (name: string): NamedTensor => {
    const tensor = byName.get(name)
    if (tensor === undefined) throw new RangeError(`the weights have no tensor ${name}`)
    return { shape: tensor.shape, data: readers.get(tensor.file)!.read(name) }
  }
  /** A head that nobody asked for is read where it is stored: adapters trained beside it write with it. */
  const placeOf = (name: string): string | undefined => nameOf.get(name) ?? byName.get(name)?.name
  const tokenizer = readJson(folder, 'tokenizer.json', false)
  return {
    folder,
    configJson,
    parameterCount: layout.parameterCount,
    tensors: stored,
    unused: stored.map((tensor) => tensor.name).filter((name) => !used.has(name) && !layout.ignored(name)),
    weightBytes: stored.reduce((sum, tensor) => sum + tensor.sizeBytes, 0),
    dtype: mostCommonType(stored),
    tokenizer,
    language: readLanguage(folder, { config: configJson, tokenizer }),
    licence: readLicence(folder),
    read(name) {
      const from = placeOf(name)
      if (from === undefined) throw new RangeError(`the weights have no tensor ${name}`)
      return readStored(from)
    },
    readPacked(name) {
      const from = placeOf(name)
      const tensor = from === undefined ? undefined : byName.get(from)
      return tensor === undefined ? null : (readers.get(tensor.file)!.readPacked?.(tensor.name) ?? null)
    },
    readStored,
    hash: (onProgress, signal) =>
      hashFiles(
        folder,
        [
          ...['config.json', 'tokenizer.json'].filter((name) => existsSync(path.join(folder, name))),
          ...moreFiles,
          ...[...readers.keys()].toSorted(),
        ],
        onProgress,
        signal,
      ),
    close: () => readers.forEach((reader) => reader.close()),
  }
}

/**
 * The network's name of each parameter → its name in the files. A score head that is wanted and not there is left to
 * the caller.
 * @throws AppError `model-unsupported` naming the tensor that is missing or has another shape
 */
function matchNames({ shapes, storedNames }: Layout, stored: ReadonlyMap<string, StoredTensor>): Map<string, string> {
  const names = new Map<string, string>()
  for (const [name, shape] of Object.entries(shapes)) {
    const found = storedNames(name)
      .map((one) => stored.get(one))
      .find((one) => one !== undefined)
    if (found === undefined) {
      throw new AppError({
        code: 'model-unsupported',
        message: `The weights have no tensor ${name} of shape [${shape.join(', ')}], which config.json asks for.`,
        hint: 'A shard may be missing, or config.json belongs to another model.',
      })
    }
    if (found.shape.length !== shape.length || shape.some((size, axis) => found.shape[axis] !== size)) {
      throw new AppError({
        code: 'model-unsupported',
        message: `${found.name} in ${found.file} has shape [${found.shape.join(', ')}]; config.json asks for [${shape.join(', ')}].`,
        hint: 'config.json belongs to another model.',
      })
    }
    names.set(name, found.name)
  }
  return names
}

function mostCommonType(tensors: readonly StoredTensor[]): string {
  const bytes = new Map<string, number>()
  for (const { dtype, sizeBytes } of tensors) bytes.set(dtype, (bytes.get(dtype) ?? 0) + sizeBytes)
  return [...bytes].toSorted(([, a], [, b]) => b - a)[0]?.[0] ?? ''
}
