import { z } from 'zod'
import { AppError } from '../../../shared/errors.ts'
import type { PromptHabits } from '../../core/learn/tokens/encode-prompt.ts'
import type { Decoder } from '../../core/learn/models/decoder.ts'
import { decoderConfigOf } from '../../core/learn/models/hf-config.ts'
import type { TensorSource } from '../../core/learn/models/parameters.ts'
import { loadTokenizer, type Tokenizer } from '../../core/learn/tokens/tokenizer.ts'
import { openModelFiles } from '../../core/models/checkpoint-files.ts'
import { openModelFolder } from '../../core/models/folder.ts'
import type { GenerateStart } from '../../base/processes/generator-protocol.ts'
import { buildDecoder } from '../trainer/model.ts'

/** A model that is ready to write. */
export interface Writer {
  readonly decoder: Decoder
  readonly tokenizer: Tokenizer
  readonly habits: PromptHabits
  /** Tokens that end a turn, beside the tokenizer's end token. */
  readonly stopIds: readonly number[]
}

/** @throws AppError `file-not-found`, `model-unsupported`, `spec-invalid` */
export async function openWriter({ kind, path, trainedHere }: GenerateStart['model']): Promise<Writer> {
  if (kind === 'checkpoint') {
    const files = await openModelFiles(path)
    try {
      const tokenizer = loadTokenizer(files.tokenizer)
      return {
        decoder: build(files.config, files.source, tokenizer),
        tokenizer,
        habits: { trainedHere, template: null, opening: [] },
        stopIds: [],
      }
    } finally {
      files.close()
    }
  }
  const model = openModelFolder(path)
  try {
    if (model.tokenizer === null)
      throw new AppError({
        code: 'model-unsupported',
        message: `There is no tokenizer.json in ${path}.`,
        hint: 'Put the model’s tokenizer.json beside its weights.',
      })
    const tokenizer = loadTokenizer(model.tokenizer)
    return {
      decoder: build(model.configJson, model, tokenizer),
      tokenizer,
      habits: {
        trainedHere,
        template:
          model.chatTemplate === null || trainedHere
            ? null
            : { source: model.chatTemplate, variables: model.specialTokens },
        opening: tokenizer.opening,
      },
      stopIds: [...endIds(model.configJson), ...endIds(model.generationConfig)],
    }
  } finally {
    model.close()
  }
}

function build(configJson: unknown, source: TensorSource, tokenizer: Tokenizer): Decoder {
  const config = decoderConfigOf(configJson)
  if (config.scoreHead)
    throw new AppError({
      code: 'model-unsupported',
      message: 'The model gives scores: it was trained as a reward model and writes no text.',
      hint: 'Choose a policy.',
    })
  if (tokenizer.vocabSize > config.vocabSize)
    throw new AppError({
      code: 'model-unsupported',
      message: `The tokenizer has ${tokenizer.vocabSize} tokens and the model's embedding ${config.vocabSize}.`,
      hint: 'tokenizer.json belongs to another model.',
    })
  return buildDecoder({ config, source })
}

const ends = z.looseObject({
  eos_token_id: z
    .union([z.int().transform((id) => [id]), z.array(z.int())])
    .nullable()
    .optional(),
})

/** `eos_token_id`, one or several: chat models end a turn with another token than a text. */
function endIds(json: unknown): readonly number[] {
  const parsed = ends.safeParse(json)
  return parsed.success ? (parsed.data.eos_token_id ?? []) : []
}
