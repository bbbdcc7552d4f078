// A retrieval collection as Pairlab holds it, and the rows that its files give.
import type { RowProblem } from '../../../shared/contract/import-mapping.ts'

export interface Document {
  readonly docId: string
  /** '' where the source has none. */
  readonly title: string
  readonly text: string
}

export interface Query {
  readonly queryId: string
  readonly text: string
}

/** What a judge said of a document for a query: 0 is not relevant, more is better. */
export interface Judgment {
  readonly queryId: string
  readonly docId: string
  readonly grade: number
}

/** A row of a file, or the reason why it is none. */
export type Row<T> =
  | { readonly line: number; readonly value: T; readonly problem: null }
  | { readonly line: number; readonly value: null; readonly problem: RowProblem }

/** A problem and the file it is in, relative to what was opened. */
export interface FileProblem extends RowProblem {
  readonly file: string
}

export interface Collection {
  readonly documents: readonly Document[]
  readonly queries: readonly Query[]
  /** By split, in the order of the files: a query belongs to the splits in which it is judged. */
  readonly judgments: Readonly<Record<string, readonly Judgment[]>>
  /** Rows that were left out (`error`) or need a look (`warning`). */
  readonly problems: readonly FileProblem[]
}

/** What a model reads of a document: title, a space, text, as BEIR joins them. */
export function textOf({ title, text }: Document): string {
  return title === '' ? text : `${title} ${text}`
}

export function refuse(
  line: number,
  code: string,
  reason: string,
  hint: string,
): { readonly line: number; readonly value: null; readonly problem: RowProblem } {
  return { line, value: null, problem: { line, severity: 'error', code, reason, hint } }
}

/** Query → document → grade; a pair judged twice keeps its last grade. */
export function gradesByQuery(judgments: readonly Judgment[]): Map<string, Map<string, number>> {
  const byQuery = new Map<string, Map<string, number>>()
  for (const { queryId, docId, grade } of judgments) {
    const grades = byQuery.get(queryId) ?? new Map<string, number>()
    grades.set(docId, grade)
    byQuery.set(queryId, grades)
  }
  return byQuery
}
