import { useState, type ReactNode } from 'react'
import { Copy, Maximize2, Minimize2 } from 'lucide-react'
import type { RunDetail } from '../../shared/contract/runs.ts'
import type { AlgorithmInfo } from '../../shared/contract/system.ts'
import { writesSamples } from '../../shared/run-spec.ts'
import { useCall } from '../api/queries.ts'
import { useViewState } from '../api/settings.ts'
import { Button } from '../parts/Button.tsx'
import { Segmented } from '../parts/Segmented.tsx'
import { WatchPanel } from '../watch/WatchPanel.tsx'
import { copyText } from './copy-text.ts'
import { RunConfig } from './RunConfig.tsx'
import { RunLog } from './RunLog.tsx'
import { RunSamples, SampleSteps, useSamples } from './RunSamples.tsx'

type Tab = 'watch' | 'samples' | 'log' | 'settings'

const LOG_AND_SETTINGS = [
  { value: 'log', label: 'Log' },
  { value: 'settings', label: 'Settings' },
] as const satisfies readonly { value: Tab; label: string }[]

/** A policy that acts writes nothing: it is watched. @param world of the run; undefined where it does not act */
function tabsOf(world: string | undefined): readonly { readonly value: Tab; readonly label: string }[] {
  return [
    world === undefined ? { value: 'samples', label: 'Samples' } : { value: 'watch', label: 'Watch' },
    ...LOG_AND_SETTINGS,
  ]
}

/** The world of a control run, '' where its segments come from none of ours; undefined of any other run. */
function worldOf(run: RunDetail, algorithm: AlgorithmInfo | undefined): string | undefined {
  if (algorithm?.data !== 'segment-pairs') return undefined
  const { world } = run.facts
  return typeof world === 'string' ? world : ''
}

/** Below the charts: samples or the acting policy, log and settings share one place. */
export function RunBottom({ run }: { readonly run: RunDetail }): ReactNode {
  const failed = run.state === 'failed' || run.state === 'lost'
  const [chosen, setChosen] = useState<Tab | null>(null)
  const [search, setSearch] = useState('')
  const [tall, setTall] = useViewState<boolean>('run.tall', false)
  const samples = useSamples(run)
  const algorithms = useCall('algorithms.list', {}).data
  const algorithm = algorithms?.find((one) => one.id === run.method)
  const world = worldOf(run, algorithm)
  const tabs = tabsOf(world)
  const tab = chosen ?? (failed ? 'log' : tabs[0]!.value)
  return (
    <section
      className="run-bottom"
      data-tall={tall || tab === 'watch'}
      aria-label={world === undefined ? 'Samples, log and settings' : 'Watch, log and settings'}
    >
      <div className="run-bottom-head">
        <Segmented title="Show" small value={tab} choices={tabs} onChange={(value) => setChosen(value)} />
        {tab === 'samples' && algorithm !== undefined && writesSamples(algorithm) ? (
          <span className="text-3 small ellipsis">
            held-out prompts, temperature {run.spec.training.sampleTemperature}
          </span>
        ) : null}
        {tab === 'samples' || tab === 'watch' ? null : (
          <input
            type="search"
            className="input input-small"
            aria-label={tab === 'log' ? 'Search the log' : 'Search the settings'}
            placeholder="Search"
            value={search}
            onChange={(event) => setSearch(event.currentTarget.value)}
          />
        )}
        <span className="grow" />
        {tab === 'samples' ? <SampleSteps samples={samples} /> : null}
        {tab === 'settings' ? (
          <Button
            small
            look="quiet"
            icon={Copy}
            onClick={() => copyText(JSON.stringify(run.spec, null, 2), 'The specification is copied.')}
          >
            Copy as JSON
          </Button>
        ) : null}
        {tab === 'watch' ? null : (
          <Button
            small
            look="quiet"
            icon={tall ? Minimize2 : Maximize2}
            aria-label={tall ? 'Make this part smaller' : 'Make this part larger'}
            onClick={() => setTall(!tall)}
          />
        )}
      </div>
      <div className="run-bottom-body">
        {tab === 'watch' && world !== undefined ? (
          <WatchPanel run={run} worldId={world} />
        ) : tab === 'samples' ? (
          <RunSamples run={run} samples={samples} />
        ) : tab === 'log' ? (
          <RunLog run={run} search={search} />
        ) : (
          <RunConfig run={run} search={search} />
        )}
      </div>
    </section>
  )
}
