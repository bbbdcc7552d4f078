import type { ReactNode } from 'react'
import { countMore } from '../../shared/contract/import-mapping.ts'
import type { LeftOut } from '../../shared/contract/import-mapping.ts'
import { formatCount } from '../../shared/units.ts'

/** The first rows that an import left out, how often each reason occurs, and where the whole list is. */
export function LeftOutList({ found }: { readonly found: LeftOut }): ReactNode {
  const { first, reasons, path } = found
  const more = countMore(found)
  return (
    <div className="left-out small">
      <ul>
        {first.map((problem, at) => (
          <li key={at}>
            <span className="mono">Line {problem.line}</span>: {problem.reason}
          </li>
        ))}
        {more > 0 ? <li>… and {formatCount(more)} more</li> : null}
      </ul>
      {reasons.length > 1 ? (
        <p>By reason: {reasons.map(({ code, count }) => `${formatCount(count)} × ${code}`).join(', ')}</p>
      ) : null}
      <p className="text-3">
        The whole list: <code>{path}</code>
      </p>
    </div>
  )
}
