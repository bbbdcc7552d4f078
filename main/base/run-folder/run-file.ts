import path from 'node:path'
import { AppError } from '../../../shared/errors.ts'
import { replaceFile } from '../files/durable.ts'
import { isErrno } from '../files/system-error.ts'

/** A full disk in the user's words; anything else as it came. */
export function diskError(error: unknown, file: string): unknown {
  if (!isErrno(error, 'ENOSPC', 'EDQUOT')) return error
  return new AppError({
    code: 'disk-full',
    message: `The disk is full: ${path.basename(file)} could not be written in ${path.dirname(file)}.`,
    hint: 'Free some space, then resume the run: it goes on from its last checkpoint.',
    cause: error,
  })
}

/** One file of a run, replaced whole. @throws AppError `disk-full` */
export function writeRunFile(file: string, data: string | Uint8Array): void {
  try {
    replaceFile(file, data)
  } catch (error) {
    throw diskError(error, file)
  }
}
