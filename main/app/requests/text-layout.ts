import { AppError } from '../../../shared/errors.ts'
import type { TrainingConfig } from '../../../shared/training-config.ts'
import type { TextLayout } from '../../../shared/text-layouts.ts'
import { layoutOf } from '../../core/learn/tokens/language.ts'
import { readChatTemplate, readJson } from '../../core/models/model-files.ts'

/** Where a run's first weights lie, and whose they are. */
export interface LayoutSource {
  /** The model's or the checkpoint's; null for a new model, or where nothing was found. */
  readonly folder: string | null
  /** A checkpoint, or what a run here was exported to. */
  readonly madeHere: boolean
}

/**
 * How a run's prompts and completions become tokens: as asked for, or as the model has it.
 * @throws AppError `spec-invalid` for a template that is not there, and what reading the model's files throws
 */
export function chooseLayout(asked: TrainingConfig['layout'], { folder, madeHere }: LayoutSource): TextLayout {
  if (folder === null) {
    if (asked === 'template') throw missing('A new model has no chat template.')
    return asked === 'auto' ? 'tags' : asked
  }
  const chatTemplate = readChatTemplate(folder)
  if (asked === 'template' && chatTemplate === null) throw missing('The model has no chat template.')
  if (asked !== 'auto') return asked
  return layoutOf({ tokenizerConfig: readJson(folder, 'tokenizer_config.json', false), chatTemplate }, madeHere)
}

function missing(message: string): AppError {
  return new AppError({
    code: 'spec-invalid',
    message,
    hint: 'Leave the text layout automatic, or put chat_template.jinja beside the weights.',
  })
}
