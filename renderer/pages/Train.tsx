import { useEffect, useRef, useState, type ReactNode } from 'react'
import { CopyPlus, FileCog, SlidersHorizontal } from 'lucide-react'
import { useSearch } from 'wouter'
import type { AlgorithmInfo } from '../../shared/contract/system.ts'
import type { DatasetSummary } from '../../shared/contract/datasets.ts'
import { asAppError } from '../api/client.ts'
import { useCall } from '../api/queries.ts'
import { useCrumbs } from '../frame/crumbs.tsx'
import { goTo } from '../frame/location.ts'
import { Button } from '../parts/Button.tsx'
import { SidePanel } from '../parts/SidePanel.tsx'
import { EmptyState, ErrorNotice, Loading } from '../parts/states.tsx'
import { showToast } from '../parts/toast.tsx'
import { ClonePicker } from '../train/ClonePicker.tsx'
import type { Draft } from '../train/draft.ts'
import { draftOf } from '../train/draft-of-request.ts'
import { judgeField } from '../train/judge-field.ts'
import { MethodTiles } from '../train/MethodTiles.tsx'
import { readSettingsFile } from '../train/settings-file.ts'
import { SettingsForm } from '../train/SettingsForm.tsx'
import { StartBar } from '../train/StartBar.tsx'
import { TrainSide } from '../train/TrainSide.tsx'
import { TrainSteps } from '../train/TrainSteps.tsx'
import { fetchClone, useTrainForm } from '../train/use-train.ts'
import '../train/train.css'

export function Train(): ReactNode {
  const parameters = new URLSearchParams(useSearch())
  const from = parameters.get('from')
  const algorithms = useCall('algorithms.list', {})
  const datasets = useCall('datasets.list', {})
  const [cloned, setCloned] = useState<{ readonly from: string; readonly draft: Draft } | null>(null)
  const [cloneError, setCloneError] = useState<unknown>(null)
  useCrumbs([{ label: 'Train' }, { label: from === null ? 'New run' : 'Clone of a run' }])
  const methods = algorithms.data
  useEffect(() => {
    if (from === null || methods === undefined) return undefined
    let gone = false
    fetchClone(from, methods).then(
      (draft) => gone || setCloned({ from, draft }),
      (error: unknown) => gone || setCloneError(error),
    )
    return () => {
      gone = true
    }
  }, [from, methods])
  const error = algorithms.error ?? datasets.error
  if (error !== null)
    return (
      <div className="page">
        <ErrorNotice error={error} onRetry={() => void Promise.all([algorithms.refetch(), datasets.refetch()])} />
      </div>
    )
  if (methods === undefined || datasets.data === undefined) return <Loading what="Reading methods and data sets" />
  if (datasets.data.length === 0)
    return (
      <EmptyState
        page
        icon={SlidersHorizontal}
        title="There is no data set to train on"
        text="Import a preference file, open the sample on Home, or let a policy act in a world."
        action={
          <>
            <a className="btn btn-primary" href="#/data">
              Import a file
            </a>
            <a className="btn btn-normal" href="#/">
              Open the sample
            </a>
            <a className="btn btn-normal" href="#/data?collect=">
              Collect in a world
            </a>
          </>
        }
      />
    )
  if (from !== null && cloneError !== null)
    return (
      <div className="page">
        <ErrorNotice error={cloneError} />
      </div>
    )
  if (from !== null && cloned?.from !== from) return <Loading what="Reading the run’s settings" />
  return (
    <TrainView
      key={from ?? parameters.get('model') ?? 'new'}
      algorithms={methods}
      datasets={datasets.data}
      wantedDataset={parameters.get('data') ?? parameters.get('dataset')}
      wantedModel={parameters.get('model')}
      cloned={from === null ? null : (cloned?.draft ?? null)}
    />
  )
}

interface TrainViewProps {
  readonly algorithms: readonly AlgorithmInfo[]
  readonly datasets: readonly DatasetSummary[]
  readonly wantedDataset: string | null
  readonly wantedModel: string | null
  readonly cloned: Draft | null
}

function TrainView({ algorithms, datasets, wantedDataset, wantedModel, cloned }: TrainViewProps): ReactNode {
  const form = useTrainForm(algorithms, datasets, { datasetId: wantedDataset, modelId: wantedModel }, cloned)
  const runs = useCall('runs.list', {}).data ?? []
  const [picking, setPicking] = useState(false)
  const file = useRef<HTMLInputElement>(null)
  if (form === null) return <ErrorNotice error={new Error('this build has no methods')} />

  async function load(chosen: File | undefined): Promise<void> {
    if (chosen === undefined) return
    try {
      form?.change(draftOfFile(await chosen.text(), algorithms, datasets, form.draft.datasetId))
      showToast(`The settings of ${chosen.name} are in the form.`)
    } catch (error) {
      showToast(`${chosen.name}: ${asAppError(error).message}`, { tone: 'bad' })
    }
  }

  return (
    <div className="page-split">
      <div className="train-work">
        <div className="train-scroll">
          <div className="row train-title">
            <h1 className="grow">New run</h1>
            <input
              ref={file}
              type="file"
              accept=".json,application/json"
              hidden
              aria-label="Settings file"
              onChange={(event) => {
                void load(event.currentTarget.files?.[0])
                event.currentTarget.value = ''
              }}
            />
            <Button icon={FileCog} onClick={() => file.current?.click()}>
              Load settings
            </Button>
            <Button icon={CopyPlus} onClick={() => setPicking(true)}>
              Clone a run
            </Button>
          </div>
          <TrainSteps form={form} />
          <MethodTiles form={form} />
          <SettingsForm form={form} />
        </div>
        <StartBar form={form} />
      </div>
      <SidePanel id="train" label="Estimate, command and queue" width={360}>
        <TrainSide form={form} />
      </SidePanel>
      {picking ? (
        <ClonePicker
          runs={runs}
          onClose={() => setPicking(false)}
          onChoose={(runId) => {
            setPicking(false)
            goTo(`/train?from=${runId}`)
          }}
        />
      ) : null}
    </div>
  )
}

/** The form of a settings file. A data set this app does not have is replaced by the chosen one. */
function draftOfFile(
  text: string,
  algorithms: readonly AlgorithmInfo[],
  datasets: readonly DatasetSummary[],
  datasetId: string,
): Draft {
  const request = readSettingsFile(text)
  const algorithm = algorithms.find((one) => one.id === request.method)
  if (algorithm === undefined) throw new Error(`there is no method “${request.method}” in this version`)
  const draft = draftOf(request, algorithm, judgeField)
  return datasets.some((one) => one.datasetId === draft.datasetId) ? draft : { ...draft, datasetId, annotators: [] }
}
