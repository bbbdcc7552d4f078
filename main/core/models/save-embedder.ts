// An embedder as a folder that sentence-transformers opens: network, tokenizer, pooling and what follows it.
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { headShapes, type DenseLayer, type EmbeddingHead } from '../learn/models/embedder.ts'
import { encoderConfigOf, isEncoderType } from '../learn/models/encoder-config.ts'
import { encoderShapes } from '../learn/models/encoder-parameters.ts'
import { decoderConfigOf, modelTypeOf } from '../learn/models/hf-config.ts'
import { parameterShapes, type TensorSource } from '../learn/models/parameters.ts'
import { POOLING_MODES } from '../learn/models/pooling.ts'
import { loadTextTokenizer } from '../learn/tokens/text-tokenizer.ts'
import { openAnyModel, type EncoderFolder, type ModelFolder } from './folder.ts'
import { filesBeside, readJson, tokenText } from './model-files.ts'
import { writeNewFolder } from './new-folder.ts'
import { OLDER_POOLING } from './sentence-transformers.ts'
import { writeSafeTensors, type TensorToWrite } from './write.ts'

/** Beside weights and tokenizer.json, and the same before and after training. */
const COMPANIONS =
  /^(tokenizer_config|special_tokens_map|added_tokens|generation_config|config_sentence_transformers)\.json$|^vocab\.txt$|^chat_template\.jinja$|^(licen[cs]e|notice)(\.|$)/i
const ACTIVATION_NAMES: Readonly<Record<DenseLayer['activation'], string>> = {
  identity: 'torch.nn.modules.linear.Identity',
  tanh: 'torch.nn.modules.activation.Tanh',
  relu: 'torch.nn.modules.activation.ReLU',
  gelu: 'torch.nn.modules.activation.GELU',
}

export interface EmbedderToSave {
  /** config.json */
  readonly config: unknown
  /** tokenizer.json */
  readonly tokenizer: unknown
  /** It is framed otherwise than the one of the folder that it came from, whose settings of the tokenizer are not copied then. */
  readonly ownFrame: boolean
  /** The network's weights, adapters merged, and the head's, by the names that the network has for them. */
  readonly weights: TensorSource
  readonly head: EmbeddingHead
  /** How its vectors are compared; null: as whoever opens it prefers. */
  readonly similarity: 'cosine' | 'dot' | null
  /** Longest text in tokens; null: any. */
  readonly maxTokens: number | null
  /** Lower case before the tokenizer. */
  readonly lowercase: boolean
  /**
   * Folder that it came from, where there is one: what that holds besides goes along. Settings, licence, prompts, and a
   * BERT's pooler or a decoder's head, which are not read here.
   */
  readonly origin: string | null
}

/**
 * Writes it whole or not at all: float32, one weight at a time.
 * @param target made here; must not exist, or be empty   @param card text of README.md
 * @returns names of the files, relative and sorted
 * @throws AppError `input-invalid` for a full folder, `model-unsupported` for a configuration that is no network's
 */
export async function saveEmbedder(made: EmbedderToSave, target: string, card: string): Promise<string[]> {
  const network = networkOf(made.config)
  const origin = made.origin === null || !existsSync(made.origin) ? null : openAnyModel(made.origin, true)
  try {
    return await writeNewFolder(target, async (folder) => {
      await writeSafeTensors(
        path.join(folder, 'model.safetensors'),
        { ...tensorsOf(made.weights, network.shapes), ...(origin === null ? {} : otherTensors(origin)) },
        { format: 'pt' },
      )
      if (origin !== null)
        for (const name of filesBeside(origin.folder).filter((one) => COMPANIONS.test(one)))
          if (!made.ownFrame || name !== 'tokenizer_config.json')
            cpSync(path.join(origin.folder, name), path.join(folder, name))
      writeJson(folder, 'config.json', configOf(made.config, network))
      writeJson(folder, 'tokenizer.json', made.tokenizer)
      if (!existsSync(path.join(folder, 'tokenizer_config.json')))
        writeJson(folder, 'tokenizer_config.json', {
          tokenizer_class: 'PreTrainedTokenizerFast',
          pad_token: tokenText(made.tokenizer, loadTextTokenizer(made.tokenizer).padId), // rows of a batch are filled up with it
          ...(made.maxTokens === null ? {} : { model_max_length: made.maxTokens }),
        })
      if (made.similarity !== null) writeSimilarity(folder, made.similarity)
      await writeModules(made, network.hidden, folder)
      writeFileSync(path.join(folder, 'README.md'), card)
    })
  } finally {
    origin?.close()
  }
}

function tensorsOf(
  weights: TensorSource,
  shapes: Readonly<Record<string, readonly number[]>>,
): Record<string, TensorToWrite> {
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]): [string, TensorToWrite] => [
      name,
      { shape, read: () => weights.read(name).data },
    ]),
  )
}

interface NetworkFacts {
  /** Width of a token's state. */
  readonly hidden: number
  /** Up to the last hidden states: a decoder's head has no part in a vector. */
  readonly shapes: Readonly<Record<string, readonly number[]>>
  /** What the library calls it without a head; null: the file says. */
  readonly architecture: string | null
}

function networkOf(json: unknown): NetworkFacts {
  const type = modelTypeOf(json)
  if (isEncoderType(type)) {
    const config = encoderConfigOf(type, json)
    return {
      hidden: config.hidden,
      shapes: encoderShapes(config),
      architecture: config.family === 'bert' ? 'BertModel' : 'DistilBertModel',
    }
  }
  const config = decoderConfigOf(json)
  return {
    hidden: config.hidden,
    shapes: parameterShapes({ ...config, tiedEmbeddings: true, scoreHead: false }),
    architecture: null,
  }
}

/** What other programs look for and an embedding does not need: a BERT's pooler, a decoder's head. */
function otherTensors(origin: ModelFolder | EncoderFolder): Record<string, TensorToWrite> {
  const kept = origin.tensors.filter(({ name }) =>
    origin.kind === 'encoder' ? /^(bert\.)?pooler\./.test(name) : name === 'lm_head.weight',
  )
  return Object.fromEntries(
    kept.map(({ name, shape }): [string, TensorToWrite] => [
      name.replace(/^bert\./, ''),
      { shape, read: () => origin.readStored(name).data },
    ]),
  )
}

/** Beside the prompts that may stand there already. */
function writeSimilarity(folder: string, similarity: string): void {
  const name = 'config_sentence_transformers.json'
  writeJson(folder, name, {
    ...(readJson(folder, name, false) as object | null),
    similarity_fn_name: similarity,
  })
}

/** The libraries load weights in the type that the file says. */
function configOf(json: unknown, { architecture }: NetworkFacts): unknown {
  const { dtype: _dtype, ...config } = json as Record<string, unknown> // networkOf has read it
  return { ...config, ...(architecture === null ? {} : { architectures: [architecture] }), torch_dtype: 'float32' }
}

/** In the spelling that every version reads. */
async function writeModules(
  { head, weights, maxTokens, lowercase }: EmbedderToSave,
  hidden: number,
  folder: string,
): Promise<void> {
  const { pooling, dense, normalize } = head
  const module = (at: number, kind: string): string => `${at}_${kind}`
  const kinds = ['Pooling', ...dense.map(() => 'Dense'), ...(normalize ? ['Normalize'] : [])]
  writeJson(
    folder,
    'modules.json',
    ['Transformer', ...kinds].map((kind, at) => ({
      idx: at,
      name: String(at),
      path: at === 0 ? '' : module(at, kind),
      type: `sentence_transformers.models.${kind}`,
    })),
  )
  writeJson(folder, 'sentence_bert_config.json', { max_seq_length: maxTokens, do_lower_case: lowercase })
  // The older spelling has one order; any other order needs the newer one.
  const ordered = POOLING_MODES.filter((mode) => pooling.includes(mode))
  const older = pooling.length === ordered.length && pooling.every((mode, at) => mode === ordered[at])
  const modes = older
    ? Object.fromEntries(POOLING_MODES.map((mode) => [OLDER_POOLING[mode], pooling.includes(mode)]))
    : { pooling_mode: pooling }
  writeJson(folder, `${module(1, 'Pooling')}/config.json`, { word_embedding_dimension: hidden, ...modes })
  for (const [at, layer] of dense.entries()) {
    const inside = module(at + 2, 'Dense')
    writeJson(folder, `${inside}/config.json`, {
      in_features: layer.inputs,
      out_features: layer.outputs,
      bias: layer.bias,
      activation_function: ACTIVATION_NAMES[layer.activation],
    })
    const tensors = Object.entries(headShapes(head)).filter(([name]) => name.startsWith(`dense.${at}.`))
    await writeSafeTensors(
      path.join(folder, inside, 'model.safetensors'),
      Object.fromEntries(
        tensors.map(([name, shape]): [string, TensorToWrite] => [
          `linear.${name.split('.').at(-1)!}`,
          { shape, read: () => weights.read(name).data },
        ]),
      ),
      { format: 'pt' },
    )
  }
  if (normalize) mkdirSync(path.join(folder, module(kinds.length, 'Normalize')), { recursive: true })
}

function writeJson(folder: string, name: string, value: unknown): void {
  mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
  writeFileSync(path.join(folder, name), `${JSON.stringify(value, null, 2)}\n`)
}
