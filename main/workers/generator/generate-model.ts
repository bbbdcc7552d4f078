import { AppError } from '../../../shared/errors.ts'
import type { Decoder } from '../../core/learn/models/decoder.ts'
import { decoderConfigOf } from '../../core/learn/models/hf-config.ts'
import type { TensorSource } from '../../core/learn/models/parameters.ts'
import { layoutOf, openLanguage, type Language } from '../../core/learn/tokens/language.ts'
import { openModelFiles } from '../../core/models/checkpoint-files.ts'
import { openModelFolder } from '../../core/models/folder.ts'
import type { GenerateStart } from '../../base/processes/generator-protocol.ts'
import { buildDecoder, requireOwnTokenizer } from '../trainer/model.ts'

/** A model that is ready to write. */
export interface Writer {
  readonly decoder: Decoder
  readonly language: Language
}

/** @throws AppError `file-not-found`, `model-unsupported`, `spec-invalid` */
export async function openWriter({ kind, path, trainedHere }: GenerateStart['model']): Promise<Writer> {
  if (kind === 'checkpoint') {
    const files = await openModelFiles(path)
    try {
      const language = openLanguage(files.language, layoutOf(files.language, true))
      return { decoder: build(files.config, files.source, language), language }
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
    const language = openLanguage(model.language, layoutOf(model.language, trainedHere))
    return { decoder: build(model.configJson, model, language), language }
  } finally {
    model.close()
  }
}

function build(configJson: unknown, source: TensorSource, { tokenizer }: Language): Decoder {
  const config = decoderConfigOf(configJson)
  if (config.scoreHead)
    throw new AppError({
      code: 'model-unsupported',
      message: 'The model gives scores: it was trained as a reward model and writes no text.',
      hint: 'Choose a policy.',
    })
  requireOwnTokenizer(tokenizer, config)
  return buildDecoder({ config, source })
}
