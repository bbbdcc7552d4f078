import type { TokenPreview } from '../../../shared/contract/runs.ts'
import type { Content } from '../../../shared/data-kinds.ts'
import type { TextLayout } from '../../../shared/text-layouts.ts'
import { promptRoom } from '../learn/tokens/text-format.ts'
import { openLanguage } from '../learn/tokens/language.ts'
import { readLanguage } from './language-files.ts'
import { readJson } from './model-files.ts'

export interface TokensAsked {
  /** Of a model, or of a checkpoint. */
  readonly folder: string
  readonly layout: TextLayout
  readonly rows: readonly { readonly pairId: string; readonly prompt: Content; readonly completion: Content }[]
  readonly maxLength: number
  /** Longest completions that the policy is to write after such prompts; of samples, of roll-outs. */
  readonly written: readonly number[]
}

/** Rows as training reads them, token by token. @throws AppError as training would */
export function previewTokens({ folder, layout, rows, maxLength, written }: TokensAsked): TokenPreview {
  const files = readLanguage(folder, {
    config: readJson(folder, 'config.json', true),
    tokenizer: readJson(folder, 'tokenizer.json', true),
  })
  const { tokenizer, format } = openLanguage(files, layout)
  for (const maxTokens of written)
    for (const { prompt } of rows) format.prompt(prompt, promptRoom(format, maxLength, maxTokens)) // refused now, not after the start
  const textOf = (id: number): string => tokenizer.decode([id], { skipSpecial: false })
  return {
    layout,
    ends: tokenizer.stopIds.map(textOf),
    rows: rows.map(({ pairId, prompt, completion }) => {
      const row = format.row(prompt, completion, maxLength)
      return {
        pairId,
        prompt: row.prompt.map(textOf),
        completion: row.completion.map((id, at) => ({ text: textOf(id), trained: row.trained?.[at] !== 0 })),
        cut: row.wasCut,
      }
    }),
  }
}
