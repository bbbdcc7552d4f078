import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { preferenceRow, type PreferenceRow, type SplitName } from '../../shared/data-kinds.ts'
import { AppError, describeIssues } from '../../shared/errors.ts'
import { isErrno } from '../runs/run-dir.ts'

export type RowsBySide = { readonly [S in SplitName]: readonly PreferenceRow[] }

/**
 * The rows of a frozen view, by side of the split.
 * @throws AppError `file-not-found`, `dataset-invalid` when the file is not the one that the run was made for
 */
export async function readViewFile(viewPath: string, viewHash: string): Promise<RowsBySide> {
  const sides: { readonly [S in SplitName]: PreferenceRow[] } = { train: [], validation: [], test: [] }
  const hash = createHash('sha256')
  const stream = createReadStream(viewPath)
  stream.on('data', (chunk) => hash.update(chunk))
  try {
    let line = 0
    for await (const text of createInterface({ input: stream, crlfDelay: Infinity })) {
      line += 1
      const row = preferenceRow.safeParse(JSON.parse(text))
      if (!row.success) throw new AppError({ code: 'dataset-invalid', message: `${viewPath}, line ${line}: ${describeIssues(row.error)}`, hint: 'Start the run again: the file is written anew from the data set.' })
      sides[row.data.split].push(row.data)
    }
  } catch (error) {
    if (isErrno(error, 'ENOENT')) throw new AppError({ code: 'file-not-found', message: `The run's data, ${viewPath}, is not there.`, hint: 'Start the run again from its request; the data set may have been deleted.', cause: error })
    throw error
  }
  if (hash.digest('hex') !== viewHash) throw new AppError({ code: 'dataset-invalid', message: `The run's data, ${viewPath}, was changed after the run was made.`, hint: 'Start the run again from its request.' })
  return sides
}
