import type { ReactNode } from 'react'
import { useParams } from 'wouter'
import type { ModelId } from '../../shared/domain.ts'
import { ModelList } from '../models/ModelList.tsx'
import { ModelView } from '../models/ModelView.tsx'
import '../models/models.css'

export function Models(): ReactNode {
  const { modelId } = useParams<{ modelId?: string }>()
  if (modelId === undefined) return <ModelList />
  return <ModelView key={modelId} modelId={decodeURIComponent(modelId) as ModelId} /> // the host checks it
}
