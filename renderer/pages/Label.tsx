import { useEffect, type ReactNode } from 'react'
import { UserRound } from 'lucide-react'
import { Link, useParams } from 'wouter'
import { datasetId as asDatasetId } from '../../shared/domain.ts'
import { KIND_WORDS } from '../../shared/kind-words.ts'
import { useCall } from '../api/queries.ts'
import { changeSettings, useSettings, useViewState } from '../api/settings.ts'
import { useCrumbs } from '../frame/crumbs.tsx'
import { WhoLabels } from '../label/Annotators.tsx'
import { ChooseDataset } from '../label/ChooseDataset.tsx'
import { LabelDesk } from '../label/LabelDesk.tsx'
import { EmptyState, ErrorNotice, Loading } from '../parts/states.tsx'
import '../label/label.css'

export function Label(): ReactNode {
  const { datasetId } = useParams<{ datasetId?: string }>()
  return datasetId === undefined ? <Choose /> : <Desk key={datasetId} id={datasetId} />
}

function Choose(): ReactNode {
  useCrumbs([{ label: 'Label' }])
  return <ChooseDataset />
}

/** Everything that must be known before the first pair: the data set and who labels. */
function Desk({ id }: { readonly id: string }): ReactNode {
  const datasetId = asDatasetId.parse(id)
  const datasets = useCall('datasets.list', {})
  const annotators = useCall('annotators.list', {})
  const settings = useSettings()
  const [, remember] = useViewState<string>('label.last', '')
  const dataset = datasets.data?.find((one) => one.datasetId === datasetId)
  useCrumbs([{ label: 'Label', href: '/label' }, { label: dataset?.name ?? id }])

  const people = annotators.data?.filter((one) => !one.imported) ?? []
  const annotator = people.find((one) => one.annotatorId === settings?.annotatorId)
  // Chosen elsewhere (another window, the command line) and not in our list yet.
  const unknown =
    settings !== undefined &&
    settings.annotatorId !== null &&
    annotators.data?.every((one) => one.annotatorId !== settings.annotatorId) === true
  const { refetch } = annotators
  useEffect(() => {
    if (unknown) void refetch()
  }, [unknown, refetch])
  const only = settings?.annotatorId === null && people.length === 1 ? people[0] : undefined
  useEffect(() => {
    if (only !== undefined) changeSettings({ annotatorId: only.annotatorId })
  }, [only])
  const known = dataset !== undefined
  useEffect(() => {
    if (known) remember(datasetId)
  }, [known, datasetId, remember])

  const failed = [datasets, annotators].find((query) => query.isError)
  if (failed !== undefined)
    return (
      <div className="page">
        <ErrorNotice error={failed.error} onRetry={() => void failed.refetch()} />
      </div>
    )
  if (datasets.isPending || annotators.isPending || settings === undefined || only !== undefined) return <Loading />
  if (dataset === undefined) {
    return (
      <EmptyState
        page
        title="There is no such data set"
        text="It may have been deleted."
        action={
          <Link className="btn btn-primary" href="/label">
            Choose another
          </Link>
        }
      />
    )
  }
  if (!KIND_WORDS[dataset.kind].labeled) {
    return (
      <EmptyState
        page
        title={`${dataset.name} holds nothing to label`}
        text="Pairs of text answers, single answers and pairs of segments can be labeled here."
        action={
          <Link className="btn btn-primary" href="/label">
            Choose another
          </Link>
        }
      />
    )
  }
  if (annotator === undefined) {
    return (
      <EmptyState
        page
        icon={UserRound}
        title="Who is labeling?"
        text="Every answer carries a name, so that several people can label on one machine and their agreement can be measured."
        action={<WhoLabels annotators={people} current={null} action="Start labeling" />}
      />
    )
  }
  return <LabelDesk key={annotator.annotatorId} datasetId={datasetId} annotator={annotator} annotators={people} />
}
