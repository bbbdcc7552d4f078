import type { z } from 'zod'
import { AppError, describeIssues } from '../../../shared/errors.ts'

/** @throws AppError `db-damaged` when a column holds what no version writes. @param where column and row, in words */
export function storedValue<S extends z.ZodType>(schema: S, value: unknown, where: string): z.output<S> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw unreadable(where, describeIssues(parsed.error))
}

/** The same of a column of JSON. */
export function storedJson<S extends z.ZodType>(schema: S, text: string, where: string): z.output<S> {
  try {
    return storedValue(schema, JSON.parse(text), where)
  } catch (error) {
    if (error instanceof SyntaxError) throw unreadable(where, error.message)
    throw error
  }
}

function unreadable(where: string, why: string): AppError {
  return new AppError({
    code: 'db-damaged',
    message: `The database is damaged: ${where} cannot be read (${why}).`,
    hint: 'Close Pairlab and run "pairlab recover" for this data folder: it reads data sets, labels and runs back from their own files.',
  })
}
