import type { z } from 'zod'
import { describeIssues } from '../../shared/errors.ts'
import { requestOf } from '../../shared/request-of.ts'
import { runRequest, runSpec, type RunRequest } from '../../shared/run-spec.ts'

/**
 * The request of a settings file: one as JSON, or the `spec.json` of a run, which is told by its version and named anew.
 * @throws Error that says what is wrong with the file
 */
export function readSettingsFile(text: string): RunRequest {
  const given = parseJson(text)
  const isSpec = typeof given === 'object' && given !== null && 'formatVersion' in given
  return isSpec ? { ...requestOf(check(runSpec, given)), name: '' } : check(runRequest, given)
}

function check<T>(schema: z.ZodType<T>, given: unknown): T {
  const parsed = schema.safeParse(given)
  if (!parsed.success) throw new Error(`this is no settings file (${describeIssues(parsed.error)})`)
  return parsed.data
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, '')) // some editors begin a file with this mark
  } catch (error) {
    throw new Error(`this is no JSON (${error instanceof Error ? error.message : String(error)})`, { cause: error })
  }
}
