import type { ReactNode } from 'react'

/** What the judges said of a document; "–" where nobody judged it. */
export function Grade({ grade }: { readonly grade: number | null }): ReactNode {
  return (
    <span
      className="grade mono"
      data-relevant={grade !== null && grade > 0}
      title={grade === null ? 'Nobody judged it' : `Grade ${grade}`}
    >
      {grade ?? '–'}
    </span>
  )
}
