// An embedder as a folder that sentence-transformers opens: network, tokenizer, pooling and what follows it.
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { AppError } from '../../../shared/errors.ts'
import { moveDurably, syncTree } from '../../base/files/durable.ts'
import { adapterNames, mergeAdapter } from '../learn/models/adapters.ts'
import { headShapes, type DenseLayer } from '../learn/models/embedder.ts'
import { isLlamaLike } from '../learn/models/model-config.ts'
import { POOLING_MODES } from '../learn/models/pooling.ts'
import type { OpenedEmbedder } from './embedder-folder.ts'
import { openAnyModel, type EncoderFolder, type ModelFolder } from './folder.ts'
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

/**
 * Writes it whole or not at all: float32, one weight at a time, adapters merged. What the folder it came from holds
 * besides goes along: settings, licence, prompts, and a BERT's pooler or a decoder's head, which are not read here.
 * @param target made here; must not exist, or be empty   @param card text of README.md
 * @returns names of the files, relative and sorted
 * @throws AppError `input-invalid` for a full folder, `file-not-found` when the folder it came from is gone
 */
export async function saveEmbedder(opened: OpenedEmbedder, target: string, card: string): Promise<string[]> {
  if (existsSync(target) && readdirSync(target).length > 0)
    throw new AppError({
      code: 'input-invalid',
      message: `${target} is not empty.`,
      hint: 'Name a folder that does not exist yet.',
    })
  const staging = `${target}.partial`
  rmSync(staging, { recursive: true, force: true })
  mkdirSync(staging, { recursive: true })
  const origin = openAnyModel(opened.folder, true)
  try {
    await writeSafeTensors(
      path.join(staging, 'model.safetensors'),
      { ...networkTensors(opened, origin), ...otherTensors(origin) },
      { format: 'pt' },
    )
    for (const name of readdirSync(opened.folder).filter((one) => COMPANIONS.test(one)))
      cpSync(path.join(opened.folder, name), path.join(staging, name))
    writeJson(staging, 'config.json', configOf(origin))
    writeJson(staging, 'tokenizer.json', opened.tokenizer.json)
    if (!existsSync(path.join(staging, 'tokenizer_config.json')))
      writeJson(staging, 'tokenizer_config.json', {
        tokenizer_class: 'PreTrainedTokenizerFast',
        ...(opened.maxTokens === null ? {} : { model_max_length: opened.maxTokens }),
      })
    await writeModules(opened, staging)
    writeFileSync(path.join(staging, 'README.md'), card)
    rmSync(target, { recursive: true, force: true })
    syncTree(staging)
    moveDurably(staging, target)
  } finally {
    origin.close()
    rmSync(staging, { recursive: true, force: true })
  }
  return readdirSync(target, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(target, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
    .toSorted()
}

function networkTensors(
  { embedder, lora, kind }: OpenedEmbedder,
  origin: ModelFolder | EncoderFolder,
): Record<string, TensorToWrite> {
  const { shapes } = embedder
  const own = new Set(Object.keys(headShapes(embedder.head)))
  const transposed = kind === 'decoder' && !isLlamaLike((origin as ModelFolder).config)
  return Object.fromEntries(
    Object.entries(shapes)
      .filter(([name]) => !own.has(name) && !name.includes('.lora_'))
      .map(([name, shape]): [string, TensorToWrite] => [
        name,
        {
          shape,
          async read() {
            const weight = await embedder.read(name)
            const { a, b } = adapterNames(name.replace(/\.weight$/, ''))
            if (lora !== null && shapes[a] !== undefined)
              mergeAdapter(weight, await embedder.read(a), await embedder.read(b), lora.alpha / lora.rank, transposed)
            return weight.data
          },
        },
      ]),
  )
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

/** The libraries load weights in the type that the file says. */
function configOf(origin: ModelFolder | EncoderFolder): unknown {
  const { dtype: _dtype, ...config } = origin.configJson as Record<string, unknown>
  const bare =
    origin.kind === 'encoder' ? { architectures: [origin.family === 'bert' ? 'BertModel' : 'DistilBertModel'] } : {}
  return { ...config, ...bare, torch_dtype: 'float32' }
}

/** In the spelling that every version reads. */
async function writeModules({ embedder, setup, maxTokens }: OpenedEmbedder, folder: string): Promise<void> {
  const { pooling, dense, normalize } = embedder.head
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
  writeJson(folder, 'sentence_bert_config.json', { max_seq_length: maxTokens, do_lower_case: setup.lowercase })
  const hidden = (dense[0]?.inputs ?? embedder.dim) / pooling.length
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
    const tensors = Object.entries(headShapes(embedder.head)).filter(([name]) => name.startsWith(`dense.${at}.`))
    await writeSafeTensors(
      path.join(folder, inside, 'model.safetensors'),
      Object.fromEntries(
        tensors.map(([name, shape]): [string, TensorToWrite] => [
          `linear.${name.split('.').at(-1)!}`,
          { shape, read: async () => (await embedder.read(name)).data },
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
