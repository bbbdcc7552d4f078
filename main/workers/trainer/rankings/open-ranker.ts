import { byteTokenizer, trainBpe } from '../../../core/learn/tokens/bpe-trainer.ts'
import { presetConfig } from '../../../core/learn/models/decoder.ts'
import type { TextEmbedder } from '../../../core/learn/models/embedder.ts'
import { EMBEDDINGS, encoderShapes } from '../../../core/learn/models/encoder-parameters.ts'
import { decoderConfigFile } from '../../../core/learn/models/hf-config.ts'
import { freshWeights, outerNames, parameterShapes } from '../../../core/learn/models/parameters.ts'
import { createRandom } from '../../../core/learn/random.ts'
import { loadTextTokenizer, type TextTokenizer } from '../../../core/learn/tokens/text-tokenizer.ts'
import { openModelFiles } from '../../../core/models/checkpoint-files.ts'
import {
  embedderOf,
  networkOf,
  type EmbedderNetwork,
  type EmbedderOptions,
} from '../../../core/models/embedder-folder.ts'
import { openAnyModel } from '../../../core/models/folder.ts'
import { adapterConfigFile, encoderAdapterConfigFile } from '../../../core/models/peft.ts'
import { AppError } from '../../../../shared/errors.ts'
import { KEPT_ORIGIN, keepOrigin } from '../keep-origin.ts'
import { loraOf } from '../model.ts'
import type { RunContext } from '../run-context.ts'
import type { RankingData } from './ranking-data.ts'
import type { RankerBase } from './ranking-scorer.ts'

/** A network that embeds texts, as a ranker trains it. */
export interface Ranker {
  readonly embedder: TextEmbedder
  readonly tokenizer: TextTokenizer
  /** config.json */
  readonly config: unknown
  /** Longest text in tokens; null: any. */
  readonly maxTokens: number | null
  /** Null where no adapters train. */
  readonly base: RankerBase | null
}

/** What a run begins with, before it is made to train. */
interface Start {
  readonly network: EmbedderNetwork
  readonly config: unknown
  readonly base: RankerBase['note']
  close(): void
}

/** @throws AppError `spec-invalid`, `model-unsupported` */
export async function openRanker(context: RunContext, data: RankingData): Promise<Ranker> {
  const { training, seed } = context.spec
  const { network, config, base: note, close } = await openStart(context, data)
  const lora = loraOf(training)
  try {
    const { embedder, tokenizer, maxTokens } = embedderOf(network, {
      recompute: training.gradientCheckpointing,
      frozenStorage: training.adapt === 'full' ? 'float32' : training.frozenStorage,
      ...whatTrains(network, training.adapt),
      ...(lora === null ? {} : { lora: { options: lora, random: createRandom(seed).fork('adapters') } }),
    })
    if (lora === null) return { embedder, tokenizer, config, maxTokens, base: null }
    const base: RankerBase = {
      adapterConfig: (at) =>
        network.kind === 'encoder'
          ? encoderAdapterConfigFile(network.config, lora, at)
          : adapterConfigFile(network.config, lora, at),
      note,
      shapes: network.kind === 'encoder' ? encoderShapes(network.config) : parameterShapes(network.config),
      source: network.source,
    }
    return { embedder, tokenizer, config, maxTokens, base }
  } finally {
    close()
  }
}

/** Beside adapters nothing of the network does, its dense layers included. */
function whatTrains(network: EmbedderNetwork, adapt: string): Pick<EmbedderOptions, 'trainable'> {
  if (adapt === 'full') return { trainable: () => true }
  if (adapt === 'lora') return { trainable: () => false }
  const frozen = new Set(network.kind === 'encoder' ? EMBEDDINGS : embeddingsOf(network.config))
  return { trainable: (name) => !frozen.has(name.replace(/\.weight$/, '')) }
}

function embeddingsOf(config: Parameters<typeof outerNames>[0]): string[] {
  const { embedding, positions, head } = outerNames(config)
  return [embedding, head, ...(positions === null ? [] : [positions])]
}

async function openStart(context: RunContext, data: RankingData): Promise<Start> {
  const { model, seed, training } = context.spec
  if (model.kind === 'new') {
    const texts = [
      ...data.documents.flatMap(({ title, text }) => [title, text]),
      ...data.queries.train.map(({ text }) => text),
    ]
    const json = model.tokenizer.kind === 'byte' ? byteTokenizer() : trainBpe(texts, model.tokenizer.vocabSize)
    const { vocabSize } = loadTextTokenizer(json)
    const config = presetConfig(model.preset, vocabSize, { tiedEmbeddings: true, scoreHead: false })
    const source = freshWeights(config, createRandom(seed).fork('weights'))
    return {
      network: { kind: 'decoder', config, folder: null, source, tokenizer: json },
      config: decoderConfigFile(config, training.maxLength),
      base: null,
      close: () => undefined,
    }
  }
  if (model.kind === 'networks')
    throw new AppError({
      code: 'spec-invalid',
      message: 'Small networks score features, not texts.',
      hint: 'Give a new, registered or trained text encoder as the model.',
    })
  if (model.kind === 'run') {
    const keeps = loraOf(training) !== null
    const place = keeps ? await keepOrigin(context.folder, model.path) : model.path
    const files = await openModelFiles(place)
    return {
      network: networkOf(place, files),
      config: files.config,
      base: { path: keeps ? KEPT_ORIGIN : model.path, hash: model.hash },
      close: () => files.close(),
    }
  }
  const folder = openAnyModel(model.path, true)
  // Adapters belong to these weights alone.
  if (training.adapt === 'lora' && (await folder.hash()) !== model.hash) {
    folder.close()
    throw new AppError({
      code: 'spec-invalid',
      message: `The model ${model.path} was changed after this run was made.`,
      hint: 'Put the files back as they were, or add the model again and start another run.',
    })
  }
  return {
    network: { ...folder, source: folder },
    config: folder.configJson,
    base: { path: model.path, hash: model.hash },
    close: () => folder.close(),
  }
}
