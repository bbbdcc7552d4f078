// The layout of base models: text as it stands, between the tokens with which the model's texts begin and end.
import type { Content } from '../../../../shared/data-kinds.ts'
import { shareRoom } from './cut-row.ts'
import type { TextFormat } from './text-format.ts'
import type { Tokenizer } from './tokenizer.ts'

/** Turns as a base model has met them in texts: by the names of who speaks. */
function transcript(content: Content): string {
  if (typeof content === 'string') return content
  return content
    .map(({ role, content: text }) => `${role.slice(0, 1).toUpperCase()}${role.slice(1)}: ${text}\n`)
    .join('')
}

const ANSWER = 'Assistant:'

export function plainFormat(tokenizer: Tokenizer): TextFormat {
  const { opening, endId } = tokenizer
  const promptText = (prompt: Content): string =>
    typeof prompt === 'string' ? prompt : `${transcript(prompt)}${ANSWER}`
  /** What follows `Assistant:`. */
  const completionText = (completion: Content): string => {
    if (typeof completion === 'string') return completion
    const text = transcript(completion).replace(/\n$/, '')
    return text.startsWith(ANSWER) ? text.slice(ANSWER.length) : ` ${text}`
  }
  /** Cut at its start, where the model's own beginning stays. */
  const promptOf = (prompt: Content): { readonly ids: readonly number[]; readonly text: string } => {
    const text = promptText(prompt)
    const ids = tokenizer.encode(text)
    return { ids: opening.length + ids.length === 0 ? [endId] : ids, text } // something to predict from
  }
  const fitted = (ids: readonly number[], room: number): readonly number[] => [
    ...opening,
    ...(ids.length <= room - opening.length ? ids : ids.slice(-Math.max(1, room - opening.length))),
  ]
  return {
    layout: 'plain',
    opening,
    prompt: (prompt, room = Number.POSITIVE_INFINITY) => fitted(promptOf(prompt).ids, room),
    row(prompt, completion, maxLength) {
      const before = promptOf(prompt)
      const text = completionText(completion)
      // Together, as the text would be read; apart where their border would fall within a token.
      const whole = tokenizer.encode(before.text + text)
      const joined = before.text !== '' && before.ids.every((id, at) => whole[at] === id)
      const after = [...(joined ? whole.slice(before.ids.length) : tokenizer.encode(text)), endId]
      const length = opening.length + before.ids.length
      const room = shareRoom(length, after.length, maxLength)
      return {
        prompt: fitted(before.ids, room.prompt),
        completion: after.slice(0, room.completion),
        trained: null,
        wasCut: room.prompt < length || room.completion < after.length,
      }
    },
    written: (text, prompt) => (typeof prompt === 'string' ? text : [{ role: 'assistant', content: text.trim() }]),
    asked(system, text, room) {
      const before = [...opening, ...tokenizer.encode(`${system}\n\n`)]
      const after = tokenizer.encode('\n\n')
      const own = tokenizer.encode(text).slice(0, Math.max(1, room - before.length - after.length))
      return { ids: [...before, ...own, ...after], systemTokens: before.length }
    },
  }
}
