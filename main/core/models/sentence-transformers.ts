// How a folder's last hidden states become one vector, in the files of sentence-transformers (Reimers and Gurevych,
// 2019): modules.json names the modules, each with a config.json in a folder of its own. Both spellings are read: that
// of versions up to 5 (pooling_mode_mean_tokens, word_embedding_dimension) and that of 6 (pooling_mode).
import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { AppError, describeIssues } from '../../../shared/errors.ts'
import type { DenseLayer, EmbeddingHead } from '../learn/models/embedder.ts'
import type { NamedTensor, TensorSource } from '../learn/models/parameters.ts'
import { POOLING_MODES, type PoolingMode } from '../learn/models/pooling.ts'
import { readJson } from './model-files.ts'
import { openSafeTensors } from './safetensors-file.ts'

export interface EmbeddingSetup {
  readonly head: EmbeddingHead
  /** The dense layers' weights by the head's names, float32. */
  readonly weights: TensorSource
  /** Longest text in tokens, its frame included; null where no file says. */
  readonly maxTokens: number | null
  /** Lower case before the tokenizer. */
  readonly lowercase: boolean
  /** Texts that are put before a query or a document, by name. */
  readonly prompts: Readonly<Record<string, string>>
  /** The prompt that is used where none is named. */
  readonly defaultPrompt: string | null
}

const modulesFile = z.array(
  z.looseObject({ name: z.string().default(''), path: z.string().default(''), type: z.string() }),
)
const limitsFile = z.looseObject({ max_seq_length: z.int().positive().nullish(), do_lower_case: z.boolean().nullish() })
const tokenizerConfigFile = z.looseObject({ model_max_length: z.number().positive().nullish() })
const promptsFile = z.looseObject({
  prompts: z.record(z.string(), z.string().nullable()).nullish(),
  default_prompt_name: z.string().nullish(),
})
const poolingFile = z.looseObject({
  pooling_mode: z.union([z.string(), z.array(z.string())]).nullish(),
  include_prompt: z.boolean().nullish(),
})
const denseFile = z.looseObject({
  in_features: z.int().positive(),
  out_features: z.int().positive(),
  bias: z.boolean().default(true),
  activation_function: z.string().nullish(),
  use_residual: z.boolean().nullish(),
  module_input_name: z.string().nullish(),
  module_output_name: z.string().nullish(),
})

/** Switches of the older spelling. */
export const OLDER_POOLING: Readonly<Record<PoolingMode, string>> = {
  cls: 'pooling_mode_cls_token',
  max: 'pooling_mode_max_tokens',
  mean: 'pooling_mode_mean_tokens',
  mean_sqrt_len_tokens: 'pooling_mode_mean_sqrt_len_tokens',
  weightedmean: 'pooling_mode_weightedmean_tokens',
  lasttoken: 'pooling_mode_lasttoken',
}
const ACTIVATIONS: Readonly<Record<string, DenseLayer['activation']>> = {
  Identity: 'identity',
  Tanh: 'tanh',
  ReLU: 'relu',
  GELU: 'gelu',
}

/** Without modules.json: the mean of the token states, as sentence-transformers has it. */
const PLAIN: EmbeddingHead = { pooling: ['mean'], dense: [], normalize: false }

/** What a folder without any of these files says. */
export const PLAIN_SETUP: Pick<EmbeddingSetup, 'head' | 'lowercase' | 'maxTokens'> = {
  head: PLAIN,
  lowercase: false,
  maxTokens: null,
}

/** @throws AppError `model-unsupported`, `file-not-found`: naming the module or the file */
export function readEmbeddingSetup(folder: string): EmbeddingSetup {
  const limits = parsed(limitsFile, folder, 'sentence_bert_config.json')
  const tokenizer = parsed(tokenizerConfigFile, folder, 'tokenizer_config.json')
  const { prompts, default_prompt_name: defaultPrompt } = parsed(
    promptsFile,
    folder,
    'config_sentence_transformers.json',
  )
  const { head, dense } = readHead(folder)
  return {
    head,
    weights: denseSource(folder, dense),
    maxTokens: limits.max_seq_length ?? usable(tokenizer.model_max_length),
    lowercase: limits.do_lower_case === true,
    prompts: Object.fromEntries(
      Object.entries(prompts ?? {}).flatMap(([name, text]) => (text === null ? [] : [[name, text]])),
    ),
    defaultPrompt: defaultPrompt ?? null,
  }
}

/** Files, besides config.json, tokenizer.json and the weights, on which a folder's vectors depend; relative, sorted. */
export function embeddingFiles(folder: string): string[] {
  const here = [
    'config_sentence_transformers.json',
    'modules.json',
    'sentence_bert_config.json',
    'tokenizer_config.json',
  ].filter((name) => existsSync(path.join(folder, name)))
  const modules = here.includes('modules.json') ? readModules(folder) : []
  const inside = modules.flatMap(({ path: at }) =>
    at === '' || !existsSync(path.join(folder, at))
      ? []
      : readdirSync(path.join(folder, at))
          .filter((name) => /^(config\.json|model\.safetensors)$/.test(name))
          .map((name) => `${at}/${name}`),
  )
  return [...here, ...inside].toSorted()
}

/** Some tokenizers say 10³⁰ for "no limit". */
function usable(length: number | null | undefined): number | null {
  return length == null || length > 1e9 ? null : Math.floor(length)
}

/** {} where the file is not there. */
function parsed<T>(schema: z.ZodType<T>, folder: string, name: string): T {
  const found = schema.safeParse(readJson(folder, name, false) ?? {})
  if (found.success) return found.data
  throw new AppError({
    code: 'model-unsupported',
    message: `${name} cannot be used: ${describeIssues(found.error)}.`,
    hint: 'The file is not whole, or from another program.',
  })
}

interface Module {
  /** Folder, relative to the model's. */
  readonly path: string
  /** Last part of the class name. */
  readonly kind: string
}

function readModules(folder: string): Module[] {
  const found = modulesFile.safeParse(readJson(folder, 'modules.json', true))
  if (!found.success)
    throw new AppError({
      code: 'model-unsupported',
      message: `modules.json cannot be used: ${describeIssues(found.error)}.`,
      hint: 'The file is damaged; fetch it again.',
    })
  return found.data.map(({ path: at, type }) => {
    if (at !== '' && (path.basename(at) !== at || at.startsWith('.')))
      throw unsupported(`names the folder "${at}", which is not in the model's folder.`)
    return { path: at, kind: type.split('.').at(-1)! }
  })
}

function unsupported(what: string): AppError {
  return new AppError({
    code: 'model-unsupported',
    message: `modules.json ${what}`,
    hint: 'Transformer, then Pooling, then any Dense and Normalize are read, in that order.',
  })
}

function readHead(folder: string): { readonly head: EmbeddingHead; readonly dense: readonly string[] } {
  if (!existsSync(path.join(folder, 'modules.json'))) return { head: PLAIN, dense: [] }
  const [first, second, ...rest] = readModules(folder)
  if (first?.kind !== 'Transformer') throw unsupported(`begins with ${first?.kind ?? 'nothing'}.`)
  if (first.path !== '')
    throw unsupported(`puts the network into the folder "${first.path}"; it is read beside modules.json.`)
  if (second?.kind !== 'Pooling')
    throw unsupported(`has ${second?.kind ?? 'nothing'} behind the network, where its states are pooled.`)
  const dense: DenseLayer[] = []
  let normalize = false
  for (const { kind, path: at } of rest) {
    if (normalize || (kind !== 'Dense' && kind !== 'Normalize'))
      throw unsupported(`has the module ${kind} (${at}) ${normalize ? 'behind Normalize' : 'behind Pooling'}.`)
    if (kind === 'Dense') dense.push(readDense(folder, `${at}/config.json`))
    else normalize = true
  }
  return {
    head: { pooling: readPooling(folder, `${second.path}/config.json`), dense, normalize },
    dense: rest.filter(({ kind }) => kind === 'Dense').map(({ path: at }) => at),
  }
}

function readPooling(folder: string, name: string): PoolingMode[] {
  const file = readJson(folder, name, true)
  const { pooling_mode: said, include_prompt: withPrompt } = parsed(poolingFile, folder, name)
  if (withPrompt === false)
    throw new AppError({
      code: 'model-unsupported',
      message: `${name}: include_prompt is false; pooling over a part of a text is not supported.`,
      hint: 'Choose a model that pools over all of its tokens.',
    })
  const older = POOLING_MODES.filter(
    (mode) => (file as Readonly<Record<string, unknown>>)[OLDER_POOLING[mode]] === true,
  )
  const modes = said == null ? (older.length > 0 ? older : ['mean']) : [said].flat()
  return modes.map((mode) => {
    const known = POOLING_MODES.find((one) => one === mode)
    if (known === undefined)
      throw new AppError({
        code: 'model-unsupported',
        message: `${name}: the pooling "${mode}" is not supported.`,
        hint: `${POOLING_MODES.join(', ')} are.`,
      })
    return known
  })
}

function readDense(folder: string, name: string): DenseLayer {
  readJson(folder, name, true)
  const file = parsed(denseFile, folder, name)
  const refuse = (what: string): AppError =>
    new AppError({
      code: 'model-unsupported',
      message: `${name}: ${what}`,
      hint: `Dense layers on the pooled vector with ${Object.keys(ACTIVATIONS).join(', ')} are read.`,
    })
  if (file.use_residual === true) throw refuse('use_residual is not supported.')
  const [takes, gives] = [
    file.module_input_name ?? 'sentence_embedding',
    file.module_output_name ?? file.module_input_name ?? 'sentence_embedding',
  ]
  if (takes !== 'sentence_embedding' || gives !== takes)
    throw refuse(`it works on "${takes}", not on the pooled vector.`)
  const said = file.activation_function ?? 'Tanh'
  const activation = ACTIVATIONS[said.split('.').at(-1)!]
  if (activation === undefined) throw refuse(`activation_function is "${said}".`)
  return { inputs: file.in_features, outputs: file.out_features, bias: file.bias, activation }
}

/** `dense.<n>.weight` → `linear.weight` in the n-th dense module's own file. */
function denseSource(folder: string, modules: readonly string[]): TensorSource {
  return {
    read(name): NamedTensor {
      const [, at, part] = /^dense\.(\d+)\.(weight|bias)$/.exec(name) ?? []
      const module = modules[Number(at)]
      if (module === undefined || part === undefined) throw new RangeError(`the head has no tensor ${name}`)
      const file = `${module}/model.safetensors`
      if (!existsSync(path.join(folder, file))) {
        const pickle = existsSync(path.join(folder, module, 'pytorch_model.bin'))
        if (pickle)
          throw new AppError({
            code: 'model-unsupported',
            message: `The weights are in ${module}/pytorch_model.bin, a pickle file: reading it can run any program inside it.`,
            hint: 'Save the model again with a current sentence-transformers, which writes safetensors.',
          })
        throw new AppError({
          code: 'file-not-found',
          message: `There is no ${file} in ${folder}.`,
          hint: 'The model was not copied whole; fetch the file into the same folder.',
        })
      }
      const reader = openSafeTensors(path.join(folder, file))
      try {
        const entry = reader.entries[`linear.${part}`]
        if (entry === undefined)
          throw new AppError({
            code: 'model-unsupported',
            message: `${file} has no tensor linear.${part}.`,
            hint: 'The file is damaged or from another version of the model; fetch it again.',
          })
        return { shape: entry.shape, data: reader.read(`linear.${part}`) }
      } finally {
        reader.close()
      }
    },
  }
}
