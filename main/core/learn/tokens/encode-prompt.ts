// A prompt that somebody wrote, as the tokens the model would have met in training.
import type { Message } from '../../../../shared/data-kinds.ts'
import { toText } from '../../../../shared/data-kinds.ts'
import { encodeChat, type ChatTemplate } from './chat-template.ts'
import { encodePrompt } from './encode-rows.ts'
import type { Tokenizer } from './tokenizer.ts'

export type PromptText =
  | { readonly kind: 'chat'; readonly messages: readonly Message[] }
  | { readonly kind: 'text'; readonly text: string }

export interface PromptHabits {
  /** Trained here: an end-of-turn token stands between prompt and completion (encode-rows.ts). */
  readonly trainedHere: boolean
  /** Null where the model has none, or it is not wanted. */
  readonly template: ChatTemplate | null
  /** Tokens that the tokenizer puts before any text of its own accord. */
  readonly opening: readonly number[]
}

export interface EncodedPrompt {
  readonly ids: readonly number[]
  /** `template`: by the model's own; `tags`: one tag a turn, as Pairlab trains; `plain`: text as it stands. */
  readonly layout: 'template' | 'tags' | 'plain'
}

/** What opens the assistant's turn in the layout of toText. */
const ASSISTANT_TAG = '<assistant>\n'

/**
 * Nothing in the prompt's text becomes a special token.
 * @throws AppError `model-unsupported` when a template refuses the turns
 */
export function encodePromptText(
  tokenizer: Tokenizer,
  prompt: PromptText,
  { trainedHere, template, opening }: PromptHabits,
): EncodedPrompt {
  if (prompt.kind === 'chat' && template !== null)
    return { ids: encodeChat(tokenizer, template, prompt.messages), layout: 'template' }
  const text = prompt.kind === 'chat' ? toText([...prompt.messages]) : prompt.text
  const answer = prompt.kind === 'chat' ? tokenizer.encode(ASSISTANT_TAG) : []
  const layout = prompt.kind === 'chat' ? 'tags' : 'plain'
  if (trainedHere) return { ids: [...encodePrompt(tokenizer, text), ...answer], layout }
  const ids = [...opening, ...tokenizer.encode(text), ...answer]
  return { ids: ids.length === 0 ? [tokenizer.endId] : ids, layout } // something to predict from
}
