import {
  preferenceRow,
  unpairedRow,
  type PreferenceRow,
  type SplitName,
  type UnpairedRow,
} from '../../../../shared/data-kinds.ts'
import { readViewLines } from '../view-lines.ts'

/** A view holds rows of one of the two kinds. */
export interface SideRows {
  readonly pairs: readonly PreferenceRow[]
  readonly answers: readonly UnpairedRow[]
}

export type RowsBySide = { readonly [S in SplitName]: SideRows }

/**
 * The rows of a frozen view, by side of the split.
 * @throws AppError `file-not-found`, `dataset-invalid` when the file is not the one that the run was made for
 */
export async function readViewFile(viewPath: string, viewHash: string): Promise<RowsBySide> {
  const side = (): { readonly pairs: PreferenceRow[]; readonly answers: UnpairedRow[] } => ({ pairs: [], answers: [] })
  const sides = { train: side(), validation: side(), test: side() }
  await readViewLines(viewPath, viewHash, (value, misfit) => {
    if (typeof value === 'object' && value !== null && 'completion' in value) {
      const row = unpairedRow.safeParse(value)
      if (!row.success) throw misfit(row.error)
      sides[row.data.split].answers.push(row.data)
      return
    }
    const row = preferenceRow.safeParse(value)
    if (!row.success) throw misfit(row.error)
    sides[row.data.split].pairs.push(row.data)
  })
  return sides
}
