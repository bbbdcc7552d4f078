import { useState, type ReactNode } from 'react'
import type { Recognition } from '../../../shared/contract/imports.ts'
import type { Input } from '../../../shared/contract.ts'
import type { DataKind } from '../../../shared/data-kinds.ts'
import type { JobId } from '../../../shared/domain.ts'
import { IMPORT_WORDS } from '../../../shared/kind-words.ts'
import { formatBytes } from '../../../shared/units.ts'
import { useCall, useMutate } from '../../api/queries.ts'
import { useCommands } from '../../frame/commands.ts'
import { goTo } from '../../frame/location.ts'
import { Button } from '../../parts/Button.tsx'
import { Field } from '../../parts/Field.tsx'
import { Panel } from '../../parts/Panel.tsx'
import { Segmented } from '../../parts/Segmented.tsx'
import { ErrorNotice } from '../../parts/states.tsx'
import { ImportFailure, ImportProgress } from './ImportProgress.tsx'
import { useOpened } from './use-opened.ts'

/** What was found, and what a person made of it. */
export interface ImportChoice {
  readonly found: Recognition
  readonly kind: DataKind | null
  onKind(kind: DataKind): void
  readonly name: string
  onName(name: string): void
}

const KINDS = (Object.keys(IMPORT_WORDS) as DataKind[]).map((value) => ({
  value,
  label: `${IMPORT_WORDS[value][0]!.toUpperCase()}${IMPORT_WORDS[value].slice(1)}`,
}))

interface ImportFrameProps {
  readonly choice: ImportChoice
  /** How it is to be read; null while something must still be said, or cannot be read so. */
  readonly reading: Omit<Input<'datasets.import'>, 'path' | 'name'> | null
  /** Beside the name. */
  readonly settings?: ReactNode
  readonly children: ReactNode
}

/** What the import of every kind has in common: what it was taken for, the name, and the import itself. */
export function ImportFrame({ choice, reading, settings, children }: ImportFrameProps): ReactNode {
  const { found, kind, name, onName } = choice
  const [jobId, setJobId] = useState<JobId | null>(null)
  const start = useMutate('datasets.import', {
    invalidate: ['datasets.importJobs'],
    onSuccess: (started) => setJobId(started.jobId),
  })
  const { data: job } = useCall('datasets.importJob', { jobId: jobId ?? ('' as JobId) }, { enabled: jobId !== null })
  const isRunning = start.isPending || (jobId !== null && (job === undefined || job.state === 'running'))
  useOpened(job)
  const run = (): void => {
    if (reading !== null) start.mutate({ ...reading, path: found.path, name })
  }
  const ready = reading !== null && !isRunning
  useCommands([
    {
      id: 'import.start',
      title: 'Import',
      group: 'Data',
      keys: ['mod+enter'],
      everywhere: true,
      disabled: !ready,
      run,
    },
  ])
  return (
    <div className="page">
      <header className="page-head">
        <div className="grow">
          <h1>Import {found.fileName}</h1>
          <p className="text-2">
            <span className="mono">{formatBytes(found.sizeBytes)}</span>
            {found.isFolder ? ' in a folder' : ''}
          </p>
        </div>
        <Button disabled={isRunning} onClick={() => goTo('/data')}>
          {jobId === null ? 'Cancel' : 'Back to the data sets'}
        </Button>
        <Button look="primary" keys="mod+enter" disabled={!ready} onClick={run}>
          {isRunning ? 'Importing …' : 'Import'}
        </Button>
      </header>
      {start.error === null ? null : <ErrorNotice error={start.error} />}
      {job?.state === 'running' ? <ImportProgress job={job} /> : null}
      {job?.state === 'failed' ? <ImportFailure job={job} /> : null}
      <Taken choice={choice} />
      {children}
      {kind === null ? null : (
        <div className="two">
          <Panel title="Data set">
            <Field
              name="Name"
              help="As it will be listed; the file's name if left empty."
              render={(control) => (
                <input
                  {...control}
                  className="input"
                  maxLength={120}
                  placeholder={found.fileName}
                  value={name}
                  onChange={(event) => onName(event.target.value)}
                />
              )}
            />
          </Panel>
          {settings === undefined ? null : <div className="col gap-4">{settings}</div>}
        </div>
      )}
    </div>
  )
}

/** "Looks like …, because …", and the other kinds to choose. */
function Taken({ choice: { found, kind, onKind } }: { readonly choice: ImportChoice }): ReactNode {
  return (
    <section className="panel import-taken">
      <div className="grow">
        <p>
          {found.kind === null ? (
            <>What this holds is not clear: {found.because}.</>
          ) : (
            <>
              Looks like <b>{IMPORT_WORDS[found.kind]}</b>, because {found.because}.
            </>
          )}
        </p>
        {found.others.map((other) => (
          <p key={other.kind} className="small text-2">
            It could also be {IMPORT_WORDS[other.kind]}: {other.because}.
          </p>
        ))}
        {found.hint === '' ? null : <p className="small text-2">{found.hint}</p>}
      </div>
      {found.files.length > 0 ? null : (
        <Segmented<DataKind | 'none'>
          title="Read it as"
          small
          value={kind ?? 'none'}
          choices={KINDS}
          onChange={(value) => {
            if (value !== 'none') onKind(value)
          }}
        />
      )}
    </section>
  )
}
