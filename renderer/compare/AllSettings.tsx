import type { ReactNode } from 'react'
import { useCall } from '../api/queries.ts'
import { Loading } from '../parts/states.tsx'
import { flatten } from '../run/flatten.ts'
import type { CompareState } from './use-compare.ts'

/** The settings that are the same everywhere, read from the first run: those that differ stand above. */
export function AllSettings({ state }: { readonly state: CompareState }): ReactNode {
  const first = state.comparison?.groups[0]?.runIds[0]
  const { data } = useCall('runs.request', { runId: first as never }, { enabled: first !== undefined }) // enabled only with an id
  if (data === undefined) return <Loading what="Reading the settings" />
  const differ = new Set(state.comparison?.diff.map((row) => row.path))
  return (
    <table className="table diff-table" aria-label="Settings that are the same">
      <tbody>
        {flatten(data)
          .filter(([path]) => !differ.has(path) && path !== 'seeds' && path !== 'name')
          .map(([path, value]) => (
            <tr key={path}>
              <th scope="row" title={path}>
                {path.replace(/^(config|training)\./, '')}
              </th>
              <td className="num" title={value}>
                {value}
              </td>
            </tr>
          ))}
      </tbody>
    </table>
  )
}
