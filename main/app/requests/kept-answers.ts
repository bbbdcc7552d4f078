import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { Generation } from '../../../shared/contract/playground.ts'
import type { Content, UnpairedData } from '../../../shared/data-kinds.ts'
import { AppError } from '../../../shared/errors.ts'
import type { NewRecord } from '../data/growing-dataset.ts'

/**
 * What models wrote, as a record for people to judge: two answers to one prompt are a pair, one is a single answer. Who
 * wrote each goes into the metadata, which no labeler sees. The same answers have the same id.
 * @throws AppError `input-invalid` where there is nothing that could be judged
 */
export function recordOf(left: Generation, right: Generation | null): NewRecord {
  const [a, prompt] = [answerOf(left), promptOf(left)]
  const pairId = `written-${createHash('sha256')
    .update(`${left.generationId}/${right?.generationId ?? ''}`)
    .digest('hex')
    .slice(0, 12)}`
  if (right === null)
    return { kind: 'unpaired-responses', pairId, prompt, completion: a, metadata: { writer: writerOf(left) } }
  const b = answerOf(right)
  if (!isDeepStrictEqual(prompt, promptOf(right)))
    throw new AppError({
      code: 'input-invalid',
      message: 'The two sides answered different conversations: each saw its own earlier answers.',
      hint: 'Clear what was written and ask both again, or close one side and keep the other answer alone.',
    })
  if (isDeepStrictEqual(a, b))
    throw new AppError({
      code: 'input-invalid',
      message: 'Both sides wrote the same: there is nothing to compare.',
      hint: 'Ask again with a new seed or a higher temperature.',
    })
  return {
    kind: 'response-pairs',
    pairId,
    prompt,
    a,
    b,
    metadata: { writerA: writerOf(left), writerB: writerOf(right) },
  }
}

function promptOf({ request: { prompt } }: Generation): Content {
  return prompt.kind === 'chat' ? [...prompt.messages] : prompt.text
}

function answerOf({ state, title, layout, request, completions }: Generation): Content {
  if (state !== 'done' || completions[0] === undefined)
    throw new AppError({
      code: 'input-invalid',
      message: `${title} has not ended its answer.`,
      hint: 'Wait for it, or stop it, and do it again.',
    })
  // In the layout of tags a line break ends every turn; the next prompt writes it again.
  const text = layout === 'tags' ? completions[0].text.replace(/\n$/, '') : completions[0].text
  if (text.trim() === '')
    throw new AppError({
      code: 'input-invalid',
      message: `${title} wrote nothing that could be judged.`,
      hint: 'Ask again.',
    })
  return request.prompt.kind === 'chat' ? [{ role: 'assistant', content: text }] : text
}

/** Enough to have it written again. */
function writerOf({ title, request, engine, layout, completions }: Generation): UnpairedData['metadata'][string] {
  const { source, template, settings } = request
  const { seed = 0, reason = null } = completions[0] ?? {}
  return { title, source, seed, reason, engine, layout, template, settings }
}
