import { existsSync, statSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import type { ModelDetail, ModelFacts } from '../../../shared/contract/models.ts'
import { AppError } from '../../../shared/errors.ts'
import type { FileMark } from './file-mark.ts'
import { openAnyModel, type EncoderFolder, type ModelFolder } from './folder.ts'
import { isGguf } from './gguf/place.ts'
import { fileIn, filesBeside, readJson } from './model-files.ts'
import { embeddingFiles, readEmbeddingSetup } from './sentence-transformers.ts'

type Tokenizer = ModelDetail['tokenizer']

/** Everything the registry tells of a model, read from its folder now. */
export interface ModelReading {
  readonly facts: ModelFacts
  readonly tensors: ModelDetail['tensors']
  readonly config: ModelDetail['config']
  readonly tokenizer: Tokenizer
  readonly chatTemplate: string | null
  /** Relative to the folder, in the order of their names: what a copy takes and what is watched for changes. */
  readonly files: readonly string[]
}

/** @throws AppError `file-not-found`, `model-unsupported`, naming file or tensor */
export function readModel(folder: string): ModelReading {
  return withFolder(folder, (model) => ({
    facts: factsOf(model),
    tensors: model.tensors.map((tensor) => ({
      ...tensor,
      shape: [...tensor.shape],
      unused: model.unused.includes(tensor.name),
    })),
    config: z.record(z.string(), z.json()).parse(rawConfig(folder)),
    tokenizer: describeTokenizer(model.tokenizer),
    chatTemplate: model.language.chatTemplate,
    files: filesOf(model),
  }))
}

/** sha256 over the names and bytes of configuration, tokenizer and weights; see ModelFolder. */
export async function hashModel(
  folder: string,
  onProgress: (doneBytes: number, totalBytes: number) => void,
  signal?: AbortSignal,
): Promise<string> {
  requireFolder(folder)
  const model = openAnyModel(folder)
  try {
    return await model.hash(onProgress, signal)
  } finally {
    model.close()
  }
}

function withFolder<T>(folder: string, work: (model: ModelFolder | EncoderFolder) => T): T {
  requireFolder(folder)
  const model = openAnyModel(folder)
  try {
    return work(model)
  } finally {
    model.close()
  }
}

function requireFolder(folder: string): void {
  const found = statSync(folder, { throwIfNoEntry: false })
  if (found === undefined)
    throw new AppError({
      code: 'file-not-found',
      message: `There is no folder ${folder}.`,
      hint: 'Give the folder that holds config.json and model.safetensors, or a .gguf file.',
    })
  if (!found.isDirectory() && !isGguf(folder))
    throw new AppError({
      code: 'file-not-found',
      message: `${folder} is a file.`,
      hint: 'Give the folder it lies in: a model is config.json, model.safetensors and tokenizer.json together. Of files alone, .gguf is read.',
    })
}

/** Tokens; of an encoder no more than its modules let through. */
function contextLengthOf(model: ModelFolder | EncoderFolder): number | null {
  if (model.kind === 'encoder')
    return Math.min(model.config.maxPositions, readEmbeddingSetup(model.folder).maxTokens ?? Number.POSITIVE_INFINITY)
  const positions = z
    .looseObject({ max_position_embeddings: z.int().optional(), n_positions: z.int().optional() })
    .safeParse(rawConfig(model.folder))
  return (
    model.config.maxPositions ??
    (positions.success ? (positions.data.max_position_embeddings ?? positions.data.n_positions) : undefined) ??
    null
  )
}

function factsOf(model: ModelFolder | EncoderFolder): ModelFacts {
  return {
    kind: model.kind,
    family: model.family,
    parameterCount: model.parameterCount,
    dtype: model.dtype,
    sizeBytes: model.weightBytes,
    vocabSize: model.config.vocabSize,
    contextLength: contextLengthOf(model),
    hasTokenizer: model.tokenizer !== null,
    hasChatTemplate: model.language.chatTemplate !== null,
    unused: [...model.unused],
    licence: model.licence,
  }
}

function rawConfig(folder: string): unknown {
  return readJson(folder, 'config.json', true)
}

const tokenizerFile = z.looseObject({
  model: z.looseObject({
    type: z.string().default('BPE'),
    vocab: z.union([z.record(z.string(), z.number()), z.array(z.unknown())]).optional(),
  }),
  added_tokens: z.array(z.looseObject({ content: z.string(), special: z.boolean().default(false) })).default([]),
})

function describeTokenizer(json: unknown): Tokenizer {
  if (json === null) return null
  const parsed = tokenizerFile.safeParse(json)
  if (!parsed.success) return null
  const { model, added_tokens: added } = parsed.data
  const vocabulary = new Set(
    Array.isArray(model.vocab)
      ? model.vocab.map((entry) => (Array.isArray(entry) ? entry[0] : entry))
      : Object.keys(model.vocab ?? {}),
  )
  for (const token of added) vocabulary.add(token.content)
  return {
    type: model.type,
    tokens: vocabulary.size,
    special: added
      .filter((token) => token.special)
      .map((token) => token.content)
      .slice(0, 200),
  }
}

/** Beside the weights: settings, vocabulary, template, licence. Not a training state, which no model needs. */
const COMPANION =
  /^(config|generation_config|tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab|modules|sentence_bert_config|config_sentence_transformers|preprocessor_config|model\.safetensors\.index)\.json$|^(vocab|merges)\.txt$|^chat_template\.jinja$|^readme\.md$|^(licen[cs]e|notice)(\.|$)/i

function filesOf(model: ModelFolder | EncoderFolder): string[] {
  const weights = model.tensors.map((tensor) => tensor.file)
  const companions = filesBeside(model.folder).filter(
    (name) => COMPANION.test(name) && statSync(path.join(model.folder, name)).isFile(),
  )
  return [
    ...new Set([...weights, ...companions, ...(model.kind === 'encoder' ? embeddingFiles(model.folder) : [])]),
  ].toSorted()
}

/** Size and time of each file as they are now. */
export function markFiles(folder: string, files: readonly string[]): FileMark[] {
  return files.map((name) => {
    const { size, mtimeMs } = statSync(fileIn(folder, name))
    return { name, sizeBytes: size, mtimeMs }
  })
}

/** The first file that is gone, or of another size or time than its mark; null when all are as they were. */
export function findChange(
  folder: string,
  marks: readonly FileMark[],
): { readonly kind: 'missing' | 'changed'; readonly file: string | null } | null {
  if (!existsSync(folder)) return { kind: 'missing', file: null }
  for (const mark of marks) {
    const found = statSync(fileIn(folder, mark.name), { throwIfNoEntry: false })
    if (found === undefined) return { kind: 'missing', file: mark.name }
    if (found.size !== mark.sizeBytes || found.mtimeMs !== mark.mtimeMs) return { kind: 'changed', file: mark.name }
  }
  return null
}
