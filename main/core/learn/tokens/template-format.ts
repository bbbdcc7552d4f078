// The layout of chat models: prompt and completion through the model's own chat template.
import type { Content, Message } from '../../../../shared/data-kinds.ts'
import { AppError } from '../../../../shared/errors.ts'
import { encodeChat, encodeConversation, type ChatTemplate, type EncodedChat } from './chat-template.ts'
import { shareRoom, turnsOf } from './cut-row.ts'
import type { TextFormat } from './text-format.ts'
import type { Tokenizer } from './tokenizer.ts'

/**
 * Text without turns is one turn of the user, or of the assistant. The tokens are those of transformers'
 * `apply_chat_template`; what the template writes after the end of the last turn stands for nothing and is left out.
 */
export function templateFormat(tokenizer: Tokenizer, template: ChatTemplate | null): TextFormat {
  if (template === null)
    throw new AppError({
      code: 'spec-invalid',
      message: 'The model has no chat template.',
      hint: 'Choose the plain text layout, or put chat_template.jinja beside the weights.',
    })
  const promptOf = (turns: readonly Message[]): readonly number[] =>
    speak(turns, (spoken) => encodeChat(tokenizer, template, spoken))
  const prompt = (content: Content, room = Number.POSITIVE_INFINITY): readonly number[] =>
    fitTurns(tokenizer, turnsOf(content, 'user'), room, promptOf)
  const ends = new Set(tokenizer.stopIds)
  return {
    layout: 'template',
    opening: tokenizer.opening,
    prompt,
    row(content, completion, maxLength) {
      const before = promptOf(turnsOf(content, 'user'))
      const after = completionOf(tokenizer, template, ends, { content, completion, before })
      const room = shareRoom(before.length, after.ids.length, maxLength)
      const kept = room.prompt < before.length ? prompt(content, room.prompt) : before
      const length = Math.min(after.ids.length, maxLength - kept.length)
      return {
        prompt: kept,
        completion: after.ids.slice(0, length),
        trained: after.generated?.slice(0, length) ?? null,
        wasCut: room.prompt < before.length || length < after.ids.length,
      }
    },
    written: (text, content) => (typeof content === 'string' ? text : [{ role: 'assistant', content: text }]),
    asked(system, text, room) {
      const turns = (body: string): Message[] => [
        { role: 'system', content: system },
        { role: 'user', content: body },
      ]
      const ids = fitText(tokenizer, text, room, 'end', (body) => promptOf(turns(body)))
      // Where two texts that begin otherwise part, the text begins.
      const other = promptOf(turns(text.startsWith('a') ? 'Z' : 'a'))
      let same = 0
      while (same < ids.length && ids[same] === other[same]) same += 1
      return { ids, systemTokens: same }
    },
  }
}

/** What follows the prompt in the conversation as a whole, up to the token that ends the last turn. */
function completionOf(
  tokenizer: Tokenizer,
  template: ChatTemplate,
  ends: ReadonlySet<number>,
  {
    content,
    completion,
    before,
  }: { readonly content: Content; readonly completion: Content; readonly before: readonly number[] },
): EncodedChat {
  const answer = turnsOf(completion, 'assistant')
  const whole = speak([...turnsOf(content, 'user'), ...answer], (spoken) =>
    encodeConversation(tokenizer, template, spoken),
  )
  if (!before.every((id, at) => whole.ids[at] === id))
    // The template writes an answer otherwise where it has been given (a thought left out, say): as the model will meet it.
    return { ids: [...answer.flatMap((turn) => tokenizer.encode(turn.content)), tokenizer.endId], generated: null }
  const ids = whole.ids.slice(before.length)
  const last = ids.findLastIndex((id) => ends.has(id))
  if (last < 0) return { ids: [...ids, tokenizer.endId], generated: null } // the template ends no turn
  const generated = whole.generated?.slice(before.length, before.length + last + 1) ?? null
  return { ids: ids.slice(0, last + 1), generated }
}

/**
 * Turns as the template takes them. Where it refuses them they are said in the roles that every template knows: the
 * system prompt before the first question, what a tool answered as a user's turn, two turns of one role as one.
 */
function speak<T>(turns: readonly Message[], write: (turns: readonly Message[]) => T): T {
  try {
    return write(turns)
  } catch (refused) {
    const plainer = inTwoRoles(turns)
    if (plainer === null) throw refused
    try {
      return write(plainer)
    } catch {
      throw refused
    }
  }
}

/** Null where it would change nothing. */
export function inTwoRoles(turns: readonly Message[]): readonly Message[] | null {
  const merged: Message[] = []
  for (const { role, content } of turns) {
    const said = role === 'assistant' ? 'assistant' : 'user'
    const last = merged.at(-1)
    if (last?.role === said) merged[merged.length - 1] = { role: said, content: `${last.content}\n\n${content}` }
    else merged.push({ role: said, content })
  }
  return merged.length === turns.length && merged.every((turn, at) => turn.role === turns[at]!.role) ? null : merged
}

/** Fewer turns, then less of their texts, until they fit. */
function fitTurns(
  tokenizer: Tokenizer,
  turns: readonly Message[],
  room: number,
  write: (turns: readonly Message[]) => readonly number[],
): readonly number[] {
  const whole = write(turns)
  if (whole.length <= room) return whole
  const system = turns[0]?.role === 'system' ? turns.slice(0, 1) : []
  let rest = turns.slice(system.length)
  while (rest.length > 1) {
    // A conversation begins with its user.
    const next = rest.findIndex((turn, at) => at > 0 && turn.role === 'user')
    if (next < 0) break
    rest = rest.slice(next)
    const ids = write([...system, ...rest])
    if (ids.length <= room) return ids
  }
  const last = rest.at(-1) ?? { role: 'user', content: '' }
  const ids = fitText(tokenizer, last.content, room, 'start', (content) =>
    write([...system, ...rest.slice(0, -1), { ...last, content }]),
  )
  if (ids.length <= room) return ids
  const shortest = { ...last, content: '' }
  const cut = fitText(tokenizer, system[0]?.content ?? '', room, 'end', (content) =>
    write([...system.map((turn) => ({ ...turn, content })), shortest]),
  )
  if (cut.length <= room) return cut
  throw new AppError({
    code: 'spec-invalid',
    message: `The chat template alone takes ${cut.length} tokens, and there is room for ${room}.`,
    hint: 'Raise the longest sequence, or choose the plain text layout.',
  })
}

/** The most of a text with which what is written fits; without any of it where nothing does. */
function fitText(
  tokenizer: Tokenizer,
  text: string,
  room: number,
  cutFrom: 'start' | 'end',
  write: (text: string) => readonly number[],
): readonly number[] {
  const own = tokenizer.encode(text)
  let ids = write(text)
  let keep = own.length
  while (ids.length > room && keep > 0) {
    keep = Math.max(0, Math.min(keep - 1, keep - (ids.length - room)))
    const kept = cutFrom === 'start' ? own.slice(own.length - keep) : own.slice(0, keep)
    ids = write(tokenizer.decode(kept).replace(cutFrom === 'start' ? /^\uFFFD+/ : /\uFFFD+$/, '')) // half a character
  }
  return ids
}
