import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { AppError } from '../../../shared/errors.ts'
import { summarizeLeftOut } from './import-report.ts'

/** Reports of refused imports that are kept, newest ones. */
const KEPT_REPORTS = 20

/**
 * The error of an import that keeps no row: what is wrong with the first ten, how often which reason, and where the
 * whole list is. The report leaves the folder of the data set, which is taken away, for `reports/`.
 * @param report report.jsonl, written and closed   @param source what was read, for the message
 * @param cause what ended the reading, where it was not only its rows   @param rows how many there were; a row can have several reasons
 */
export async function refuseImport(
  dataFolder: string,
  report: string,
  source: string,
  cause: AppError | null = null,
  rows: number | null = null,
): Promise<AppError> {
  const found = await summarizeLeftOut(await keepReport(dataFolder, report))
  const [reason] = found.reasons
  const [first] = found.first
  if (reason === undefined || first === undefined)
    return (
      cause ??
      new AppError({
        code: 'dataset-invalid',
        message: `${source} holds no rows.`,
        hint: 'Choose a file with at least one row.',
      })
    )
  const what = cause?.message ?? `None of the ${rows ?? found.total} rows of ${source} could be read.`
  return new AppError({
    code: 'dataset-invalid',
    message: `${what} Line ${first.line}: ${first.reason}`,
    hint: first.hint,
    details: { leftOut: found },
    ...(cause === null ? {} : { cause }),
  })
}

async function keepReport(dataFolder: string, report: string): Promise<string> {
  const folder = path.join(dataFolder, 'reports')
  await mkdir(folder, { recursive: true })
  // Names are times, so that their order is that of age; the data set's id tells two of one millisecond apart.
  const kept = path.join(
    folder,
    `${new Date().toISOString().replaceAll(':', '-')}-${path.basename(path.dirname(report))}.jsonl`,
  )
  await rename(report, kept)
  const old = (await readdir(folder))
    .filter((name) => name.endsWith('.jsonl'))
    .toSorted()
    .slice(0, -KEPT_REPORTS)
  for (const name of old) await rm(path.join(folder, name), { force: true })
  return kept
}
