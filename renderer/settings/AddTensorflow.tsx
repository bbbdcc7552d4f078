import { useEffect, useRef, useState, type ReactNode } from 'react'
import type { EngineJob } from '../../shared/contract/engines.ts'
import { fromWire } from '../../shared/errors.ts'
import { PACKAGE_INDEX } from '../../shared/connections.ts'
import { useMutate } from '../api/queries.ts'
import { Button } from '../parts/Button.tsx'
import { Dialog } from '../parts/Dialog.tsx'
import { ProgressBar } from '../parts/ProgressBar.tsx'
import { Say } from '../parts/Say.tsx'
import { ErrorNotice } from '../parts/states.tsx'

interface AddTensorflowProps {
  /** The last addition since the app was opened. */
  readonly job: EngineJob | null
  /** Another job runs. */
  readonly busy: boolean
  onClose(): void
}

type Source = 'machine' | 'wheel' | 'index'

/** Asks where TensorFlow comes from, and shows what is said while it is built. */
export function AddTensorflow({ job, busy, onClose }: AddTensorflowProps): ReactNode {
  const [source, setSource] = useState<Source>('machine')
  const [path, setPath] = useState('')
  const [cuda, setCuda] = useState(false)
  const [mine, setMine] = useState<string | null>(job?.state === 'running' ? job.jobId : null)
  const [agreed, setAgreed] = useState(false)
  const follow = {
    invalidate: ['engines.list'] as const,
    onSuccess: ({ jobId }: { readonly jobId: string }) => setMine(jobId),
  }
  const addFound = useMutate('engines.add', follow)
  const addWheels = useMutate('engines.addWheels', follow)
  const add = source === 'wheel' ? addWheels : addFound
  const ownDoor = window.bridge !== undefined // a page in a browser may not name what is run
  const cancel = useMutate('engines.cancel')
  const shown = job !== null && job.jobId === mine ? job : null
  const running = shown?.state === 'running'
  const wheels = path
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  const ready =
    !busy &&
    !running &&
    !add.isPending &&
    (source === 'machine' || (source === 'wheel' ? ownDoor && wheels.length > 0 : agreed))
  const start = (): void =>
    source === 'wheel'
      ? addWheels.mutate({ engine: 'tensorflow', wheels })
      : addFound.mutate({ engine: 'tensorflow', fetch: source === 'index', cuda: source === 'index' && cuda })
  return (
    <Dialog
      title="Add TensorFlow"
      width={620}
      onClose={onClose}
      foot={
        shown?.state === 'finished' ? (
          <Button look="primary" onClick={onClose}>
            Done
          </Button>
        ) : (
          <>
            {running ? (
              <Button disabled={cancel.isPending} onClick={() => cancel.mutate({ jobId: shown.jobId })}>
                Cancel
              </Button>
            ) : (
              <Button onClick={onClose}>Close</Button>
            )}
            <Button look="primary" disabled={!ready} onClick={start}>
              {shown?.state === 'failed' ? 'Try again' : 'Add it'}
            </Button>
          </>
        )
      }
    >
      <div className="col gap-3">
        <fieldset className="col gap-2 engine-sources" disabled={running}>
          <legend className="hidden-visually">Where it comes from</legend>
          <label className="check">
            <input type="radio" name="source" checked={source === 'machine'} onChange={() => setSource('machine')} />
            <b>What is on this machine</b>
          </label>
          <p className="small text-2 engine-inner">
            What npm downloaded, else an installed Python’s TensorFlow. Nothing is asked of the network.
          </p>
          <label className="check">
            <input type="radio" name="source" checked={source === 'wheel'} onChange={() => setSource('wheel')} />
            <b>A wheel file</b>
          </label>
          <p className="small text-2 engine-inner">
            Carried here from a machine with internet: <code>pip download --no-deps tensorflow-cpu</code>. A folder
            works too; for a graphics card with the nvidia wheels in it.
          </p>
          {source === 'wheel' && !ownDoor ? (
            <p className="small engine-inner">
              What a wheel holds is run, so a page in a browser may not name one. In a terminal:{' '}
              <code>pairlab engine add tensorflow --wheel &lt;file&gt;</code>
            </p>
          ) : null}
          {source === 'wheel' && ownDoor ? (
            <textarea
              className="textarea mono small engine-inner"
              rows={2}
              aria-label="Path of the wheel, or of a folder of wheels"
              placeholder="/home/me/tensorflow_cpu-….whl"
              spellCheck={false}
              value={path}
              onChange={(event) => setPath(event.currentTarget.value)}
            />
          ) : null}
          <label className="check">
            <input type="radio" name="source" checked={source === 'index'} onChange={() => setSource('index')} />
            <b>The package index</b>
          </label>
          <p className="small text-2 engine-inner">
            pip fetches it from the internet: {PACKAGE_INDEX}. It is the only connection beyond this machine that
            Pairlab ever makes.
          </p>
          {source === 'index' ? (
            <>
              <label className="check small engine-inner">
                <input type="checkbox" checked={agreed} onChange={(event) => setAgreed(event.currentTarget.checked)} />
                Yes, let pip connect to its package index
              </label>
              <label className="check small engine-inner">
                <input type="checkbox" checked={cuda} onChange={(event) => setCuda(event.currentTarget.checked)} />
                The build for NVIDIA graphics cards (some gigabytes)
              </label>
            </>
          ) : null}
        </fieldset>
        <p className="small text-3">
          A C++ compiler joins it to this Node, which takes about half a minute and 0.6 GB. The same from a terminal:{' '}
          <code>
            pairlab engine add tensorflow
            {source === 'wheel'
              ? ` --wheel ${wheels[0] ?? '<file>'}`
              : source === 'index'
                ? ` --from-index${cuda ? ' --cuda' : ''}`
                : ''}
          </code>
        </p>
        {busy ? <Say tone="info">Engines are being tested; wait until that is done.</Say> : null}
        {add.error === null || add.isPending ? null : <ErrorNotice error={add.error} />}
        {shown === null ? null : <Steps job={shown} />}
      </div>
    </Dialog>
  )
}

function Steps({ job }: { readonly job: EngineJob }): ReactNode {
  const end = useRef<HTMLLIElement>(null)
  useEffect(() => end.current?.scrollIntoView({ block: 'nearest' }), [job.lines.length])
  return (
    <>
      {job.lines.length === 0 && job.state !== 'running' ? null : (
        <ol className="engine-lines mono small" aria-label="What is being done" aria-live="polite">
          {job.lines.map((line, at) => (
            <li key={`${at} ${line}`} ref={at === job.lines.length - 1 ? end : undefined}>
              {line}
              {at === job.lines.length - 1 && job.state === 'running' ? ' …' : ''}
            </li>
          ))}
          {job.lines.length === 0 && job.state === 'running' ? <li className="text-3">Looking for it …</li> : null}
        </ol>
      )}
      {job.state === 'running' ? <ProgressBar label="Adding TensorFlow" value={null} /> : null}
      {job.state === 'finished' ? (
        <Say tone="good">TensorFlow is ready. Test it to let auto take the faster one.</Say>
      ) : null}
      {job.state === 'cancelled' ? <Say tone="info">It was cancelled; nothing was changed.</Say> : null}
      {job.state === 'failed' && job.error !== null ? <ErrorNotice error={fromWire(job.error)} /> : null}
    </>
  )
}
