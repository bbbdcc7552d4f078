// A folder as something that embeds texts, whichever kind of model it holds.
import { AppError } from '../../../shared/errors.ts'
import { embedTexts, type EmbedOptions, type Embeddings } from '../learn/embed/embed-texts.ts'
import { initialAdapters, type LoraOptions } from '../learn/models/adapters.ts'
import { decoderFrom } from '../learn/models/decoder.ts'
import { decoderEmbedder, encoderEmbedder, type EmbeddingHead, type TextEmbedder } from '../learn/models/embedder.ts'
import { encoderFrom } from '../learn/models/encoder.ts'
import type { FrozenStorage } from '../learn/models/frozen.ts'
import { initialEncoderAdapters } from '../learn/models/encoder-parameters.ts'
import { decoderConfigOf, modelTypeOf } from '../learn/models/hf-config.ts'
import { encoderConfigOf, isEncoderType } from '../learn/models/encoder-config.ts'
import { sourceOf, type NamedTensor, type TensorSource } from '../learn/models/parameters.ts'
import type { Random } from '../learn/random.ts'
import { loadTextTokenizer, type TextTokenizer } from '../learn/tokens/text-tokenizer.ts'
import type { ModelFiles } from './checkpoint-files.ts'
import { openAnyModel, type EncoderFolder, type ModelFolder } from './folder.ts'
import { PLAIN_SETUP, readEmbeddingSetup, type EmbeddingSetup } from './sentence-transformers.ts'

export interface EmbedderOptions {
  /** Which parameters train, the head's among them (`dense.<n>.weight`); absent: none, which holds the weights once. */
  readonly trainable?: (name: string) => boolean
  /** Adapters beside the network, which then trains nothing else; `trainable` goes on to choose within the head. */
  readonly lora?: { readonly options: LoraOptions; readonly random: Random } | null
  /** How matrices that do not train are kept; absent: float32. */
  readonly frozenStorage?: FrozenStorage
  /** Compute layers again in the backward pass in place of keeping them. */
  readonly recompute?: boolean
  /** In place of what the folder says of pooling, e.g. the last token's state of a decoder. */
  readonly head?: EmbeddingHead
}

export interface OpenedEmbedder {
  readonly kind: 'decoder' | 'encoder'
  readonly embedder: TextEmbedder
  readonly tokenizer: TextTokenizer
  readonly setup: EmbeddingSetup
  /** Longest text in tokens: the smaller of what the files say and of what the network knows; null: any. */
  readonly maxTokens: number | null
}

/**
 * Reads the network, the tokenizer and the head; the folder is closed again.
 * @throws AppError `file-not-found`, `model-unsupported`: naming the file, the module or the tensor
 */
export function openEmbedder(folder: string, options: EmbedderOptions = {}): OpenedEmbedder {
  const model = openAnyModel(folder, true)
  try {
    return embedderOf({ ...model, source: model }, options)
  } finally {
    model.close()
  }
}

/** A network's weights, wherever they are read from. */
export type EmbedderNetwork = (Pick<ModelFolder, 'kind' | 'config'> | Pick<EncoderFolder, 'kind' | 'config'>) & {
  /** Where its pooling and its limits stand; null where nothing says. */
  readonly folder: string | null
  readonly source: TensorSource
  /** tokenizer.json, parsed; null where there is none. */
  readonly tokenizer: unknown
}

/** What a checkpoint holds, adapters merged: its network without a head that writes. */
export function networkOf(
  folder: string,
  { config, source, tokenizer }: Pick<ModelFiles, 'config' | 'source' | 'tokenizer'>,
): EmbedderNetwork {
  const type = modelTypeOf(config)
  const of = { folder, source, tokenizer }
  if (isEncoderType(type)) return { kind: 'encoder', config: encoderConfigOf(type, config), ...of }
  return { kind: 'decoder', config: { ...decoderConfigOf(config), tiedEmbeddings: true, scoreHead: false }, ...of }
}

/** @throws AppError `model-unsupported` */
export function embedderOf(model: EmbedderNetwork, options: EmbedderOptions = {}): OpenedEmbedder {
  const { folder } = model
  const found = folder === null ? UNSAID : readEmbeddingSetup(folder)
  const setup = options.head === undefined ? found : { ...found, head: options.head }
  if (model.tokenizer === null)
    throw new AppError({
      code: 'model-unsupported',
      message: `There is no tokenizer.json in ${folder ?? 'it'}.`,
      hint: 'Save the tokenizer as a fast one (save_pretrained does so), and put its tokenizer.json beside the weights.',
    })
  const tokenizer = loadTextTokenizer(model.tokenizer, { lowercase: setup.lowercase })
  if (tokenizer.vocabSize > model.config.vocabSize)
    throw new AppError({
      code: 'model-unsupported',
      message: `The tokenizer has ${tokenizer.vocabSize} tokens and the model's embedding ${model.config.vocabSize}.`,
      hint: 'tokenizer.json belongs to another model.',
    })
  const embedder = build(model, setup, options)
  const limits = [setup.maxTokens, embedder.maxTokens].filter((limit) => limit !== null)
  return {
    kind: model.kind,
    embedder,
    tokenizer,
    setup,
    maxTokens: limits.length === 0 ? null : Math.min(...limits),
  }
}

/** The mean of the states, of a text of any length. */
const UNSAID: EmbeddingSetup = { ...PLAIN_SETUP, weights: sourceOf({}), prompts: {}, defaultPrompt: null }

export interface EmbedRequest extends Pick<EmbedOptions, 'batchTokens' | 'onProgress' | 'signal'> {
  /** Name of the prompt that is put before every text; absent: the folder's default, where it has one. */
  readonly prompt?: string
}

/** Embeds texts as the folder says: its prompt, its limit. @throws AppError `not-found` for an unknown prompt, `input-invalid` for a text without a token */
export async function embedWith(
  { embedder, tokenizer, setup, maxTokens }: OpenedEmbedder,
  texts: readonly string[],
  { prompt: named, ...options }: EmbedRequest = {},
): Promise<Embeddings> {
  const name = named ?? setup.defaultPrompt
  const prompt = name === null ? '' : setup.prompts[name]
  if (prompt === undefined) {
    const known = Object.keys(setup.prompts)
    throw new AppError({
      code: 'not-found',
      message: `The model has no prompt "${name}".`,
      hint: known.length === 0 ? 'It has no prompts.' : `It has: ${known.join(', ')}.`,
    })
  }
  try {
    return await embedTexts(embedder, tokenizer, texts, { ...options, maxTokens, prompt })
  } catch (error) {
    if (error instanceof RangeError)
      throw new AppError({
        code: 'input-invalid',
        message: `The texts cannot be embedded: ${error.message}.`,
        hint: 'Leave empty texts out, or choose a model that puts tokens around every text.',
        cause: error,
      })
    throw error
  }
}

function build(
  model: EmbedderNetwork,
  { head, weights }: EmbeddingSetup,
  { trainable = () => false, lora = null, recompute = false, frozenStorage = 'float32' }: EmbedderOptions,
): TextEmbedder {
  const beside = (
    adapters: Record<string, NamedTensor>,
  ): { readonly lora: LoraOptions; readonly adapters: ReturnType<typeof sourceOf> } => ({
    lora: lora!.options,
    adapters: sourceOf(adapters),
  })
  try {
    if (model.kind === 'encoder') {
      const adapters = lora === null ? {} : beside(initialEncoderAdapters(model.config, lora.options, lora.random))
      return withHead(
        encoderFrom(model.config, model.source, { trainable, recompute, frozenStorage, ...adapters }),
        (network) => encoderEmbedder(network, head, { weights, trainable }),
      )
    }
    const adapters = lora === null ? {} : beside(initialAdapters(model.config, lora.options, lora.random))
    return withHead(
      decoderFrom(model.config, model.source, { trainable, recompute, frozenStorage, ...adapters }),
      (network) => decoderEmbedder(network, head, { weights, trainable }),
    )
  } catch (error) {
    if (error instanceof RangeError)
      throw new AppError({
        code: 'model-unsupported',
        message: `${model.folder}: ${error.message}.`,
        hint: 'The modules of the folder do not belong together.',
        cause: error,
      })
    throw error
  }
}

/** The network is given back when its head does not fit. */
function withHead<N extends { dispose(): void }>(network: N, make: (network: N) => TextEmbedder): TextEmbedder {
  try {
    return make(network)
  } catch (error) {
    network.dispose()
    throw error
  }
}
