import type { ReactNode } from 'react'
import { useParams, useSearchParams } from 'wouter'
import type { DatasetId, JobId } from '../../shared/domain.ts'
import { CollectView } from '../collect/CollectView.tsx'
import { DatasetList } from '../data/DatasetList.tsx'
import { DatasetView } from '../data/DatasetView.tsx'
import { ImportView } from '../data/ImportView.tsx'
import '../data/data.css'

export function Data(): ReactNode {
  const { datasetId } = useParams<{ datasetId?: string }>()
  const [search] = useSearchParams()
  const path = search.get('import')
  if (path !== null) return <ImportView key={path} path={path} />
  const world = search.get('collect')
  if (world !== null) return <CollectView wanted={world} />
  if (datasetId !== undefined)
    return <DatasetView key={datasetId} datasetId={decodeURIComponent(datasetId) as DatasetId} /> // the server checks it
  return <DatasetList opening={search.get('opening') as JobId | null} />
}
