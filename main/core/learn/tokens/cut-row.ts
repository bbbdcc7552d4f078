import type { Content, Message } from '../../../../shared/data-kinds.ts'

/**
 * How many tokens prompt and completion get of `maxLength`: completions no more than half of it unless the prompt
 * leaves more.
 */
export function shareRoom(
  promptTokens: number,
  completionTokens: number,
  maxLength: number,
): { readonly prompt: number; readonly completion: number } {
  if (promptTokens + completionTokens <= maxLength) return { prompt: promptTokens, completion: completionTokens }
  const completion = Math.min(completionTokens, Math.max(Math.floor(maxLength / 2), maxLength - promptTokens))
  return { prompt: Math.min(promptTokens, maxLength - completion), completion }
}

/** Text as the turn of a role; turns as they are. */
export function turnsOf(content: Content, role: 'user' | 'assistant'): readonly Message[] {
  return typeof content === 'string' ? [{ role, content }] : content
}
