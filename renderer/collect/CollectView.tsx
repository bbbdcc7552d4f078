import { useEffect, useState, type ReactNode } from 'react'
import type { WorldSummary } from '../../shared/contract/segments.ts'
import type { JobId } from '../../shared/domain.ts'
import type { FormField } from '../../shared/form.ts'
import { useCall, useMutate } from '../api/queries.ts'
import { useCommands } from '../frame/commands.ts'
import { useCrumbs } from '../frame/crumbs.tsx'
import { goTo } from '../frame/location.ts'
import { Button } from '../parts/Button.tsx'
import { Field } from '../parts/Field.tsx'
import { Panel } from '../parts/Panel.tsx'
import { ErrorNotice, Loading } from '../parts/states.tsx'
import { showToast } from '../parts/toast.tsx'
import { FieldControl } from '../train/FieldRow.tsx'
import { CollectionNote } from './CollectionNote.tsx'
import { draftOf, shownFields, textOf, type Typed } from './collect-form.ts'
import { CollectProgress } from './CollectJobs.tsx'
import { RunSelect } from './RunSelect.tsx'
import { WorldCards } from './WorldCards.tsx'
import './collect.css'

/** Lets a policy act in a world, and keeps pairs of segments as a data set. @param wanted id of a world; '' takes the first */
export function CollectView({ wanted }: { readonly wanted: string }): ReactNode {
  const worlds = useCall('worlds.list', {})
  useCrumbs([{ label: 'Data', href: '/data' }, { label: 'Collect in a world' }])
  if (worlds.error !== null)
    return (
      <div className="page">
        <ErrorNotice error={worlds.error} onRetry={() => void worlds.refetch()} />
      </div>
    )
  if (worlds.data === undefined) return <Loading what="Reading the worlds" />
  const first = worlds.data.find((one) => one.id === wanted) ?? worlds.data.find((one) => one.id === 'reach')
  return <CollectForm worlds={worlds.data} first={first ?? worlds.data[0]!} /> // there are always some
}

function CollectForm({
  worlds,
  first,
}: {
  readonly worlds: readonly WorldSummary[]
  readonly first: WorldSummary
}): ReactNode {
  const [world, setWorld] = useState(first)
  const [typed, setTyped] = useState<Typed>({})
  const [name, setName] = useState('')
  const [jobId, setJobId] = useState<JobId | null>(null)
  const { request, problems } = draftOf(world.id, typed, name)
  const start = useMutate('segments.startCollecting', {
    invalidate: ['segments.collectJobs'],
    onSuccess: (started) => setJobId(started.jobId),
  })
  const job = useCall('segments.collectJobs', {}).data?.find((one) => one.jobId === jobId)
  const busy = start.isPending || job?.state === 'waiting' || job?.state === 'running'
  const ready = request !== null && !busy
  const run = (): void => {
    if (ready) start.mutate({ ...request, clientKey: crypto.randomUUID() })
  }
  useCommands([
    {
      id: 'collect.start',
      title: 'Collect',
      group: 'Data',
      keys: ['mod+enter'],
      everywhere: true,
      disabled: !ready,
      run,
    },
  ])
  const made = job?.state === 'finished' ? job.datasetId : null
  const judged = request?.label !== 'none'
  useEffect(() => {
    if (made === null) return
    goTo(`/data/${made}`)
    showToast(
      judged ? 'Collected and judged: a policy can be trained on it.' : 'Collected: the pairs wait to be judged.',
      {
        action: judged
          ? { title: 'Train', run: () => goTo(`/train?data=${made}`) }
          : { title: 'Label', run: () => goTo(`/label/${made}`) },
      },
    )
  }, [made, judged])

  const row = (field: FormField): ReactNode => (
    <Field
      key={field.path}
      name={field.title}
      note={field.unit}
      help={field.help}
      problem={problems[field.path]}
      changed={typed[field.path] !== undefined}
      render={(control) => {
        const onChange = (text: string): void => setTyped({ ...typed, [field.path]: text })
        const text = textOf(typed, field)
        const id = { ...control, 'aria-invalid': control['aria-invalid'] === true ? (true as const) : undefined }
        return field.path === 'runId' ? (
          <RunSelect {...id} text={text} onChange={onChange} />
        ) : (
          <FieldControl {...id} field={field} text={text} onChange={onChange} />
        )
      }}
    />
  )

  return (
    <div className="page">
      <header className="page-head">
        <div className="grow">
          <h1>Collect in a world</h1>
          <p className="text-2">
            A policy acts in a simulated world; what it does is cut into segments, and two segments make a pair to be
            compared.
          </p>
        </div>
        <Button onClick={() => goTo('/data')}>{busy ? 'Leave it going' : 'Cancel'}</Button>
        <Button look="primary" keys="mod+enter" disabled={!ready} onClick={run}>
          Collect
        </Button>
      </header>
      {start.error === null ? null : <ErrorNotice error={start.error} />}
      {job === undefined || job.state === 'finished' || job.state === 'cancelled' ? null : (
        <Panel title={job.state === 'failed' ? 'It failed' : 'Collecting'}>
          <CollectProgress job={job} />
        </Panel>
      )}
      {job?.state === 'cancelled' ? <output className="small text-2">Cancelled. Nothing of it was kept.</output> : null}
      <WorldCards
        worlds={worlds}
        chosen={world.id}
        onChoose={(id) => setWorld(worlds.find((one) => one.id === id) ?? world)}
      />
      <div className="collect-parts">
        <Panel title="Settings">
          <div className="collect-fields">
            {shownFields(typed).map(row)}
            <Field
              name="Name"
              help="As the data set will be listed; made from the world if left empty."
              problem={problems['name']}
              render={(control) => (
                <input
                  {...control}
                  className="input"
                  maxLength={120}
                  placeholder={request?.name ?? ''}
                  value={name}
                  onChange={(event) => setName(event.currentTarget.value)}
                />
              )}
            />
          </div>
        </Panel>
        <Panel title={world.name}>
          <CollectionNote world={world} request={request} />
        </Panel>
      </div>
    </div>
  )
}
