import { useState, type ReactNode } from 'react'
import { Copy, Maximize2, Minimize2 } from 'lucide-react'
import type { RunDetail } from '../../shared/contract/runs.ts'
import { useViewState } from '../api/settings.ts'
import { Button } from '../parts/Button.tsx'
import { Segmented } from '../parts/Segmented.tsx'
import { copyText } from './copy-text.ts'
import { RunConfig } from './RunConfig.tsx'
import { RunLog } from './RunLog.tsx'
import { RunSamples, SampleSteps, useSamples } from './RunSamples.tsx'

type Tab = 'samples' | 'log' | 'settings'

const TABS = [
  { value: 'samples', label: 'Samples' },
  { value: 'log', label: 'Log' },
  { value: 'settings', label: 'Settings' },
] as const satisfies readonly { value: Tab; label: string }[]

/** Below the charts: samples, log and settings share one place. */
export function RunBottom({ run }: { readonly run: RunDetail }): ReactNode {
  const failed = run.state === 'failed' || run.state === 'lost'
  const [chosen, setChosen] = useState<Tab | null>(null)
  const [search, setSearch] = useState('')
  const [tall, setTall] = useViewState<boolean>('run.tall', false)
  const samples = useSamples(run)
  const tab = chosen ?? (failed ? 'log' : 'samples')
  return (
    <section className="run-bottom" data-tall={tall} aria-label="Samples, log and settings">
      <div className="run-bottom-head">
        <Segmented title="Show" small value={tab} choices={TABS} onChange={(value) => setChosen(value)} />
        {tab === 'samples' ? (
          <span className="text-3 small ellipsis">
            held-out prompts, temperature {run.spec.training.sampleTemperature}
          </span>
        ) : null}
        {tab === 'samples' ? null : (
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
        <Button
          small
          look="quiet"
          icon={tall ? Minimize2 : Maximize2}
          aria-label={tall ? 'Make this part smaller' : 'Make this part larger'}
          onClick={() => setTall(!tall)}
        />
      </div>
      <div className="run-bottom-body">
        {tab === 'samples' ? (
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
