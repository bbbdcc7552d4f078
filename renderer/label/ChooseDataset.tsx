import { type ReactNode } from 'react'
import { Columns2 } from 'lucide-react'
import { Link } from 'wouter'
import { useAppEvent } from '../api/events.ts'
import { useCall, useMutate } from '../api/queries.ts'
import { goTo, useGoOn } from '../frame/location.ts'
import { Button } from '../parts/Button.tsx'
import type { DatasetSummary } from '../../shared/contract/datasets.ts'
import type { AnnotatorId } from '../../shared/domain.ts'
import { useSettings } from '../api/settings.ts'
import { KIND_WORDS } from '../../shared/kind-words.ts'
import { formatCount } from '../../shared/units.ts'
import { Panel } from '../parts/Panel.tsx'
import { ProgressBar } from '../parts/ProgressBar.tsx'
import { EmptyState, ErrorNotice, Loading } from '../parts/states.tsx'

/** Label without a data set named: choose one, or get one. */
export function ChooseDataset(): ReactNode {
  const datasets = useCall('datasets.list', {})
  if (datasets.isPending) return <Loading what="Looking for data sets" />
  if (datasets.isError)
    return (
      <div className="page">
        <ErrorNotice error={datasets.error} onRetry={() => void datasets.refetch()} />
      </div>
    )
  const pairs = datasets.data.filter((dataset) => KIND_WORDS[dataset.kind].labeled)
  if (pairs.length === 0) return <NoDataset />
  return (
    <div className="page">
      <div className="page-head">
        <h1>Label which data set?</h1>
      </div>
      <Panel flush>
        <table className="table" aria-label="Data sets">
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col" className="num">
                Items
              </th>
              <th scope="col" className="num">
                You labeled
              </th>
              <th scope="col">Your progress</th>
              <th scope="col" className="num" title="Items that anybody labeled">
                By anyone
              </th>
              <th scope="col">Annotators</th>
              <th scope="col">
                <span className="hidden-visually">Action</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {pairs.map((dataset) => (
              <tr key={dataset.datasetId}>
                <td className="bold">{dataset.name}</td>
                <td className="num">
                  {formatCount(dataset.itemCount)} {KIND_WORDS[dataset.kind].items}
                </td>
                <Own dataset={dataset} />
                <td className="num">{formatCount(dataset.labeledCount)}</td>
                <td className="text-2">{dataset.annotators.length === 0 ? '–' : dataset.annotators.join(', ')}</td>
                <td className="right">
                  <Link className="btn btn-normal btn-small" href={`/label/${dataset.datasetId}`}>
                    Label
                  </Link>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Panel>
    </div>
  )
}

/** What this person labeled of it; nothing is known of somebody who has no name yet. */
function Own({ dataset }: { readonly dataset: DatasetSummary }): ReactNode {
  const annotatorId = (useSettings()?.annotatorId ?? null) as AnnotatorId | null // the settings keep it as plain text
  const { data } = useCall(
    'labels.progress',
    { datasetId: dataset.datasetId, annotatorId: annotatorId ?? ('' as AnnotatorId) },
    { enabled: annotatorId !== null },
  )
  return (
    <>
      <td className="num">{formatCount(data?.answered)}</td>
      <td>
        <ProgressBar
          value={data === undefined || data.total === 0 ? 0 : (data.answered + data.skipped) / data.total}
          label={`What you labeled of ${dataset.name}`}
          width={120}
        />
      </td>
    </>
  )
}

function NoDataset(): ReactNode {
  const samples = useCall('samples.list', {}).data
  const goOn = useGoOn()
  const open = useMutate('samples.open', {
    invalidate: ['datasets.list', 'samples.list'],
    onSuccess: ({ datasetId }) => {
      if (datasetId !== null) goOn(`/label/${datasetId}`)
    },
  })
  const sample = samples?.[0]
  useAppEvent('import.progress', (job) => {
    if (job.jobId === open.data?.jobId && job.state === 'finished' && job.datasetId !== null)
      goTo(`/label/${job.datasetId}`)
  })
  return (
    <EmptyState
      page
      icon={Columns2}
      title="There is nothing to label yet"
      text="Import a file of preference pairs, open the sample that came with Pairlab, or let a policy act in a world and judge what it does."
      action={
        <>
          <Link className="btn btn-primary" href="/data">
            Import a file
          </Link>
          {sample === undefined ? null : (
            <Button
              disabled={open.isPending || open.isSuccess}
              onClick={() => open.mutate({ sampleId: sample.sampleId })}
            >
              {open.isSuccess ? 'Importing …' : `Open ${sample.title}`}
            </Button>
          )}
          <Link className="btn btn-normal" href="/data?collect=">
            Collect in a world
          </Link>
          {open.isError ? <ErrorNotice error={open.error} /> : null}
        </>
      }
    />
  )
}
