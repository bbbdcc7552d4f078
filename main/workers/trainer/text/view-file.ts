import { preferenceRow, type PreferenceRow, type SplitName } from '../../../../shared/data-kinds.ts'
import { readViewLines } from '../view-lines.ts'

export type RowsBySide = { readonly [S in SplitName]: readonly PreferenceRow[] }

/**
 * The rows of a frozen view, by side of the split.
 * @throws AppError `file-not-found`, `dataset-invalid` when the file is not the one that the run was made for
 */
export async function readViewFile(viewPath: string, viewHash: string): Promise<RowsBySide> {
  const sides: { readonly [S in SplitName]: PreferenceRow[] } = { train: [], validation: [], test: [] }
  await readViewLines(viewPath, viewHash, (value, misfit) => {
    const row = preferenceRow.safeParse(value)
    if (!row.success) throw misfit(row.error)
    sides[row.data.split].push(row.data)
  })
  return sides
}
