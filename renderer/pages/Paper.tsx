import { useState, type ReactNode } from 'react'
import { Play, X } from 'lucide-react'
import { useParams } from 'wouter'
import type { KeptReport, ReproductionEntry } from '../../shared/contract/papers.ts'
import { useCall } from '../api/queries.ts'
import { useCommands } from '../frame/commands.ts'
import { useCrumbs } from '../frame/crumbs.tsx'
import { Bandit, BanditSetup } from '../papers/Bandit.tsx'
import { ReportView } from '../papers/ReportView.tsx'
import { bestKept, isBusy, minutesText, sourceText, useReproducing, type Form } from '../papers/use-reproduction.ts'
import { VerdictChip } from '../papers/verdict.tsx'
import { Button } from '../parts/Button.tsx'
import { Chip } from '../parts/Chip.tsx'
import { Panel, Section } from '../parts/Panel.tsx'
import { ProgressBar } from '../parts/ProgressBar.tsx'
import { RelativeTime } from '../parts/RelativeTime.tsx'
import { Segmented } from '../parts/Segmented.tsx'
import { SidePanel } from '../parts/SidePanel.tsx'
import { EmptyState, ErrorNotice, Loading } from '../parts/states.tsx'
import { formatDuration } from '../../shared/units.ts'
import '../papers/papers.css'

/** One experiment or study: its claim or question, its report, and how to do it again. */
export function Paper(): ReactNode {
  const { id = '' } = useParams<{ id: string }>()
  const list = useCall('papers.list', {})
  const entry = list.data?.find((one) => one.id === id)
  useCrumbs([{ label: 'Papers', href: '/papers' }, { label: id }])
  if (list.error !== null)
    return (
      <div className="page">
        <ErrorNotice error={list.error} onRetry={() => void list.refetch()} />
      </div>
    )
  if (list.data === undefined) return <Loading what="Reading the experiment" />
  if (entry === undefined)
    return (
      <EmptyState
        page
        title="There is no such experiment"
        text={<code>{id}</code>}
        action={
          <a className="btn btn-normal" href="#/papers">
            See all
          </a>
        }
      />
    )
  return <Experiment entry={entry} />
}

function Experiment({ entry }: { readonly entry: ReproductionEntry }): ReactNode {
  const [wanted, setWanted] = useState<Form | null>(null)
  const form = wanted ?? bestKept(entry)?.form ?? 'quick'
  const kept = useCall('papers.report', { id: entry.id, form })
  const bandit = useCall('papers.bandit', {}, { enabled: entry.id === 'copg-bandit' }).data
  const reproducing = useReproducing()
  const busy = isBusy(entry)
  const start = (): void => reproducing.start(entry.id, form)
  useCommands([
    {
      id: 'paper.run',
      title: `Run ${entry.id}`,
      group: 'Papers',
      keys: ['r'],
      run: () => {
        if (!busy) start()
      },
    },
  ])
  const report = kept.data ?? null
  return (
    <div className="with-side">
      <div className="page">
        <header className="page-head">
          <div className="grow">
            <div className="row wrap">
              <h1>{report?.report.title ?? entry.id}</h1>
              <Chip>{sourceText(entry.paper)}</Chip>
            </div>
            <p className="text-2">{entry.about}</p>
          </div>
          <Segmented
            title="Form"
            value={form}
            choices={[
              { value: 'quick', label: `Quick, ${minutesText(entry.minutes.quick)}` },
              { value: 'full', label: `Full, ${minutesText(entry.minutes.full)}` },
            ]}
            onChange={(value) => setWanted(value)}
          />
          {busy ? (
            <Button icon={X} onClick={() => reproducing.cancel(entry.id)}>
              Cancel
            </Button>
          ) : (
            <Button look="primary" icon={Play} keys="r" onClick={start}>
              {report === null ? 'Run' : 'Run again'}
            </Button>
          )}
        </header>
        <JobState entry={entry} />
        {bandit === undefined ? null : <Bandit report={bandit} />}
        {kept.error === null ? null : <ErrorNotice error={kept.error} onRetry={() => void kept.refetch()} />}
        {kept.data === undefined ? null : report === null ? (
          busy ? null : (
            <NotYet form={form} entry={entry} />
          )
        ) : (
          <ReportView kept={report} />
        )}
      </div>
      {report === null && bandit === undefined ? null : (
        <SidePanel id="papers" label="Set-up" width={340}>
          {report === null ? null : <ReportFacts kept={report} />}
          {bandit === undefined ? null : <BanditSetup report={bandit} />}
        </SidePanel>
      )}
    </div>
  )
}

function JobState({ entry }: { readonly entry: ReproductionEntry }): ReactNode {
  const { job } = entry
  if (job === null) return null
  if (job.error !== null && job.state === 'failed')
    return (
      <div className="notice" role="alert">
        <div>
          <p className="bold">{job.error.message}</p>
          <p>{job.error.hint}</p>
          {job.lines.length === 0 ? null : <pre className="small">{job.lines.join('\n')}</pre>}
        </div>
      </div>
    )
  if (!isBusy(entry)) return null
  return (
    <Panel>
      <div className="col gap-2" aria-live="polite">
        <div className="row">
          <b>{job.state === 'waiting' ? 'Waiting for the experiment before it' : `Running, the ${job.form} form`}</b>
          <span className="grow" />
          {job.startedAtMs === null ? null : (
            <span className="small text-3">
              started <RelativeTime atMs={job.startedAtMs} />
            </span>
          )}
        </div>
        <ProgressBar value={null} label={`Progress of ${entry.id}`} />
        <pre className="job-lines small text-2">{job.lines.slice(-6).join('\n')}</pre>
      </div>
    </Panel>
  )
}

function NotYet({ form, entry }: { readonly form: Form; readonly entry: ReproductionEntry }): ReactNode {
  return (
    <Panel>
      <p className="text-2">
        The {form} form has not been run here. It takes about {minutesText(entry.minutes[form])} on two cores. In a
        terminal:{' '}
        <code>
          pairlab reproduce {entry.id}
          {form === 'full' ? ' --full' : ''}
        </code>
      </p>
    </Panel>
  )
}

function ReportFacts({ kept }: { readonly kept: KeptReport }): ReactNode {
  const { report } = kept
  return (
    <>
      {report.verdict === null ? null : (
        <Section title="Verdict">
          <VerdictChip verdict={report.verdict} />
        </Section>
      )}
      <Section title="Set-up">
        <p className="small text-2">{report.setup}</p>
      </Section>
      <Section title="This run">
        <dl className="facts">
          <div>
            <dt>When</dt>
            <dd>
              <RelativeTime atMs={kept.startedAtMs} />
            </dd>
          </div>
          <div>
            <dt>Took</dt>
            <dd className="mono">{formatDuration(kept.wallMs)}</dd>
          </div>
          <div>
            <dt>Form</dt>
            <dd>{report.form}</dd>
          </div>
          <div>
            <dt>Seeds</dt>
            <dd className="mono">{report.seeds.length === 0 ? 'none needed' : report.seeds.join(' ')}</dd>
          </div>
          <div>
            <dt>Engine</dt>
            <dd>{kept.engine}</dd>
          </div>
          <div>
            <dt>Processor</dt>
            <dd>{kept.processor}</dd>
          </div>
          <div>
            <dt>Pairlab</dt>
            <dd className="mono">{kept.appVersion}</dd>
          </div>
        </dl>
      </Section>
    </>
  )
}
