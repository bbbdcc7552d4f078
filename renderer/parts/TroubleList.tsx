import type { ReactNode } from 'react'
import type { Trouble } from '../../shared/contract/system.ts'
import { formatCount } from '../../shared/units.ts'

const SHOWN = 8

/** Files that are not as they were written: which, what is wrong, and what to do. */
export function TroubleList({ troubles }: { readonly troubles: readonly Trouble[] }): ReactNode {
  return (
    <ul className="col plain-list small">
      {troubles.slice(0, SHOWN).map(({ path, trouble, hint }) => (
        <li key={`${path} ${trouble}`}>
          <code>{path}</code>
          <br />
          {trouble} {hint}
        </li>
      ))}
      {troubles.length > SHOWN ? (
        <li>
          … and {formatCount(troubles.length - SHOWN)} more: <code>pairlab verify</code> lists them all.
        </li>
      ) : null}
    </ul>
  )
}
