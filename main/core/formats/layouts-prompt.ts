import type { Content, Message } from '../../../shared/data-kinds.ts'
import { sharedTurns } from './layouts-content.ts'

/** A row's prompt and its two answers. */
export interface Sides {
  readonly prompt: Content
  readonly a: Content
  readonly b: Content
}

/** What was there before the prompt, in columns of its own. */
export interface Before {
  /** What the system was told, tools included; empty for nothing. */
  readonly system: string
  readonly history: Content
}

/**
 * The prompt with what the system was told and the earlier turns in front. A conversation that begins with them already
 * is left as it is. Dialogues written as one text stay text, everything else becomes turns, so that all rows of a file
 * have one form.
 */
export function putBefore({ prompt, a, b }: Sides, { system, history }: Before, isOneText: boolean): Sides {
  if (isOneText && typeof prompt === 'string') {
    const earlier = [system, typeof history === 'string' ? history : history.map((turn) => turn.content).join('\n\n')]
      .filter((text) => text !== '')
      .join('\n\n')
    return {
      prompt: earlier === '' ? prompt : /^\s/.test(prompt) ? `${earlier}${prompt}` : `${earlier}\n\n${prompt}`,
      a,
      b,
    }
  }
  const own = asTurns(prompt, 'user')
  const withoutSystem = own[0]?.role === 'system' ? own.slice(1) : own
  const earlier = asTurns(history, 'user')
  const repeats = earlier.length > 0 && sharedTurns(earlier, withoutSystem) === earlier.length
  const told: Message[] =
    system === '' || (own[0]?.role === 'system' && own[0].content === system) || earlier[0]?.content === system
      ? []
      : [{ role: 'system', content: system }]
  const head = own[0]?.role === 'system' ? own.slice(0, 1) : []
  return {
    prompt: [...told, ...head, ...(repeats ? [] : earlier), ...withoutSystem],
    a: asTurns(a, 'assistant'),
    b: asTurns(b, 'assistant'),
  }
}

function asTurns(content: Content, role: string): Message[] {
  if (typeof content !== 'string') return content
  return content === '' && role === 'user' ? [] : [{ role, content }]
}

/**
 * Two sides in one form: an answer that is text, or its last turn alone, follows the conversation that the other side
 * holds whole (ms-swift's `messages` and `rejected_response`). Null where one side has no turns to follow.
 */
export function alignForms(a: Content, b: Content): { readonly a: Content; readonly b: Content } | null {
  if (typeof a === 'string' && typeof b === 'string') return { a, b }
  if (typeof a !== 'string') {
    const other = follow(b, a)
    if (other !== null) return { a, b: other }
  }
  if (typeof b !== 'string') {
    const other = follow(a, b)
    if (other !== null) return { a: other, b }
  }
  return typeof a === 'string' || typeof b === 'string' ? null : { a, b }
}

/** A lone answer in the place of the last one of a conversation; null where it is no lone answer, or there is no such place. */
function follow(answer: Content, conversation: readonly Message[]): Message[] | null {
  const lone =
    typeof answer === 'string'
      ? [{ role: 'assistant', content: answer }]
      : answer.length === 1 && answer[0]?.role === 'assistant'
        ? answer
        : null
  const beginsAtPrompt = conversation.length > 1 && conversation[0]?.role !== 'assistant'
  const isLone = conversation.length === 1 && typeof answer === 'string'
  if (lone === null || conversation.at(-1)?.role !== 'assistant' || !(beginsAtPrompt || isLone)) return null
  return [...conversation.slice(0, -1), ...lone]
}

/** UltraFeedback repeats the prompt's turns inside both answers; left there, the prompt would be trained twice. */
export function dropPrompt(prompt: Content, a: Message[], b: Message[]): Sides {
  const shared = a.slice(0, sharedTurns(a, b))
  if (typeof prompt !== 'string') {
    const repeated = prompt.length > 0 && sharedTurns(prompt, shared) === prompt.length
    return repeated ? { prompt, a: a.slice(prompt.length), b: b.slice(prompt.length) } : { prompt, a, b }
  }
  const last = shared.findLastIndex((turn) => turn.role === 'user' && turn.content.trim() === prompt.trim())
  if (last !== -1) return { prompt: shared.slice(0, last + 1), a: a.slice(last + 1), b: b.slice(last + 1) }
  const end = shared.findLastIndex((turn) => turn.role === 'user') + 1
  const rest = { a: a.slice(end), b: b.slice(end) }
  // A prompt that was rendered from the turns, or that is their first one, says nothing that they do not say.
  if (end > 0 && shared.slice(0, end).every((turn) => prompt.includes(turn.content.trim())))
    return { prompt: shared.slice(0, end), ...rest }
  if (shared.some((turn) => turn.content.trim() === prompt.trim())) return { prompt: shared.slice(0, end), ...rest }
  return { prompt: [...(prompt === '' ? [] : [{ role: 'user', content: prompt }]), ...shared.slice(0, end)], ...rest }
}
