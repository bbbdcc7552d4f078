import type { ReactNode } from 'react'
import type { RunDetail } from '../../shared/contract/runs.ts'
import { flatten } from './flatten.ts'

/** The complete specification, one setting a line. */
export function RunConfig({ run, search }: { readonly run: RunDetail; readonly search: string }): ReactNode {
  const words = search.toLowerCase()
  const rows = flatten(run.spec).filter(([path, value]) => `${path} ${value}`.toLowerCase().includes(words))
  if (rows.length === 0) return <p className="run-empty">No setting holds “{search}”.</p>
  return (
    <table className="table config" aria-label="Settings of the run">
      <tbody>
        {rows.map(([path, value]) => (
          <tr key={path}>
            <th scope="row" className="mono">
              {path}
            </th>
            <td className="mono">{value}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
