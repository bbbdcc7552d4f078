import { AppError } from '../../../shared/errors.ts'

/** Engines and V8 report exhausted memory as range errors with telling texts. */
export function nameMemoryFailure(error: unknown, hint: string): unknown {
  const text = error instanceof Error ? error.message : String(error)
  if (
    error instanceof AppError ||
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
