import type { ReactNode } from 'react'
import type { DatasetSummary } from '../../shared/contract/datasets.ts'
import type { AnnotatorId } from '../../shared/domain.ts'
import { KIND_WORDS } from '../../shared/kind-words.ts'
import { useCall } from '../api/queries.ts'
import { useSettings, useViewState } from '../api/settings.ts'
import { useCommands } from '../frame/commands.ts'
import { goTo } from '../frame/location.ts'
import { Button } from '../parts/Button.tsx'
import { DatasetWarnings } from '../data/DatasetWarnings.tsx'
import { ProgressBar } from '../parts/ProgressBar.tsx'
import { formatCount, formatDuration } from '../../shared/units.ts'

/** Where labeling stopped, or the newest data set that people can label. @param datasets the newest first */
export function Continue({
  datasets,
  keys,
}: {
  readonly datasets: readonly DatasetSummary[]
  readonly keys: string
}): ReactNode {
  const settings = useSettings()
  const [last] = useViewState<string>('label.last', '')
  const labeled = datasets.filter((one) => KIND_WORDS[one.kind].labeled && one.itemCount > 0)
  const dataset = labeled.find((one) => one.datasetId === last) ?? labeled[0]
  const annotatorId = (settings?.annotatorId ?? null) as AnnotatorId | null // the settings keep it as plain text
  const { data: progress } = useCall(
    'labels.progress',
    { datasetId: dataset?.datasetId ?? ('' as never), annotatorId: annotatorId ?? ('' as never) },
    { enabled: dataset !== undefined && annotatorId !== null },
  )
  const go = (): void => goTo(dataset === undefined ? '/data' : `/label/${dataset.datasetId}`)
  useCommands([
    {
      id: 'home.continue',
      title: dataset?.datasetId === last ? 'Continue labeling' : 'Start labeling',
      group: 'Home',
      keys: [keys],
      disabled: dataset === undefined,
      run: go,
    },
  ])
  if (dataset === undefined)
    return (
      <p className="text-2">
        {datasets.length === 0
          ? 'Nothing to go on with yet. Your labels and runs will be here when you come back: everything is kept as you make it.'
          : 'What is here came judged: there is nothing to label. Import pairs, answers or segments to judge them by hand.'}
      </p>
    )
  const answered = progress?.answered ?? 0
  const seen = answered + (progress?.skipped ?? 0)
  const total = progress?.total ?? dataset.itemCount
  return (
    <div className="col gap-3 road-body">
      <div className="row">
        <b className="grow ellipsis">{dataset.name}</b>
        <span className="small text-2 nowrap">
          You labeled <span className="mono">{formatCount(answered)}</span> of{' '}
          <span className="mono">{formatCount(total)}</span>
        </span>
      </div>
      <ProgressBar label={`What you labeled of ${dataset.name}`} value={total === 0 ? 0 : answered / total} />
      <p className="small text-2">
        {answered === 0
          ? 'You have not labeled here yet.'
          : seen >= total
            ? 'You have been through all of it.'
            : 'Every answer is saved.'}
        {progress?.remainingMs === null || progress?.remainingMs === undefined || progress.paceMs === null
          ? ''
          : ` At your pace, ${formatDuration(progress.paceMs)} each, the rest takes about ${formatDuration(progress.remainingMs)}.`}
      </p>
      <DatasetWarnings datasetId={dataset.datasetId} />
      <span className="grow" />
      <div className="row">
        <Button keys={keys} onClick={go}>
          {seen === 0 ? 'Start labeling' : seen >= total ? 'Look again' : 'Continue labeling'}
        </Button>
        <a className="small" href={`#/data/${dataset.datasetId}`}>
          Look at the data
        </a>
      </div>
    </div>
  )
}
