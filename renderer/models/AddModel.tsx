import { useState, type ReactNode } from 'react'
import { FileBox, FolderOpen } from 'lucide-react'
import type { ModelPlace, ModelSource } from '../../shared/contract/models.ts'
import type { JobId, RunId } from '../../shared/domain.ts'
import { formatBytes } from '../../shared/units.ts'
import { canChooseFolder, chooseFolder, chooseModelFile } from '../api/client.ts'
import { useCall, useMutate } from '../api/queries.ts'
import { goTo } from '../frame/location.ts'
import { Button } from '../parts/Button.tsx'
import { Dialog } from '../parts/Dialog.tsx'
import { Field } from '../parts/Field.tsx'
import { Say } from '../parts/Say.tsx'
import { Segmented } from '../parts/Segmented.tsx'
import { ErrorNotice, Loading } from '../parts/states.tsx'
import { useSettled } from '../train/use-train.ts'
import { Findings } from './Findings.tsx'
import { JobLine } from './ModelJobs.tsx'

type From = 'folder' | 'run'

interface AddModelProps {
  /** A run whose checkpoint is to be added. */
  readonly runId?: RunId
  onClose(): void
}

/** A folder, looked at before anything is done, or a run's checkpoint; then how far the addition is. */
export function AddModel({ runId, onClose }: AddModelProps): ReactNode {
  const [from, setFrom] = useState<From>(runId === undefined ? 'folder' : 'run')
  const [jobId, setJobId] = useState<JobId | null>(null)
  const add = useMutate('models.add', {
    invalidate: ['models.addJobs'],
    onSuccess: (started) => setJobId(started.jobId),
  })
  const start = (source: ModelSource, name: string): void => add.mutate({ source, name })
  return (
    <Dialog title="Add a model" width={640} onClose={onClose}>
      {jobId === null ? (
        <div className="col gap-3">
          <Segmented<From>
            title="Where it comes from"
            value={from}
            choices={[
              { value: 'folder', label: 'A folder or file on this machine' },
              { value: 'run', label: 'A run’s checkpoint' },
            ]}
            onChange={setFrom}
          />
          {from === 'folder' ? (
            <FromFolder busy={add.isPending} onAdd={start} />
          ) : (
            <FromRun first={runId ?? null} busy={add.isPending} onAdd={start} />
          )}
          {add.error === null ? null : <ErrorNotice error={add.error} />}
        </div>
      ) : (
        <Following jobId={jobId} onClose={onClose} onAgain={() => setJobId(null)} />
      )}
    </Dialog>
  )
}

interface FormProps {
  readonly busy: boolean
  onAdd(source: ModelSource, name: string): void
}

function FromFolder({ busy, onAdd }: FormProps): ReactNode {
  const [path, setPath] = useState('')
  const [name, setName] = useState('')
  const [place, setPlace] = useState<ModelPlace>('link')
  const wanted = useSettled(path.trim())
  const { data, error, isFetching, refetch } = useCall('models.inspect', { path: wanted }, { enabled: wanted !== '' })
  const current =
    wanted === path.trim() && data !== undefined && (data.facts !== null || data.inside !== null) ? data : null
  const unpacks = current !== null && current.inside !== null
  // Two dialogs: a system's own shows folders or files, not both.
  const take = (chosen: Promise<string | null>): void =>
    void chosen.then((found) => (found === null ? undefined : setPath(found)))
  return (
    <form
      className="col gap-3"
      onSubmit={(event) => {
        event.preventDefault()
        if (current !== null) onAdd({ kind: 'folder', path: current.path, place }, name)
      }}
    >
      <Field
        name="Folder or file"
        help="The folder that holds config.json, the safetensors and tokenizer.json; or a .gguf file, also inside a .zip or .whl."
        render={(control) => (
          <span className="row">
            <input
              {...control}
              className="input mono grow"
              value={path}
              spellCheck={false}
              autoComplete="off"
              placeholder="/home/me/models/SmolLM-135M"
              onChange={(event) => setPath(event.currentTarget.value)}
            />
            {canChooseFolder() ? (
              <>
                <Button icon={FolderOpen} onClick={() => take(chooseFolder('The folder of a model'))}>
                  Folder
                </Button>
                <Button icon={FileBox} onClick={() => take(chooseModelFile())}>
                  File
                </Button>
              </>
            ) : null}
          </span>
        )}
      />
      {error === null ? null : <ErrorNotice error={error} onRetry={() => void refetch()} />}
      {isFetching && data === undefined ? <Loading what="Reading the headers" /> : null}
      {wanted === '' || data === undefined ? null : <Findings found={data} />}
      {current === null ? null : (
        <>
          {unpacks ? null : (
            <fieldset className="col">
              <legend className="field-name">Where its files lie</legend>
              <label className="check">
                <input type="radio" name="place" checked={place === 'link'} onChange={() => setPlace('link')} />
                <span>
                  <b>Link</b>: they stay where they are; nothing is copied.
                </span>
              </label>
              <label className="check">
                <input type="radio" name="place" checked={place === 'copy'} onChange={() => setPlace('copy')} />
                <span>
                  <b>Copy</b> into the data folder: takes <span className="mono">{formatBytes(current.copyBytes)}</span>{' '}
                  of <span className="mono">{formatBytes(current.freeBytes)}</span> free.
                </span>
              </label>
            </fieldset>
          )}
          <Field
            name="Name"
            help="Left empty, it is the folder’s or the file’s."
            render={(control) => (
              <input
                {...control}
                className="input"
                maxLength={80}
                value={name}
                placeholder={current.name}
                autoComplete="off"
                onChange={(event) => setName(event.currentTarget.value)}
              />
            )}
          />
        </>
      )}
      <div className="row">
        <span className="grow" />
        <Button submit look="primary" disabled={current === null || busy}>
          {unpacks ? 'Unpack and add' : place === 'copy' ? 'Copy and add' : 'Add'}
        </Button>
      </div>
    </form>
  )
}

function FromRun({ first, busy, onAdd }: FormProps & { readonly first: RunId | null }): ReactNode {
  const runs =
    useCall('runs.list', {}).data?.filter(
      (run) => run.method !== 'reward-model' && run.state !== 'queued' && run.step > 0,
    ) ?? []
  const [chosen, setChosen] = useState<string>(first ?? '')
  const [checkpoint, setCheckpoint] = useState<'best' | 'last'>('last')
  const [name, setName] = useState('')
  const run = runs.find((one) => one.runId === chosen)
  return (
    <form
      className="col gap-3"
      onSubmit={(event) => {
        event.preventDefault()
        if (run !== undefined) onAdd({ kind: 'run', runId: run.runId, checkpoint }, name)
      }}
    >
      <Field
        name="Run"
        help="Its weights are written once more into the data folder, adapters merged, so that the run may be deleted."
        render={(control) => (
          <select
            {...control}
            className="select"
            value={chosen}
            onChange={(event) => setChosen(event.currentTarget.value)}
          >
            <option value="">{runs.length === 0 ? 'no run has a checkpoint yet' : 'choose a run'}</option>
            {runs.map((one) => (
              <option key={one.runId} value={one.runId}>
                {one.name}, seed {one.seed} ({one.methodName})
              </option>
            ))}
          </select>
        )}
      />
      <Segmented<'best' | 'last'>
        title="Checkpoint"
        showTitle
        value={checkpoint}
        choices={[
          { value: 'last', label: 'last' },
          { value: 'best', label: 'best' },
        ]}
        onChange={setCheckpoint}
      />
      <Field
        name="Name"
        help="Left empty, it is the run’s."
        render={(control) => (
          <input
            {...control}
            className="input"
            maxLength={80}
            value={name}
            placeholder={run === undefined ? '' : `${run.name} s${run.seed}`}
            autoComplete="off"
            onChange={(event) => setName(event.currentTarget.value)}
          />
        )}
      />
      <div className="row">
        <span className="grow" />
        <Button submit look="primary" disabled={run === undefined || busy}>
          Add
        </Button>
      </div>
    </form>
  )
}

function Following({
  jobId,
  onClose,
  onAgain,
}: {
  readonly jobId: JobId
  onClose(): void
  onAgain(): void
}): ReactNode {
  const { data: job, error } = useCall('models.addJob', { jobId })
  if (error !== null) return <ErrorNotice error={error} />
  if (job === undefined) return <Loading what="Beginning" />
  if (job.state === 'running') return <JobLine job={job} />
  if (job.state !== 'finished') {
    return (
      <div className="col gap-3">
        {job.state === 'failed' ? <JobLine job={job} /> : <Say tone="info">Cancelled. Nothing was kept.</Say>}
        <div className="row">
          <span className="grow" />
          <Button onClick={onAgain}>Back</Button>
        </div>
      </div>
    )
  }
  const open = (): void => {
    onClose()
    goTo(`/models/${job.modelId}`)
  }
  return (
    <div className="col gap-3">
      <Say tone="good">
        <b>{job.name}</b> is added. Its files were read once, and their hash is kept.
      </Say>
      <div className="row">
        <span className="grow" />
        <Button onClick={onClose}>Close</Button>
        <Button look="primary" onClick={open}>
          Open it
        </Button>
      </div>
    </div>
  )
}
