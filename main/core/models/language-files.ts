import { LAYOUT_MARK, type LanguageFiles } from '../learn/tokens/language.ts'
import type { TextLayout } from '../../../shared/text-layouts.ts'
import { readChatTemplate, readJson, readSpecialTokens } from './model-files.ts'

/** What a model's folder, or a checkpoint's, says of how the model is spoken to. @throws AppError as readJson */
export function readLanguage(folder: string, known: Pick<LanguageFiles, 'config' | 'tokenizer'>): LanguageFiles {
  return {
    ...known,
    tokenizerConfig: readJson(folder, 'tokenizer_config.json', false),
    generationConfig: readJson(folder, 'generation_config.json', false),
    chatTemplate: readChatTemplate(folder),
    specialTokens: readSpecialTokens(folder),
  }
}

/** Of a model that was made here: its tokenizer says everything. */
export function ownLanguage(tokenizer: unknown): LanguageFiles {
  return {
    tokenizer,
    tokenizerConfig: null,
    generationConfig: null,
    config: null,
    chatTemplate: null,
    specialTokens: {},
  }
}

/**
 * The same as files beside a checkpoint, with the layout that is trained in. None for a model that was made here: its
 * layout is the one that is taken where nothing is said.
 * @returns text by file name
 */
export function languageFiles(language: LanguageFiles, layout: TextLayout): Readonly<Record<string, string>> {
  const { tokenizerConfig, generationConfig, chatTemplate, specialTokens } = language
  if (tokenizerConfig === null && generationConfig === null && chatTemplate === null && layout === 'tags') return {}
  const { chat_template: _inline, ...settings } = (tokenizerConfig ?? {}) as Record<string, unknown> // an object, or nothing is read of it
  return {
    'tokenizer_config.json': toJson({ ...specialTokens, ...settings, [LAYOUT_MARK]: layout }),
    'generation_config.json': toJson({
      ...(language.config === null ? {} : endsOf(language.config)),
      ...((generationConfig ?? {}) as object),
    }),
    ...(chatTemplate === null ? {} : { 'chat_template.jinja': chatTemplate }),
  }
}

/** A configuration's numbers of special tokens, which its weights do not need. */
function endsOf(config: unknown): object {
  return Object.fromEntries(
    Object.entries(config as object).filter(([name, value]) => /^(bos|eos|pad)_token_id$/.test(name) && value !== null),
  )
}

function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
