import { AppError } from '../../../shared/errors.ts'
import type { ModelSpec } from '../../../shared/run-spec.ts'
import { byteTokenizer } from '../learn/tokens/bpe-trainer.ts'
import { headShapes } from '../learn/models/embedder.ts'
import { encoderConfigOf, isEncoderType } from '../learn/models/encoder-config.ts'
import { decoderConfigOf, modelTypeOf } from '../learn/models/hf-config.ts'
import { presetConfig, type DecoderConfig } from '../learn/models/model-config.ts'
import { loadTokenizer } from '../learn/tokens/tokenizer.ts'
import { packedBytes, type PackedForm } from '../learn/models/packed.ts'
import { hubNameOf } from './gguf/architecture.ts'
import { packedFormOf } from './gguf/pack.ts'
import { findGguf, ggufHeader } from './gguf/place.ts'
import { readJson } from './model-files.ts'
import { decoderSizes, encoderSizes, type NetworkSizes } from './network-sizes.ts'
import { readEmbeddingSetup } from './sentence-transformers.ts'
import { openShards, type Shards } from './shards.ts'
import type { StoredBytes } from './training-memory.ts'

/** The sizes of a model that is to be made; a BPE may end up with fewer tokens than it may have. */
export function sizesOfNew(
  { preset, tokenizer, tiedEmbeddings }: Extract<ModelSpec, { kind: 'new' }>,
  scoreHead: boolean,
): DecoderConfig {
  const vocabSize = tokenizer.kind === 'bpe' ? tokenizer.vocabSize : loadTokenizer(byteTokenizer()).vocabSize
  return presetConfig(preset, vocabSize, { tiedEmbeddings, scoreHead })
}

/** The sizes of the model in a folder, from its config.json alone. @throws AppError `model-unsupported` */
export function sizesIn(folder: string, scoreHead: boolean): DecoderConfig {
  return { ...decoderConfigOf(readJson(folder, 'config.json', true)), scoreHead }
}

/**
 * Of what embeds texts in a folder, or a checkpoint's; null for networks on numbers.
 * @param scores a linear head stands on its vectors
 * @throws AppError `model-unsupported`
 */
export function embedderSizesIn(folder: string, scores: boolean): NetworkSizes | null {
  const file = readJson(folder, 'config.json', true)
  const type = modelTypeOf(file)
  if (type.startsWith('pairlab-')) return null
  const setup = readEmbeddingSetup(folder)
  const found = isEncoderType(type)
    ? encoderSizes(encoderConfigOf(type, file), headShapes(setup.head))
    : decoderSizes({ ...decoderConfigOf(file), scoreHead: false }, 'vectors')
  const limits = [setup.maxTokens, found.maxTokens].filter((limit) => limit !== null)
  const head = scores ? { 'ranking_head.weight': [found.hidden, 1] } : {}
  return {
    ...found,
    shapes: { ...found.shapes, ...head },
    heads: new Set([...found.heads, ...Object.keys(head)]),
    maxTokens: limits.length === 0 ? null : Math.min(...limits),
  }
}

/** What matrices take that are kept as the model's file has them; null where it has none in fewer bits. */
export function storedBytesIn(folder: string): StoredBytes | null {
  const sizes = new Map<string, number>()
  for (const [name, form, shape] of storedForms(folder))
    if (form !== null && shape.length === 2) sizes.set(name, packedBytes(form, shape[0]! * shape[1]!))
  return sizes.size === 0 ? null : (name) => sizes.get(name) ?? sizes.get(name.replace(/^[^.]*\./, '')) ?? null
}

function storedForms(folder: string): (readonly [name: string, form: PackedForm | null, shape: readonly number[]])[] {
  const gguf = findGguf(folder)
  if (gguf !== null)
    return ggufHeader(gguf).tensors.map(({ name, type, shape }) => [hubNameOf(name), packedFormOf(type), shape])
  const readers = [...shardsIn(folder).values()]
  for (const reader of readers) reader.close()
  return readers.flatMap(({ entries }) =>
    Object.entries(entries).map(
      ([name, { dtype, shape }]) => [name, dtype === 'BF16' ? ('bfloat16' as const) : null, shape] as const,
    ),
  )
}

/** None where the weights are missing or damaged: what reads them says so. */
function shardsIn(folder: string): Shards['readers'] {
  try {
    return openShards(folder).readers
  } catch (error) {
    if (error instanceof AppError) return new Map()
    throw error
  }
}
