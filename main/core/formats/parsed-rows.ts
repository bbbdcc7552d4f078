// What parsing a file hands over to whoever keeps it.
import type { RowProblem } from '../../../shared/contract/import-mapping.ts'
import type { ExtraRecord, ItemRecord, Outcome, Strength } from '../../../shared/data-kinds.ts'

/** Who "said" what a file says without naming anybody: no person, and the same in every data set. */
export const FILE_ANNOTATOR = 'file'

export interface ImportedLabel {
  readonly pairIndex: number
  /** As the file or the mapping names it. */
  readonly annotator: string
  readonly outcome: Outcome
  readonly strength: Strength | null
  readonly comment?: string
}

export interface NewItem extends Omit<ItemRecord, 'index'> {
  /** Judgments that come with the source. */
  readonly labels?: readonly {
    readonly annotator: string
    readonly outcome: Outcome
    readonly strength: Strength | null
  }[]
}

/** What a source gives: items, then what they refer to, and what is wrong with a line wherever it stands. */
export type NewPart = { readonly item: NewItem } | { readonly extra: ExtraRecord } | { readonly problem: RowProblem }
