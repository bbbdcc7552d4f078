import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import { AppError, describeIssues } from '../../../shared/errors.ts'
import { isErrno } from '../../base/files/system-error.ts'

/**
 * Reads a frozen view, a JSON value a line.
 * @param take gets each value in turn, and what makes an error of a value that does not fit
 * @throws AppError `file-not-found`, `dataset-invalid` naming the line, or when the file is not the one that the run was made for
 */
export async function readViewLines(
  viewPath: string,
  viewHash: string,
  take: (value: unknown, misfit: (error: z.ZodError) => AppError) => void,
): Promise<void> {
  const hash = createHash('sha256')
  const stream = createReadStream(viewPath)
  stream.on('data', (chunk) => hash.update(chunk))
  let line = 0
  const misfit = (error: z.ZodError): AppError =>
    new AppError({
      code: 'dataset-invalid',
      message: `Line ${line} of the run's data cannot be used: ${describeIssues(new z.ZodError(error.issues.slice(0, 1)))}${error.issues.length > 1 ? `; and ${error.issues.length - 1} more like it` : ''}.`,
      hint: 'The data set itself holds this: import its source again, which leaves such rows out and lists them, and train on that.',
      details: { file: viewPath, line },
    })
  try {
    for await (const text of createInterface({ input: stream, crlfDelay: Infinity })) {
      line += 1
      take(JSON.parse(text), misfit)
    }
  } catch (error) {
    if (isErrno(error, 'ENOENT'))
      throw new AppError({
        code: 'file-not-found',
        message: `The run's data, ${viewPath}, is not there.`,
        hint: 'Start the run again from its request; the data set may have been deleted.',
        cause: error,
      })
    throw error
  }
  if (hash.digest('hex') !== viewHash)
    throw new AppError({
      code: 'dataset-invalid',
      message: `The run's data, ${viewPath}, was changed after the run was made.`,
      hint: 'Start the run again from its request.',
    })
}
