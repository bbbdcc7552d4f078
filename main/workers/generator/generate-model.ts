import { AppError } from '../../../shared/errors.ts'
import type { Decoder, DecoderOptions } from '../../core/learn/models/decoder.ts'
import { FUSED_KERNELS, hasKernel } from '../../core/learn/models/fused.ts'
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

/**
 * Weights that the file has in fewer bits are kept as they are where the engine multiplies them so: the same text from
 * less memory, and sooner, for a token is as slow as reading every weight is.
 * @throws AppError `file-not-found`, `model-unsupported`, `spec-invalid`
 */
export async function openWriter({ kind, path, trainedHere }: GenerateStart['model']): Promise<Writer> {
  const frozenStorage = hasKernel(FUSED_KERNELS.frozenProduct) ? 'stored' : 'float32'
  if (kind === 'checkpoint') {
    const files = await openModelFiles(path)
    try {
      const language = openLanguage(files.language, layoutOf(files.language, true))
      const apart = frozenStorage === 'stored' ? files.apart : null
      const decoder =
        apart === null
          ? build(files.config, files.source, language, {})
          : build(files.config, apart.source, language, { frozenStorage, lora: apart.lora, adapters: apart.adapters })
      return { decoder, language }
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
    return { decoder: build(model.configJson, model, language, { frozenStorage }), language }
  } finally {
    model.close()
  }
}

function build(
  configJson: unknown,
  source: TensorSource,
  { tokenizer }: Language,
  options: Omit<DecoderOptions, 'trainable'>,
): Decoder {
  const config = decoderConfigOf(configJson)
  if (config.scoreHead)
    throw new AppError({
      code: 'model-unsupported',
      message: 'The model gives scores: it was trained as a reward model and writes no text.',
      hint: 'Choose a policy.',
    })
  requireOwnTokenizer(tokenizer, config)
  return buildDecoder({ config, source }, { trainable: () => false, ...options })
}
