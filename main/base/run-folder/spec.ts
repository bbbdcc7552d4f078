import { readFileSync } from 'node:fs'
import { AppError, describeIssues } from '../../../shared/errors.ts'
import { runSpec, type RunSpec } from '../../../shared/run-spec.ts'
import { runPaths } from './paths.ts'
import { writeRunFile } from './run-file.ts'

/** @throws AppError `spec-invalid` when the file is missing or not a run specification. */
export function readSpec(folder: string): RunSpec {
  const file = runPaths(folder).spec
  let raw: unknown
  try {
    raw = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new AppError({
      code: 'spec-invalid',
      message: `${file} cannot be read as JSON.`,
      hint: 'Start the run again from its request; the specification is written once and never edited.',
      cause: error,
    })
  }
  const parsed = runSpec.safeParse(raw)
  if (parsed.success) return parsed.data
  throw new AppError({
    code: 'spec-invalid',
    message: `${file}: ${describeIssues(parsed.error)}`,
    hint: 'It was written by another version of the app or edited by hand. Start the run again from its request.',
    cause: parsed.error,
  })
}

export function writeSpec(folder: string, spec: RunSpec): void {
  writeRunFile(runPaths(folder).spec, `${JSON.stringify(spec, null, 2)}\n`)
}
