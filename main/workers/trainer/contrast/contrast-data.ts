import { contrastData, extraRecord, itemRow, type ContrastData, type SplitName } from '../../../../shared/data-kinds.ts'
import type { ContrastItem } from '../../../core/learn/embed/contrast.ts'
import { readViewLines } from '../view-lines.ts'

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
export async function readContrastView(
  viewPath: string,
  viewHash: string,
): Promise<Readonly<Record<SplitName, ContrastSide>>> {
  const sides = { train: emptySide(), validation: emptySide(), test: emptySide() }
  await readViewLines(viewPath, viewHash, (value, misfit) => {
    if (extraRecord.safeParse(value).success) return
    const row = itemRow.safeParse(value)
    const data = contrastData.safeParse(row.data?.data)
    if (!row.success || !data.success) throw misfit((row.error ?? data.error)!) // one of the two failed
    const side = sides[row.data.split]
    if (data.data.form === 'triple') side.triples.push({ ...data.data, id: row.data.pairId })
    else if (data.data.form === 'text') side.texts.push({ id: row.data.pairId, text: data.data.text })
    else side.scored.push(data.data)
  })
  return sides
}

function emptySide(): { triples: Triple[]; texts: { id: string; text: string }[]; scored: ScoredPair[] } {
  return { triples: [], texts: [], scored: [] }
}

/** Every text of a side once, in its order. */
export function textsOfSide(side: ContrastSide): string[] {
  return [
    ...new Set([
      ...side.texts.map((one) => one.text),
      ...side.triples.flatMap((one) => [one.query, one.positive, ...one.negatives]),
    ]),
  ]
}

export function textItems(side: ContrastSide): ContrastItem[] {
  return textsOfSide(side).map((text, at) => ({ id: `text-${at}`, query: text, positive: null, negatives: [] }))
}

/** Those with at least so many negatives, each with as many. */
export function tripleItems(triples: readonly Triple[], negatives: number): ContrastItem[] {
  return triples
    .filter((one) => one.negatives.length >= negatives)
    .map((one) => ({
      id: one.id,
      query: one.query,
      positive: one.positive,
      negatives: one.negatives.slice(0, negatives),
    }))
}
