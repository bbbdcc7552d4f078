// What a model brings to be spoken to: its tokenizer, the tokens that end what it writes, its chat template.
import { z } from 'zod'
import type { TextLayout } from '../../../../shared/text-layouts.ts'
import { encodeConversation, type ChatTemplate } from './chat-template.ts'
import { plainFormat } from './plain-format.ts'
import { tagsFormat } from './tags-format.ts'
import { templateFormat } from './template-format.ts'
import type { TextFormat } from './text-format.ts'
import { loadTokenizer, type Tokenizer } from './tokenizer.ts'

/** Files of a model folder, parsed. Of a model that was made here there is the tokenizer alone. */
export interface LanguageFiles {
  /** tokenizer.json */
  readonly tokenizer: unknown
  /** tokenizer_config.json; null where there is none. */
  readonly tokenizerConfig: unknown
  /** generation_config.json; null where there is none. */
  readonly generationConfig: unknown
  /** config.json */
  readonly config: unknown
  readonly chatTemplate: string | null
  /** As a chat template asks for them: bos_token, eos_token … */
  readonly specialTokens: Readonly<Record<string, string>>
}

export interface Language {
  readonly tokenizer: Tokenizer
  readonly format: TextFormat
}

/** Name, in tokenizer_config.json, of the layout that a model was trained in here. */
export const LAYOUT_MARK = 'pairlab_layout'

const layoutMark = z.looseObject({ [LAYOUT_MARK]: z.enum(['template', 'tags', 'plain']) })

/** The layout that Pairlab trained the model in; null where it says nothing of that. */
export function markedLayout(tokenizerConfig: unknown): TextLayout | null {
  const parsed = layoutMark.safeParse(tokenizerConfig)
  return parsed.success ? (parsed.data[LAYOUT_MARK] as TextLayout) : null // checked by the schema
}

/** @param madeHere its weights were trained in Pairlab, before models were marked with their layout */
export function layoutOf(
  { tokenizerConfig, chatTemplate }: Pick<LanguageFiles, 'tokenizerConfig' | 'chatTemplate'>,
  madeHere: boolean,
): TextLayout {
  return markedLayout(tokenizerConfig) ?? (madeHere ? 'tags' : chatTemplate === null ? 'plain' : 'template')
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

/**
 * @param date the day a template writes where it asks for one
 * @throws AppError `model-unsupported` for a tokenizer that cannot be read, `spec-invalid` for a layout by a template that is not there
 */
export function openLanguage(files: LanguageFiles, layout: TextLayout, date?: Date): Language {
  const { specialTokens } = files
  const idOf = (name: string | undefined): number | undefined => tokenId(files.tokenizer, name)
  const eos = idOf(specialTokens['eos_token'])
  const declared = [...(eos === undefined ? [] : [eos]), ...endIds(files.generationConfig), ...endIds(files.config)]
  const padId = idOf(specialTokens['pad_token'])
  const plain = loadTokenizer(files.tokenizer, { endIds: declared, padId })
  if (layout !== 'template' || files.chatTemplate === null)
    return { tokenizer: plain, format: formatOf(layout, plain, null) }
  const template = { source: files.chatTemplate, variables: specialTokens, ...(date === undefined ? {} : { date }) }
  const turnEnd = endOfTurn(plain, template)
  const tokenizer: Tokenizer =
    turnEnd === null
      ? plain
      : { ...plain, endId: turnEnd, stopIds: [...new Set([turnEnd, ...plain.stopIds])], padId: padId ?? plain.padId }
  return { tokenizer, format: formatOf(layout, tokenizer, template) }
}

/** @throws AppError `spec-invalid` for a layout by a template that is not there */
function formatOf(layout: TextLayout, tokenizer: Tokenizer, template: ChatTemplate | null): TextFormat {
  if (layout === 'tags') return tagsFormat(tokenizer)
  return layout === 'plain' ? plainFormat(tokenizer) : templateFormat(tokenizer, template)
}

/** The special token that the template writes after an assistant's turn; null where it writes none. */
function endOfTurn(tokenizer: Tokenizer, template: ChatTemplate): number | null {
  const special = new Set(
    ((tokenizer.json as { readonly added_tokens?: readonly { readonly id: number }[] }).added_tokens ?? []).map(
      (token) => token.id,
    ),
  ) // loadTokenizer read it
  const conversation = (answer: string): readonly number[] | null => {
    try {
      return encodeConversation(tokenizer, template, [
        { role: 'user', content: 'a' },
        { role: 'assistant', content: answer },
      ]).ids
    } catch {
      return null // it takes no such conversation; what the configuration says has to do
    }
  }
  const [one, other] = [conversation('yes'), conversation('no')]
  if (one === null || other === null) return null
  let same = 0
  while (same < Math.min(one.length, other.length) && one.at(-1 - same) === other.at(-1 - same)) same += 1
  return one.slice(one.length - same).find((id) => special.has(id)) ?? null
}

/** @param name as it stands in the text; undefined where it is no token */
export function tokenId(json: unknown, name: string | undefined): number | undefined {
  if (name === undefined) return undefined
  const file = json as {
    readonly added_tokens?: readonly { readonly id: number; readonly content: string }[]
    readonly model?: { readonly vocab?: Readonly<Record<string, number>> }
  } // loadTokenizer reads it next
  return file.added_tokens?.find((token) => token.content === name)?.id ?? file.model?.vocab?.[name]
}
