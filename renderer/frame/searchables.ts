import { useMemo } from 'react'
import { useCall } from '../api/queries.ts'
import { useViewState } from '../api/settings.ts'
import { KIND_WORDS } from '../../shared/kind-words.ts'
import { formatCount } from '../../shared/units.ts'
import { goTo } from './location.ts'
import type { Entry } from './palette-search.ts'

/** Data sets, models and runs as entries of the palette. */
export function useSearchables(): readonly Entry[] {
  const datasets = useCall('datasets.list', {}).data
  const models = useCall('models.list', {}).data
  const runs = useCall('runs.list', {}).data
  const [last] = useViewState<string>('label.last', '')
  return useMemo(
    () => [
      ...(datasets ?? []).flatMap((dataset): Entry[] => [
        {
          id: `dataset-${dataset.datasetId}`,
          title: dataset.name,
          group: 'Data sets',
          note: `${formatCount(dataset.itemCount)} ${KIND_WORDS[dataset.kind].items}`,
          run: () => goTo(`/data/${dataset.datasetId}`),
        },
        ...(KIND_WORDS[dataset.kind].labeled
          ? [
              {
                id: `label-${dataset.datasetId}`,
                title: dataset.datasetId === last ? `Continue labeling ${dataset.name}` : `Label ${dataset.name}`,
                group: 'Label',
                note: `${formatCount(dataset.labeledCount)} of ${formatCount(dataset.itemCount)} labeled by anyone`,
                run: () => goTo(`/label/${dataset.datasetId}`),
              },
            ]
          : []),
      ]),
      ...(models ?? []).map((model): Entry => ({
        id: `model-${model.modelId}`,
        title: model.name,
        group: 'Models',
        note: `${model.family} · ${model.state}`,
        run: () => goTo(`/models/${model.modelId}`),
      })),
      ...(runs ?? []).map((run): Entry => ({
        id: `run-${run.runId}`,
        title: run.name,
        group: 'Runs',
        note: `${run.state} · ${run.methodName}`,
        run: () => goTo(`/runs/${run.runId}`),
      })),
    ],
    [datasets, models, runs, last],
  )
}
