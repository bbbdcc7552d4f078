import { z } from 'zod'

/**
 * The closed list of things that can go wrong in words the user knows. The number is the command line's exit
 * status for that class, so that a script can tell bad input from a busy run without reading text.
 */
export const ERROR_EXIT_STATUS = {
  'usage-invalid': 2,
  'input-invalid': 3,
  'dataset-invalid': 3,
  'file-not-found': 4,
  'not-found': 4,
  'format-unknown': 3,
  'model-unsupported': 3,
  'spec-invalid': 3,
  'label-conflict': 5,
  'run-conflict': 5,
  'engine-unavailable': 6,
  'out-of-memory': 6,
  'disk-full': 7,
  'db-from-future': 8,
  'db-damaged': 8,
  'db-locked': 8,
  'folder-unusable': 8,
  'trainer-failed': 9,
  'loss-not-finite': 9,
  cancelled: 130,
  forbidden: 10,
  'too-large': 10,
  internal: 70,
} as const

export const errorCode = z.enum(Object.keys(ERROR_EXIT_STATUS) as [ErrorCode, ...ErrorCode[]])
export type ErrorCode = keyof typeof ERROR_EXIT_STATUS

/** What crosses every door in place of an exception: what happened, what to do now, and where. */
export const wireError = z.strictObject({
  code: errorCode,
  message: z.string(),
  hint: z.string(),
  details: z.record(z.string(), z.json()).optional(),
})
export type WireError = z.infer<typeof wireError>

export interface AppErrorOptions {
  readonly code: ErrorCode
  /** What happened, in the user's nouns. */
  readonly message: string
  /** What to do now. */
  readonly hint: string
  readonly details?: Readonly<Record<string, z.infer<ReturnType<typeof z.json>>>> | undefined
  readonly cause?: unknown
}

/** An expected failure. Anything else that is thrown becomes `internal`. */
export class AppError extends Error {
  readonly code: ErrorCode
  readonly hint: string
  readonly details: AppErrorOptions['details'] | undefined

  constructor(options: AppErrorOptions) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'AppError'
    this.code = options.code
    this.hint = options.hint
    this.details = options.details
  }
}

/** Of what nobody foresaw. */
export const UNEXPECTED_HINT =
  'Try again. If it happens again, look into app.log in the data folder, whose place Settings names.'

/** Any thrown value as the error that crosses a door. */
export function toWire(error: unknown): WireError {
  if (error instanceof AppError) {
    return {
      code: error.code,
      message: error.message,
      hint: error.hint,
      ...(error.details === undefined ? {} : { details: { ...error.details } }),
    }
  }
  const message = error instanceof Error ? error.message : String(error)
  return {
    code: 'internal',
    message: `Something unexpected went wrong: ${message}`,
    hint: UNEXPECTED_HINT,
    ...(error instanceof Error && error.stack !== undefined ? { details: { stack: error.stack } } : {}),
  }
}

export function fromWire(wire: WireError): AppError {
  return new AppError({ ...wire, details: wire.details })
}

/** zod's issues as one line each: `training.steps: expected number, received string`, `prompts: at least 1 is asked for`. */
export function describeIssues(error: z.ZodError): string {
  return error.issues
    .map((issue) => `${issue.path.length > 0 ? issue.path.join('.') : 'input'}: ${describeIssue(issue)}`)
    .join('; ')
}

/** A bound in the words of somebody who gave a value, not of a program; anything else as zod says it. */
function describeIssue(issue: z.core.$ZodIssue): string {
  if (issue.code === 'too_small')
    return `${issue.inclusive === false ? 'more than' : 'at least'} ${asked(issue.minimum, issue.origin)}`
  if (issue.code === 'too_big')
    return `${issue.inclusive === false ? 'less than' : 'at most'} ${asked(issue.maximum, issue.origin)}`
  if (issue.code === 'invalid_type' && issue.expected === 'int') return 'a whole number is asked for'
  return issue.message
}

function asked(bound: number | bigint, origin: string): string {
  const one = bound === 1
  if (origin === 'string') return `${bound} ${one ? 'character is' : 'characters are'} asked for`
  if (origin === 'array' || origin === 'set') return `${bound} ${one ? 'entry is' : 'entries are'} asked for`
  return `${bound} is asked for`
}
