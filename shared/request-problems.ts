import { z } from 'zod'

/**
 * What is wrong with a request for runs, and with which part of it. The path is spelled as the request is nested, with
 * dots: `config.beta`, `model.runId`, `data.split.test`, `config.rewards.words.0`; '' where it is the whole.
 */
export const requestProblem = z.strictObject({ path: z.string(), message: z.string() })
export type RequestProblem = z.infer<typeof requestProblem>

/** Each issue of a part of the request as a problem. @param part where the schema's value stands: `config`; '' for the request itself */
export function problemsOf(error: z.ZodError, part: string): RequestProblem[] {
  return error.issues.map((issue) => ({
    path: [...(part === '' ? [] : [part]), ...issue.path].join('.'),
    message: issue.message,
  }))
}

/** In one line, for where there is no field to stand beside. */
export function sayProblem({ path, message }: RequestProblem): string {
  return path === '' ? message : `${path}: ${message}`
}

export function sayProblems(problems: readonly RequestProblem[]): string {
  return problems.map(sayProblem).join(' ')
}
