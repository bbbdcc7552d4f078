import { AppError } from '../../shared/errors.ts'

/**
 * Engines and V8 report exhausted memory as range errors with telling texts. Where an engine has named its own limit, that
 * stays the message.
 * @param hint what to lower, which the engine cannot know
 */
export function nameMemoryFailure(error: unknown, hint: string): unknown {
  if (error instanceof AppError) {
    if (error.code !== 'out-of-memory') return error
    return new AppError({ code: error.code, message: error.message, hint: `${hint} ${error.hint}`, cause: error })
  }
  const text = error instanceof Error ? error.message : String(error)
  if (
    !/allocation failed|out of memory|Cannot enlarge memory|memory access out of bounds|Invalid (typed )?array length/i.test(
      text,
    )
  )
    return error
  return new AppError({
    code: 'out-of-memory',
    message: `The process that computes ran out of memory (${text}).`,
    hint,
    cause: error,
  })
}
