import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { contrastData, extraRecord, itemRow, type ContrastData, type SplitName } from '../../shared/data-kinds.ts'
import { AppError, describeIssues } from '../../shared/errors.ts'
import { isErrno } from '../runs/run-dir.ts'

export type Triple = Extract<ContrastData, { form: 'triple' }> & { readonly id: string }
export type ScoredPair = Extract<ContrastData, { form: 'scored-pair' }>

export interface ContrastSide {
  readonly triples: readonly Triple[]
  readonly texts: readonly { readonly id: string; readonly text: string }[]
  readonly scored: readonly ScoredPair[]
}

/**
 * Texts of a frozen view, by side of the split.
 * @throws AppError `file-not-found`, `dataset-invalid` for another file than the run was made for
 */
export async function readContrastView(viewPath: string, viewHash: string): Promise<Readonly<Record<SplitName, ContrastSide>>> {
  const sides = { train: emptySide(), validation: emptySide(), test: emptySide() }
  const hash = createHash('sha256')
  const stream = createReadStream(viewPath)
  stream.on('data', (chunk) => hash.update(chunk))
  try {
    let line = 0
    for await (const text of createInterface({ input: stream, crlfDelay: Infinity })) {
      line += 1
      const parsed: unknown = JSON.parse(text)
      if (extraRecord.safeParse(parsed).success) continue
      const row = itemRow.safeParse(parsed)
      const data = contrastData.safeParse(row.data?.data)
      if (!row.success || !data.success) throw new AppError({ code: 'dataset-invalid', message: `${viewPath}, line ${line}: ${describeIssues(row.error ?? data.error!)}`, hint: 'Start the run again: the file is written anew from the data set.' })
      const side = sides[row.data.split]
      if (data.data.form === 'triple') side.triples.push({ ...data.data, id: row.data.pairId })
      else if (data.data.form === 'text') side.texts.push({ id: row.data.pairId, text: data.data.text })
      else side.scored.push(data.data)
    }
  } catch (error) {
    if (isErrno(error, 'ENOENT')) throw new AppError({ code: 'file-not-found', message: `The run's data, ${viewPath}, is not there.`, hint: 'Start the run again from its request; the data set may have been deleted.', cause: error })
    throw error
  }
  if (hash.digest('hex') !== viewHash) throw new AppError({ code: 'dataset-invalid', message: `The run's data, ${viewPath}, was changed after the run was made.`, hint: 'Start the run again from its request.' })
  return sides
}

function emptySide(): { triples: Triple[]; texts: { id: string; text: string }[]; scored: ScoredPair[] } {
  return { triples: [], texts: [], scored: [] }
}

/** Every text of a side once, in its order. */
export function textsOfSide(side: ContrastSide): string[] {
  return [...new Set([...side.texts.map((one) => one.text), ...side.triples.flatMap((one) => [one.query, one.positive, ...one.negatives])])]
}
