import type { ReactNode } from 'react'
import { TriangleAlert } from 'lucide-react'
import type { DatasetId } from '../../shared/domain.ts'
import { useCall } from '../api/queries.ts'
import { ImportedNotice } from './import/ImportedNotice.tsx'

/** What a person must know of a data set: that it has just come in, and what to heed before training on it. Often nothing. */
export function DatasetWarnings({ datasetId }: { readonly datasetId: DatasetId }): ReactNode {
  const { data } = useCall('datasets.warnings', { datasetId })
  const warnings = (data ?? []).map(({ code, text, hint }) => (
    <div key={code} className="notice notice-warn" role="alert">
      <TriangleAlert className="icon" aria-hidden="true" />
      <div>
        <p className="bold">{text}</p>
        <p>{hint}</p>
      </div>
    </div>
  ))
  return (
    <>
      <ImportedNotice datasetId={datasetId} />
      {warnings}
    </>
  )
}
