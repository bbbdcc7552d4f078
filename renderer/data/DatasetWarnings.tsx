import type { ReactNode } from 'react'
import { TriangleAlert } from 'lucide-react'
import type { DatasetId } from '../../shared/domain.ts'
import { useCall } from '../api/queries.ts'

/** What a person must know of a data set before training on it. Nothing where all is well. */
export function DatasetWarnings({ datasetId }: { readonly datasetId: DatasetId }): ReactNode {
  const { data } = useCall('datasets.warnings', { datasetId })
  return (data ?? []).map(({ code, text, hint }) => (
    <div key={code} className="notice notice-warn" role="alert">
      <TriangleAlert className="icon" aria-hidden="true" />
      <div>
        <p className="bold">{text}</p>
        <p>{hint}</p>
      </div>
    </div>
  ))
}
