import { useEffect, useState, type ReactNode } from 'react'
import { Gauge } from 'lucide-react'
import type { EngineInfo, EngineJob, EngineOverview } from '../../shared/contract/engines.ts'
import { fromWire } from '../../shared/errors.ts'
import { useCall, useMutate } from '../api/queries.ts'
import { Button } from '../parts/Button.tsx'
import { Dialog } from '../parts/Dialog.tsx'
import { Panel } from '../parts/Panel.tsx'
import { ProgressBar } from '../parts/ProgressBar.tsx'
import { Say } from '../parts/Say.tsx'
import { ErrorNotice, Loading } from '../parts/states.tsx'
import { showToast } from '../parts/toast.tsx'
import { AdapterChoice } from './AdapterChoice.tsx'
import { AddTensorflow } from './AddTensorflow.tsx'
import { Cards } from './Cards.tsx'
import { EngineRow } from './EngineRow.tsx'
import './settings.css'

/** What computes here: which engines work, how fast, what `auto` takes, and what adds or removes one. */
export function ComputePanel(): ReactNode {
  const { data, error, refetch } = useCall('engines.list', {})
  if (error !== null)
    return (
      <Panel title="Compute">
        <ErrorNotice error={error} onRetry={() => void refetch()} />
      </Panel>
    )
  if (data === undefined)
    return (
      <Panel title="Compute">
        <Loading what="Looking at the engines" />
      </Panel>
    )
  return <Engines overview={data} />
}

const tellError = {
  onError: (error: { readonly message: string; readonly hint: string }) =>
    showToast(`${error.message} ${error.hint}`, { tone: 'bad' }),
}

function Engines({ overview }: { readonly overview: EngineOverview }): ReactNode {
  const [asks, setAsks] = useState<'add' | 'remove' | null>(null)
  const test = useMutate('engines.test', { invalidate: ['engines.list'], ...tellError })
  const { engines, chosen, job } = overview
  const running = job?.state === 'running' ? job : null
  const untested = engines.every((engine) => engine.measuredAtMs === null)
  return (
    <Panel
      title="Compute"
      note="what training and sampling run on"
      flush
      actions={
        <Button
          small
          look={untested ? 'primary' : 'normal'}
          icon={Gauge}
          disabled={running !== null || test.isPending}
          onClick={() => test.mutate({})}
        >
          Test all
        </Button>
      }
    >
      <div className="table-scroll">
        <table className="table engines" aria-label="Engines">
          <thead>
            <tr>
              <th scope="col">Engine</th>
              <th scope="col">State</th>
              <th scope="col">Device</th>
              <th scope="col" className="right">
                Training
              </th>
              <th scope="col" className="right">
                Sampling
              </th>
              <th scope="col" className="right">
                Products
              </th>
              <th scope="col" className="right">
                Memory
              </th>
              <th scope="col">Measured</th>
              <th scope="col">
                <span className="hidden-visually">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {engines.map((engine) => (
              <EngineRow
                key={engine.name}
                engine={engine}
                uses={(['training', 'sampling'] as const).filter((work) => chosen[work].name === engine.name)}
                testing={running?.engine === engine.name}
                busy={running !== null}
                onTest={() => test.mutate({ engine: engine.name })}
                onAdd={() => setAsks('add')}
                onRemove={() => setAsks('remove')}
              />
            ))}
          </tbody>
        </table>
      </div>
      <div className="panel-body col gap-2">
        {running === null ? <Outcome job={job} /> : <Progress job={running} />}
        <p className="small text-2">
          <b>auto</b> takes <b>{chosen.training.name}</b> for training ({chosen.training.why}) and{' '}
          <b>{chosen.sampling.name}</b> for sampling ({chosen.sampling.why}). A run may name another.
        </p>
        <Cards />
        <AdapterChoice key={overview.adapter ?? ''} adapter={overview.adapter} busy={running !== null} />
        <p className="small text-3">
          Ten seconds each: tokens a second of a small decoder, in training steps of 512 tokens and in drawing for eight
          rows at once; a product of matrices; and a sum of long vectors, which memory sets the pace of. On a large
          model the order may be another.
        </p>
      </div>
      {asks === 'add' ? (
        <AddTensorflow
          job={job?.kind === 'add' ? job : null}
          busy={running !== null && running.kind !== 'add'}
          onClose={() => setAsks(null)}
        />
      ) : null}
      {asks === 'remove' ? (
        <RemoveTensorflow engine={engines.find((one) => one.name === 'tensorflow')} onClose={() => setAsks(null)} />
      ) : null}
    </Panel>
  )
}

/** Opening, warming up and the reference's own test, beside the seconds that are measured. */
const AROUND_SECONDS = 4

function Progress({ job }: { readonly job: EngineJob }): ReactNode {
  const cancel = useMutate('engines.cancel', tellError)
  const [nowMs, setNowMs] = useState(() => Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), 250)
    return () => clearInterval(timer)
  }, [])
  const within = Math.min(0.95, Math.max(0, nowMs - job.stepStartedAtMs) / (1000 * (job.seconds + AROUND_SECONDS)))
  const words =
    job.kind === 'add'
      ? (job.lines.at(-1) ?? 'Adding TensorFlow')
      : `${job.seconds > 0 ? 'Measuring' : 'Testing'} ${job.engine ?? ''}, ${Math.min(job.total, job.done + 1)} of ${job.total}`
  return (
    <div className="row gap-3">
      <span role="status">{words} …</span>
      <span className="grow">
        <ProgressBar label={words} value={job.kind === 'add' ? null : (job.done + within) / job.total} />
      </span>
      <Button small disabled={cancel.isPending} onClick={() => cancel.mutate({ jobId: job.jobId })}>
        Cancel
      </Button>
    </div>
  )
}

function Outcome({ job }: { readonly job: EngineJob | null }): ReactNode {
  if (job === null || job.state === 'finished') return null
  if (job.state === 'cancelled')
    return (
      <Say tone="info">
        {job.kind === 'test'
          ? 'The test was cancelled; what was measured before stays.'
          : 'Adding TensorFlow was cancelled; nothing was changed.'}
      </Say>
    )
  return job.error === null ? null : <ErrorNotice error={fromWire(job.error)} />
}

function RemoveTensorflow({
  engine,
  onClose,
}: {
  readonly engine: EngineInfo | undefined
  onClose(): void
}): ReactNode {
  const remove = useMutate('engines.remove', {
    invalidate: ['engines.list'],
    onSuccess() {
      showToast('TensorFlow is removed.')
      onClose()
    },
    ...tellError,
  })
  return (
    <Dialog
      title="Remove TensorFlow?"
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>Keep it</Button>
          <Button look="danger" disabled={remove.isPending} onClick={() => remove.mutate({ engine: 'tensorflow' })}>
            Remove it
          </Button>
        </>
      }
    >
      <p>
        {engine?.added === null || engine === undefined
          ? 'Its files are deleted.'
          : `Version ${engine.added.version} is deleted from this machine.`}{' '}
        Runs that chose it by themselves go on with another engine when they are resumed, and say so; a run that names
        it cannot be resumed without it.
      </p>
    </Dialog>
  )
}
