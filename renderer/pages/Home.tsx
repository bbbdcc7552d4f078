import type { ReactNode } from 'react'
import type { RunSummary } from '../../shared/contract/runs.ts'
import { useCall } from '../api/queries.ts'
import { useCommands } from '../frame/commands.ts'
import { useCrumbs } from '../frame/crumbs.tsx'
import { goTo } from '../frame/location.ts'
import { KeyCap } from '../parts/KeyCap.tsx'
import { Panel } from '../parts/Panel.tsx'
import { Say } from '../parts/Say.tsx'
import { ErrorNotice, Loading } from '../parts/states.tsx'
import { KIND_WORDS } from '../../shared/kind-words.ts'
import { formatCount } from '../../shared/units.ts'
import { ImportBox } from '../data/ImportBox.tsx'
import { ImportJobs } from '../data/ImportJobs.tsx'
import { Continue } from '../home/Continue.tsx'
import { findFamily } from '../home/next-steps.ts'
import { NextSteps } from '../home/NextSteps.tsx'
import { Samples } from '../home/Samples.tsx'
import { StartTroubles } from '../home/StartTroubles.tsx'
import { RunsTable } from '../runs/RunsTable.tsx'
import '../home/home.css'

const RUNS_SHOWN = 14

export function Home(): ReactNode {
  const datasets = useCall('datasets.list', {})
  const runs = useCall('runs.list', {})
  useCrumbs([{ label: 'Pairlab' }, { label: 'Home' }])
  useCommands([{ id: 'home.runs', title: 'All runs', group: 'Home', run: () => goTo('/runs') }])
  if (datasets.error !== null)
    return (
      <div className="page">
        <ErrorNotice error={datasets.error} onRetry={() => void datasets.refetch()} />
      </div>
    )
  if (datasets.data === undefined) return <Loading />
  const latest = datasets.data.toSorted((one, two) => two.createdAtMs - one.createdAtMs)
  return (
    <div className="page">
      <header>
        <h1>Pairlab</h1>
        <p className="text-2">
          Label preferences by hand, train policies on them, compare runs with intervals. Everything stays on this
          computer.
        </p>
      </header>
      <StartTroubles />
      <div className="roads">
        <Road number="1" title="Open a sample">
          <p className="text-2">One of each kind of data. Look at it, label some, train on it, compare.</p>
          <Samples datasets={latest} keys="1" />
        </Road>
        <Road number="2" title="Import your own file">
          <ImportBox keys="2" />
        </Road>
        <Road number="3" title="Continue where you left off">
          <Continue datasets={latest} keys="3" />
          <NextSteps datasets={latest} runs={runs.data ?? []} />
        </Road>
      </div>
      <ImportJobs />
      <div className="home-lists">
        <Panel
          flush
          title="Recent runs"
          note={
            runs.data === undefined
              ? undefined
              : `${Math.min(RUNS_SHOWN, runs.data.length)} of ${formatCount(runs.data.length)}`
          }
          actions={
            <a className="row small" href="#/runs">
              All runs <KeyCap keys="g r" />
            </a>
          }
        >
          {(runs.data ?? []).length === 0 ? (
            <p className="pad text-2">
              No run yet. Once a data set is labeled, <a href="#/train">train a policy on it</a>.
            </p>
          ) : (
            <RunsTable runs={(runs.data ?? []).slice(0, RUNS_SHOWN)} />
          )}
        </Panel>
        <div className="col gap-4">
          <Panel
            flush
            title="Data sets"
            note={formatCount(latest.length)}
            actions={
              <a className="small" href="#/data">
                All data sets
              </a>
            }
          >
            {latest.length === 0 ? (
              <p className="pad text-2">None yet.</p>
            ) : (
              <table className="table" aria-label="Data sets">
                <thead>
                  <tr>
                    <th scope="col">Name</th>
                    <th scope="col" className="num">
                      Holds
                    </th>
                    <th scope="col" className="num" title="Items that anybody labeled">
                      Labeled
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {latest.slice(0, 8).map((row) => (
                    <tr key={row.datasetId} onClick={() => goTo(`/data/${row.datasetId}`)}>
                      <td className="wrap-cell">
                        <a className="bold" href={`#/data/${row.datasetId}`}>
                          {row.name}
                        </a>
                      </td>
                      <td className="num">
                        {formatCount(row.itemCount)} {KIND_WORDS[row.kind].items}
                      </td>
                      <td className="num">{KIND_WORDS[row.kind].labeled ? formatCount(row.labeledCount) : '–'}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            )}
          </Panel>
          <News runs={runs.data ?? []} />
        </div>
      </div>
    </div>
  )
}

function Road({
  number,
  title,
  children,
}: {
  readonly number: string
  readonly title: string
  readonly children: ReactNode
}): ReactNode {
  return (
    <section className="road" aria-label={title}>
      <h2 className="row">
        <span className="road-number" aria-hidden="true">
          {number}
        </span>
        {title}
      </h2>
      {children}
    </section>
  )
}

/** What happened to the runs, in sentences: what failed and can go on comes first. */
function News({ runs }: { readonly runs: readonly RunSummary[] }): ReactNode {
  const troubled = runs
    .filter((run) => run.state === 'failed' || run.state === 'interrupted' || run.state === 'lost')
    .slice(0, 4)
  const queued = runs.filter((run) => run.state === 'queued').length
  const finished = runs.filter((run) => run.state === 'finished')
  if (troubled.length === 0 && queued === 0 && finished.length === 0) return null
  return (
    <Panel title="State of the runs">
      <div className="col gap-3">
        {finished.length > 0 ? (
          <Say tone="good">
            {formatCount(finished.length)} {finished.length === 1 ? 'run has' : 'runs have'} finished.{' '}
            <CompareFinished runs={finished} />
          </Say>
        ) : null}
        {troubled.map((run) => (
          <Say key={run.runId} tone={run.state === 'failed' ? 'bad' : 'warn'}>
            <b className="mono">
              {run.name} s{run.seed}
            </b>{' '}
            {run.state === 'failed' ? 'failed' : run.state === 'lost' ? 'was lost' : 'was interrupted'} at step{' '}
            <span className="mono">{run.step}</span>
            {run.error === null ? '.' : `: ${run.error.message}`}{' '}
            <a href={`#/runs/${run.runId}`}>{run.resumable ? 'Open it and resume' : 'Open it'}</a>
          </Say>
        ))}
        {queued > 0 ? (
          <Say tone="info">
            The queue has {formatCount(queued)} {queued === 1 ? 'run' : 'runs'}. You can close the window; training goes
            on.
          </Say>
        ) : null}
      </div>
    </Panel>
  )
}

/** Runs on other data, or by another metric, are measured otherwise: what is offered are those that are alike. @param runs the newest first */
function CompareFinished({ runs }: { readonly runs: readonly RunSummary[] }): ReactNode {
  const same = findFamily(runs)
  if (same.length < 2) return null
  return (
    <a href={`#/compare?runs=${same.map((run) => run.runId).join(',')}`}>
      {same.length === runs.length
        ? 'Compare them'
        : `Compare the ${formatCount(same.length)} on ${same[0]!.datasetName}`}
    </a>
  )
}
