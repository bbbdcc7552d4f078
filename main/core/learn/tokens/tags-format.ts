// The layout of models made in Pairlab: one tag a turn, plain text; an end token after the prompt and after the completion.
import { toText, type Content } from '../../../../shared/data-kinds.ts'
import { shareRoom } from './cut-row.ts'
import type { TextFormat } from './text-format.ts'
import type { Tokenizer } from './tokenizer.ts'

/** What opens the assistant's turn in the layout of toText. */
export const ASSISTANT_TAG = '<assistant>\n'

/**
 * The same layout as a chat template, for other programs: of a conversation they write what Pairlab trains on. The last
 * answer is the completion; an end token stands before it and after it.
 */
export const TAGS_TEMPLATE = `{%- for message in messages -%}
{%- set answer = loop.last and message['role'] == 'assistant' -%}
{%- if answer -%}{{ eos_token }}{%- endif -%}
{{- '<' + message['role'] + '>\\n' + message['content'] + '\\n' -}}
{%- if answer -%}{{ eos_token }}{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ eos_token + '<assistant>\\n' }}{%- endif -%}
`

/**
 * The end token stands between prompt and completion, so that an empty prompt, too, is something to predict from. Turns
 * of a completion carry their tag: of a conversation the model writes `<assistant>` itself.
 */
export function tagsFormat(tokenizer: Tokenizer): TextFormat {
  const { endId } = tokenizer
  const promptOf = (prompt: Content): number[] => {
    const ids = tokenizer.encode(toText(prompt))
    return ids.length === 0 ? [endId] : [...ids, endId]
  }
  return {
    layout: 'tags',
    opening: [],
    prompt: (prompt, room = Number.POSITIVE_INFINITY) => promptOf(prompt).slice(-room),
    row(prompt, completion, maxLength) {
      const before = promptOf(prompt)
      const after = [...tokenizer.encode(toText(completion)), endId]
      const room = shareRoom(before.length, after.length, maxLength)
      return {
        prompt: before.slice(before.length - room.prompt),
        completion: after.slice(0, room.completion),
        trained: null,
        wasCut: room.prompt < before.length || room.completion < after.length,
      }
    },
    written(text, prompt) {
      if (typeof prompt === 'string' || !text.startsWith(ASSISTANT_TAG) || !text.endsWith('\n')) return text
      return [{ role: 'assistant', content: text.slice(ASSISTANT_TAG.length, -1) }]
    },
    asked(system, text, room) {
      // Tokenized apart, so that the text's first token is known and not looked for.
      const before = tokenizer.encode(`${toText([{ role: 'system', content: system }])}<user>\n`)
      const after = [...tokenizer.encode('\n'), endId]
      const own = tokenizer.encode(text).slice(0, Math.max(1, room - before.length - after.length))
      return { ids: [...before, ...own, ...after], systemTokens: before.length }
    },
  }
}
