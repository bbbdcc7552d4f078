import { useState, type ReactNode } from 'react'
import { Button } from '../parts/Button.tsx'
import { Panel } from '../parts/Panel.tsx'

interface PreviewPanelProps<R> {
  readonly rows: readonly R[]
  /** What is said where no row can be shown. */
  readonly empty: string
  readonly tools?: ReactNode
  children(row: R): ReactNode
}

/** The first rows of a file as they would be imported, one at a time. */
export function PreviewPanel<R extends { readonly line: number }>({
  rows,
  empty,
  tools,
  children,
}: PreviewPanelProps<R>): ReactNode {
  const [at, setAt] = useState(0)
  const row = rows[Math.min(at, rows.length - 1)]
  const steps = (
    <span className="row">
      <Button small disabled={at === 0} onClick={() => setAt(at - 1)}>
        Previous
      </Button>
      <Button small disabled={at + 1 >= rows.length} onClick={() => setAt(at + 1)}>
        Next
      </Button>
      {tools}
    </span>
  )
  const note = row === undefined ? undefined : `How Pairlab reads row ${row.line}`
  return (
    <Panel title="Preview" note={note} actions={steps} flush>
      {row === undefined ? <p className="pad text-2">{empty}</p> : children(row)}
    </Panel>
  )
}
