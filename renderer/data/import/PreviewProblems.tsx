import type { ReactNode } from 'react'
import type { RowProblem } from '../../../shared/contract/import-mapping.ts'
import { formatCount } from '../../../shared/units.ts'
import { Panel } from '../../parts/Panel.tsx'
import { Say } from '../../parts/Say.tsx'

const SHOWN = 12

/** How much of a file was looked at. */
export function firstRows(count: number): string {
  return count === 1 ? 'the first row' : `first ${formatCount(count)} rows`
}

/** What of the head of a file would be left out, and why. */
export function PreviewProblems({
  problems,
  note,
  unread = false,
}: {
  readonly problems: readonly RowProblem[]
  /** No row could be tried: nothing says yet how they are read. */
  readonly unread?: boolean
  /** How much was looked at. */
  readonly note: string
}): ReactNode {
  return (
    <Panel title="Row check" note={note}>
      <div className="col gap-3">
        {problems.length > 0 ? null : unread ? (
          <p className="small text-3">No row was checked yet: the columns have no roles to be read by.</p>
        ) : (
          <Say tone="good">Every row of the preview can be read.</Say>
        )}
        {problems.slice(0, SHOWN).map((problem) => (
          <Say key={`${problem.line} ${problem.code}`} tone={problem.severity === 'error' ? 'bad' : 'warn'}>
            <b>
              Line <span className="mono">{problem.line}</span>: {problem.reason}
            </b>{' '}
            {problem.hint}
          </Say>
        ))}
        {problems.length > SHOWN ? (
          <p className="small text-3">and {formatCount(problems.length - SHOWN)} more in the preview</p>
        ) : null}
        <p className="small text-3">
          Good rows are kept whatever happens to the others; the list of the rest is saved beside the data.
        </p>
      </div>
    </Panel>
  )
}
