import { AppError, UNEXPECTED_HINT } from '../../shared/errors.ts'

/** Any thrown value as an AppError, so that a page can always show what to do. */
export function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error
  const message = error instanceof Error ? error.message : String(error)
  return new AppError({
    code: 'internal',
    message: `Something unexpected went wrong: ${message}`,
    hint: UNEXPECTED_HINT,
    cause: error,
  })
}
