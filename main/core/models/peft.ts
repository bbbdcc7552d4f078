// Low-rank adapters in the layout of the PEFT library: adapter_config.json and adapter_model.safetensors.
import { existsSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { AppError, describeIssues } from '../../../shared/errors.ts'
import { loraModules, type LoraOptions } from '../learn/models/adapters.ts'
import type { EncoderConfig } from '../learn/models/encoder-config.ts'
import { encoderLoraModules } from '../learn/models/encoder-parameters.ts'
import { isLlamaLike, type DecoderConfig } from '../learn/models/model-config.ts'
import type { TensorSource } from '../learn/models/parameters.ts'
import { readJson } from './model-files.ts'
import { openSafeTensors } from './safetensors-file.ts'

export const ADAPTER_CONFIG = 'adapter_config.json'
export const ADAPTER_WEIGHTS = 'adapter_model.safetensors'
const PREFIX = 'base_model.model.'

/** The library's name of a tensor that stands beside the frozen model. */
export function peftName(name: string): string {
  return `${PREFIX}${name}`
}

/** @param base where the frozen model is, as the library asks for it: a path or a public name */
export function adapterConfigFile(config: DecoderConfig, lora: LoraOptions, base: string): Record<string, unknown> {
  const llama = isLlamaLike(config)
  return {
    peft_type: 'LORA',
    task_type: config.scoreHead ? 'SEQ_CLS' : 'CAUSAL_LM',
    base_model_name_or_path: base,
    r: lora.rank,
    lora_alpha: lora.alpha,
    lora_dropout: lora.dropout,
    // The last part of a name is enough, but GPT-2 has two layers called c_proj.
    target_modules: loraModules(config, lora.targets).map((name) => (llama ? name.slice(name.indexOf('.') + 1) : name)),
    fan_in_fan_out: !llama,
    bias: 'none',
    use_rslora: false,
    use_dora: false,
    inference_mode: true,
    modules_to_save: config.scoreHead ? ['score'] : null,
  }
}

/** The same of an encoder, which the library opens without a head. */
export function encoderAdapterConfigFile(
  config: EncoderConfig,
  lora: LoraOptions,
  base: string,
): Record<string, unknown> {
  return {
    peft_type: 'LORA',
    task_type: 'FEATURE_EXTRACTION',
    base_model_name_or_path: base,
    r: lora.rank,
    lora_alpha: lora.alpha,
    lora_dropout: lora.dropout,
    // Whole names within a layer: a BERT calls three of them dense.
    target_modules: encoderLoraModules(config, lora.targets),
    fan_in_fan_out: false,
    bias: 'none',
    use_rslora: false,
    use_dora: false,
    inference_mode: true,
    modules_to_save: null,
  }
}

const adapterConfig = z.looseObject({
  peft_type: z.literal('LORA'),
  r: z.int().positive(),
  lora_alpha: z.number().positive(),
  use_rslora: z.boolean().default(false),
  use_dora: z.boolean().default(false),
  rank_pattern: z.record(z.string(), z.int()).default({}),
  alpha_pattern: z.record(z.string(), z.number()).default({}),
  bias: z.string().default('none'),
})

export interface AdapterFolder extends TensorSource {
  /** Names as the decoder has them, without the library's prefix. */
  readonly names: ReadonlySet<string>
  readonly rank: number
  /** What the low-rank product is multiplied by. */
  readonly scale: number
  close(): void
}

export function isAdapterFolder(folder: string): boolean {
  return existsSync(path.join(folder, ADAPTER_CONFIG))
}

/** @throws AppError `model-unsupported` for a kind of adapter that is not read */
export function openAdapterFolder(folder: string): AdapterFolder {
  const parsed = adapterConfig.safeParse(readJson(folder, ADAPTER_CONFIG, true))
  if (!parsed.success) throw unsupported(describeIssues(parsed.error))
  const {
    r,
    lora_alpha: alpha,
    use_rslora: stable,
    use_dora: dora,
    rank_pattern: ranks,
    alpha_pattern: alphas,
    bias,
  } = parsed.data
  if (dora) throw unsupported('it is DoRA')
  if (bias !== 'none') throw unsupported(`it trains biases (${bias})`)
  if (Object.keys(ranks).length + Object.keys(alphas).length > 0)
    throw unsupported('its layers have ranks of their own')
  const reader = openSafeTensors(path.join(folder, ADAPTER_WEIGHTS))
  const stored = new Map(
    Object.keys(reader.entries).map((name) => [name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name, name]),
  )
  return {
    names: new Set(stored.keys()),
    rank: r,
    scale: alpha / (stable ? Math.sqrt(r) : r),
    read(name) {
      const from = stored.get(name)
      if (from === undefined) throw new RangeError(`${ADAPTER_WEIGHTS} has no tensor ${name}`)
      return { shape: reader.entries[from]!.shape, data: reader.read(from) }
    },
    close: () => reader.close(),
  }
}

function unsupported(what: string): AppError {
  return new AppError({
    code: 'model-unsupported',
    message: `The adapter cannot be read: ${what}.`,
    hint: 'Plain LoRA adapters are read; others can be merged into their model where they were made.',
  })
}
