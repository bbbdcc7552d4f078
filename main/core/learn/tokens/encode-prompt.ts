// A prompt that somebody wrote, as the tokens the model would have met in training.
import type { Message } from '../../../../shared/data-kinds.ts'
import type { TextLayout } from '../../../../shared/text-layouts.ts'
import type { Language } from './language.ts'
import { plainFormat } from './plain-format.ts'
import { ASSISTANT_TAG } from './tags-format.ts'

export type PromptText =
  | { readonly kind: 'chat'; readonly messages: readonly Message[] }
  | { readonly kind: 'text'; readonly text: string }

export interface EncodedPrompt {
  readonly ids: readonly number[]
  /** `template`: by the model's own; `tags`: one tag a turn, as Pairlab trains its own models; `plain`: text as it stands. */
  readonly layout: TextLayout
}

/**
 * Nothing in the prompt's text becomes a special token. A text is continued as it stands, whatever the model's layout.
 * @param template false: turns are written without the model's template
 * @throws AppError `model-unsupported` when a template refuses the turns
 */
export function encodePromptText(
  { tokenizer, format }: Language,
  prompt: PromptText,
  template: boolean,
): EncodedPrompt {
  const ownTags = format.layout === 'tags'
  if (prompt.kind === 'text')
    return { ids: (ownTags ? format : plainFormat(tokenizer)).prompt(prompt.text), layout: 'plain' }
  const chosen = format.layout === 'template' && !template ? plainFormat(tokenizer) : format
  const ids = chosen.prompt([...prompt.messages])
  // Of a conversation the model writes the tag of its turn itself; here its answer is wanted alone.
  return { ids: ownTags ? [...ids, ...tokenizer.encode(ASSISTANT_TAG)] : ids, layout: chosen.layout }
}
