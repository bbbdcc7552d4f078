import type { ReactNode } from 'react'
import type { Input } from '../../shared/contract.ts'
import type { DatasetSummary } from '../../shared/contract/datasets.ts'
import type { DatasetId } from '../../shared/domain.ts'
import { KIND_WORDS } from '../../shared/kind-words.ts'
import { useCall, useMutate } from '../api/queries.ts'
import { useCommands } from '../frame/commands.ts'
import { samplePlace } from '../data/import/open-import.ts'
import { goTo } from '../frame/location.ts'
import { Button } from '../parts/Button.tsx'
import { ErrorNotice } from '../parts/states.tsx'

/** Collected on the spot, as `pairlab collect` does unless it is told otherwise: a weak policy acts in a small world. */
const REACH: Input<'segments.collect'> = {
  world: 'reach',
  pairs: 200,
  segmentSteps: 32,
  behaviour: 'weak',
  noise: 0.3,
  label: 'regret',
  seed: 1,
  name: 'Reach, by regret',
}
/** As main/app/data/segments/collect-dataset.ts says where a data set came from. */
const REACH_SOURCE = 'collected in reach with seed 1: weak, noise 0.3, judged by regret'

/** A sample of each kind of data: opened again where it is here already. */
export function Samples({
  datasets,
  keys,
}: {
  readonly datasets: readonly DatasetSummary[]
  /** Opens the first. */
  readonly keys: string
}): ReactNode {
  const { data: samples } = useCall('samples.list', {})
  const show = (datasetId: DatasetId): void => goTo(`/data/${datasetId}`)
  const open = useMutate('samples.open', {
    invalidate: ['datasets.list', 'samples.list', 'datasets.importJobs'],
  })
  const collect = useMutate('segments.collect', {
    invalidate: ['datasets.list'],
  })
  // Whoever has gone to another page meanwhile stays there.
  const openSample = (sampleId: string): void =>
    open.mutate({ sampleId }, { onSuccess: (opened) => goTo(samplePlace(opened)) })
  const first = samples?.[0]
  useCommands([
    {
      id: 'home.sample',
      title: 'Open the sample of pairs',
      group: 'Home',
      keys: [keys],
      disabled: first === undefined || open.isPending,
      run: () => first !== undefined && openSample(first.sampleId),
    },
  ])
  if (samples === undefined) return null
  const reach = datasets.find((one) => one.source === REACH_SOURCE)
  return (
    <>
      <ul className="samples-list plain-list">
        {samples.map(({ sampleId, kind, title, text, licence, datasetId }, at) => (
          <li key={sampleId} className="row" title={`${text} Licence: ${licence}.`}>
            <span className="grow">
              <b>{title}</b> <span className="small text-3 nowrap">{KIND_WORDS[kind].name}</span>
            </span>
            <Button
              small
              look={at === 0 && datasets.length === 0 ? 'primary' : 'normal'}
              keys={at === 0 ? keys : undefined}
              aria-label={`Open ${title}`}
              disabled={open.isPending}
              onClick={() => openSample(sampleId)}
            >
              {datasetId === null && open.isPending && open.variables.sampleId === sampleId ? 'Opening …' : 'Open'}
            </Button>
          </li>
        ))}
        <li
          className="row"
          title="A weak policy acts in Reach; 200 pairs of 32 steps are kept, judged by regret. Takes a few seconds."
        >
          <span className="grow">
            <b>Reach</b> <span className="small text-3 nowrap">{KIND_WORDS['segment-pairs'].name}, collected here</span>
          </span>
          <Button
            small
            aria-label={reach === undefined ? 'Collect segments in Reach' : 'Open the segments of Reach'}
            disabled={collect.isPending}
            onClick={() =>
              reach === undefined
                ? collect.mutate(REACH, { onSuccess: ({ datasetId }) => show(datasetId) })
                : show(reach.datasetId)
            }
          >
            {collect.isPending ? 'Collecting …' : reach === undefined ? 'Collect' : 'Open'}
          </Button>
        </li>
      </ul>
      {open.error === null ? null : <ErrorNotice error={open.error} />}
      {collect.error === null ? null : <ErrorNotice error={collect.error} />}
    </>
  )
}
