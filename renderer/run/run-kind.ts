import type { RunDetail } from '../../shared/contract/runs.ts'
import type { DataKind } from '../../shared/data-kinds.ts'
import { KIND_WORDS } from '../../shared/kind-words.ts'
import { useCall } from '../api/queries.ts'

/** What the run's data hold: of the data set, and where that is gone, as its method takes them; null until it is known. */
export function useRunKind({ method, datasetId }: Pick<RunDetail, 'method' | 'datasetId'>): DataKind | null {
  const datasets = useCall('datasets.list', {}).data
  const algorithm = useCall('algorithms.list', {}).data?.find((one) => one.id === method)
  if (datasets === undefined) return null
  return datasets.find((one) => one.datasetId === datasetId)?.kind ?? algorithm?.data ?? null
}

/** What is counted, in the plural. */
export function itemsOf(kind: DataKind | null): string {
  return kind === null ? 'items' : KIND_WORDS[kind].items
}
