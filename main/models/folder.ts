// A model in the layout of the Hugging Face libraries: config.json, safetensors in one file or in shards, tokenizer.json.
import { createHash } from 'node:crypto'
import { createReadStream, existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { AppError } from '../../shared/errors.ts'
import { decoderConfigOf, modelTypeOf } from '../learn/models/hf-config.ts'
import type { DecoderConfig, Family } from '../learn/models/model-config.ts'
import { layerPrefix, outerNames, parameterCount, parameterShapes, type NamedTensor, type TensorSource } from '../learn/models/parameters.ts'
import { openSafeTensors, type SafeTensorsReader } from './safetensors-file.ts'

export interface StoredTensor {
  /** As in the file. */
  readonly name: string
  readonly dtype: string
  readonly shape: readonly number[]
  /** Name of the file that holds it. */
  readonly file: string
  readonly sizeBytes: number
}

export interface ModelFolder extends TensorSource {
  readonly folder: string
  readonly family: Family
  readonly config: DecoderConfig
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
  readonly chatTemplate: string | null
  /** Names of the special tokens, as a chat template asks for them: bos_token, eos_token … */
  readonly specialTokens: Readonly<Record<string, string>>
  readonly generationConfig: unknown
  readonly licence: { readonly name: string; readonly text: string } | null
  /** A parameter by the decoder's name for it, as float32, read from the disk now. */
  read(name: string): NamedTensor
  /** sha256 over the names and bytes of configuration, tokenizer and weights. */
  hash(onProgress?: (doneBytes: number, totalBytes: number) => void, signal?: AbortSignal): Promise<string>
  close(): void
}

/** @throws AppError `file-not-found`, `model-unsupported`: naming the file or the tensor */
export function openModelFolder(folder: string): ModelFolder {
  const configJson = readJson(folder, 'config.json', true)
  const config = decoderConfigOf(configJson)
  const shards = openShards(folder)
  try {
    return describe(folder, configJson, config, shards)
  } catch (error) {
    for (const shard of shards.readers.values()) shard.close()
    throw error
  }
}

interface Shards {
  /** By file name. */
  readonly readers: ReadonlyMap<string, SafeTensorsReader>
  /** Tensor name → file name. */
  readonly places: ReadonlyMap<string, string>
}

function describe(folder: string, configJson: unknown, config: DecoderConfig, { readers, places }: Shards): ModelFolder {
  const shapes = parameterShapes(config)
  const stored = [...places].map(([name, file]): StoredTensor => {
    const { dtype, shape, begin, end } = readers.get(file)!.entries[name]!
    return { name, dtype, shape, file, sizeBytes: end - begin }
  })
  const byName = new Map(stored.map((tensor) => [tensor.name, tensor]))
  const nameOf = matchNames(config, shapes, byName)
  const used = new Set(nameOf.values())
  const buffers = /(^|\.)(rotary_emb\.inv_freq|attn\.(bias|masked_bias))$/
  const tiedHead = config.tiedEmbeddings ? `${outerNames(config).head}.weight` : ''
  const family = config.family ?? 'llama'
  return {
    folder,
    family,
    config,
    configJson,
    parameterCount: parameterCount(config),
    tensors: stored,
    unused: stored.map((tensor) => tensor.name).filter((name) => !used.has(name) && !buffers.test(name) && name !== tiedHead),
    weightBytes: stored.reduce((sum, tensor) => sum + tensor.sizeBytes, 0),
    dtype: mostCommonType(stored),
    tokenizer: readJson(folder, 'tokenizer.json', false),
    chatTemplate: readChatTemplate(folder),
    specialTokens: readSpecialTokens(folder),
    generationConfig: readJson(folder, 'generation_config.json', false),
    licence: readLicence(folder),
    read(name) {
      const from = nameOf.get(name)
      if (from === undefined) throw new RangeError(`the weights have no tensor ${name}`)
      const tensor = byName.get(from)!
      return { shape: tensor.shape, data: readers.get(tensor.file)!.read(from) }
    },
    hash: (onProgress, signal) => hashFiles(folder, ['config.json', ...(existsSync(path.join(folder, 'tokenizer.json')) ? ['tokenizer.json'] : []), ...[...readers.keys()].toSorted()], onProgress, signal),
    close: () => readers.forEach((reader) => reader.close()),
  }
}

/**
 * The decoder's name of each parameter → its name in the files, which may lack the outer prefix. A score head that is
 * wanted and not there is left to the caller.
 * @throws AppError `model-unsupported` naming the tensor that is missing or has another shape
 */
function matchNames(config: DecoderConfig, shapes: Readonly<Record<string, readonly number[]>>, stored: ReadonlyMap<string, StoredTensor>): Map<string, string> {
  const prefix = layerPrefix(config, 0).split('.')[0]! // model or transformer
  const names = new Map<string, string>()
  for (const [name, shape] of Object.entries(shapes)) {
    const bare = name.startsWith(`${prefix}.`) ? name.slice(prefix.length + 1) : name
    const found = stored.get(name) ?? stored.get(bare)
    if (found === undefined) {
      throw new AppError({ code: 'model-unsupported', message: `The weights have no tensor ${name} of shape [${shape.join(', ')}], which config.json asks for.`, hint: 'A shard may be missing, or config.json belongs to another model.' })
    }
    if (found.shape.length !== shape.length || shape.some((size, axis) => found.shape[axis] !== size)) {
      throw new AppError({ code: 'model-unsupported', message: `${found.name} in ${found.file} has shape [${found.shape.join(', ')}]; config.json asks for [${shape.join(', ')}].`, hint: 'config.json belongs to another model.' })
    }
    names.set(name, found.name)
  }
  return names
}

const indexFile = z.looseObject({ weight_map: z.record(z.string(), z.string()) })

function openShards(folder: string): Shards {
  const index = readJson(folder, 'model.safetensors.index.json', false)
  if (index === null) {
    if (!existsSync(path.join(folder, 'model.safetensors'))) throw noWeights(folder)
    const reader = openSafeTensors(path.join(folder, 'model.safetensors'))
    return { readers: new Map([['model.safetensors', reader]]), places: new Map(Object.keys(reader.entries).map((name) => [name, 'model.safetensors'])) }
  }
  const parsed = indexFile.safeParse(index)
  if (!parsed.success) throw new AppError({ code: 'model-unsupported', message: 'model.safetensors.index.json does not say which file holds which tensor.', hint: 'The file is damaged; fetch it again.' })
  const places = new Map(Object.entries(parsed.data.weight_map))
  const readers = new Map<string, SafeTensorsReader>()
  try {
    for (const file of new Set(places.values())) readers.set(file, openShard(folder, file))
    for (const [name, file] of places) {
      if (readers.get(file)!.entries[name] === undefined) throw new AppError({ code: 'model-unsupported', message: `${file} does not hold ${name}, which the index says it does.`, hint: 'The file is damaged or from another version of the model; fetch it again.' })
    }
  } catch (error) {
    for (const reader of readers.values()) reader.close()
    throw error
  }
  return { readers, places }
}

function openShard(folder: string, file: string): SafeTensorsReader {
  if (path.basename(file) !== file) throw new AppError({ code: 'model-unsupported', message: `The index names the file "${file}", which is not in the model's folder.`, hint: 'Shards must lie beside their index.' })
  if (!existsSync(path.join(folder, file))) throw new AppError({ code: 'model-unsupported', message: `The shard ${file} is missing.`, hint: 'The model was not copied whole; fetch the file into the same folder.' })
  return openSafeTensors(path.join(folder, file))
}

function noWeights(folder: string): AppError {
  const others = readdirSync(folder)
  const pickle = others.find((name) => /\.(bin|pt|pth|ckpt)$/.test(name))
  if (pickle !== undefined) {
    return new AppError({ code: 'model-unsupported', message: `The weights are in ${pickle}, a pickle file: reading it can run any program inside it.`, hint: 'Save the model as safetensors where it was made (save_pretrained does so), or take a version that has model.safetensors.' })
  }
  return new AppError({ code: 'file-not-found', message: `There is no model.safetensors in ${folder}.`, hint: 'Choose the folder that holds config.json and the weights.' })
}

function readJson(folder: string, name: string, needed: boolean): unknown {
  const file = path.join(folder, name)
  if (!existsSync(file)) {
    if (!needed) return null
    throw new AppError({ code: 'file-not-found', message: `There is no ${name} in ${folder}.`, hint: 'Choose the folder of a model: config.json, model.safetensors and tokenizer.json.' })
  }
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new AppError({ code: 'model-unsupported', message: `${name} is not JSON: ${error instanceof Error ? error.message : String(error)}`, hint: 'The file is damaged; fetch it again.', cause: error })
  }
}

const templateField = z.looseObject({ chat_template: z.union([z.string(), z.array(z.looseObject({ name: z.string(), template: z.string() }))]) })

function readChatTemplate(folder: string): string | null {
  const file = path.join(folder, 'chat_template.jinja')
  if (existsSync(file)) return readFileSync(file, 'utf8')
  const parsed = templateField.safeParse(readJson(folder, 'tokenizer_config.json', false))
  if (!parsed.success) return null
  const template = parsed.data.chat_template
  return typeof template === 'string' ? template : (template.find((one) => one.name === 'default')?.template ?? null)
}

const specialToken = z.union([z.string(), z.looseObject({ content: z.string() })])

/** Of special_tokens_map.json and tokenizer_config.json; the latter is the newer file and wins. */
function readSpecialTokens(folder: string): Record<string, string> {
  const names: Record<string, string> = {}
  for (const file of ['special_tokens_map.json', 'tokenizer_config.json']) {
    for (const [key, value] of Object.entries((readJson(folder, file, false) ?? {}) as object)) {
      const token = key.endsWith('_token') ? specialToken.safeParse(value) : null
      if (token?.success === true) names[key] = typeof token.data === 'string' ? token.data : token.data.content
    }
  }
  return names
}

function readLicence(folder: string): ModelFolder['licence'] {
  const file = readdirSync(folder).find((name) => /^licen[cs]e(\.|$)/i.test(name))
  if (file !== undefined) return { name: file, text: readFileSync(path.join(folder, file), 'utf8') }
  const readme = path.join(folder, 'README.md')
  if (!existsSync(readme)) return null
  const line = (/^---\n[\s\S]*?^license:\s*(.+?)\s*$[\s\S]*?^---$/m).exec(readFileSync(readme, 'utf8'))
  return line === null ? null : { name: 'README.md', text: line[1]! }
}

function mostCommonType(tensors: readonly StoredTensor[]): string {
  const bytes = new Map<string, number>()
  for (const { dtype, sizeBytes } of tensors) bytes.set(dtype, (bytes.get(dtype) ?? 0) + sizeBytes)
  return [...bytes].toSorted(([, a], [, b]) => b - a)[0]?.[0] ?? ''
}

async function hashFiles(folder: string, names: readonly string[], onProgress: (doneBytes: number, totalBytes: number) => void = () => undefined, signal?: AbortSignal): Promise<string> {
  const total = names.reduce((sum, name) => sum + statSync(path.join(folder, name)).size, 0)
  const hash = createHash('sha256')
  let done = 0
  for (const name of names) {
    hash.update(`${name}\n`)
    for await (const chunk of createReadStream(path.join(folder, name), { highWaterMark: 2 ** 20, ...(signal === undefined ? {} : { signal }) })) {
      const bytes = chunk as Buffer // no encoding was asked for
      hash.update(bytes)
      done += bytes.length
      onProgress(done, total)
    }
  }
  return hash.digest('hex')
}

/** Whether a folder looks like a model of a kind that is not a decoder. */
export function modelTypeIn(folder: string): string {
  return modelTypeOf(readJson(folder, 'config.json', true))
}
