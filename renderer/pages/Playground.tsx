import { useEffect, useEffectEvent, type ReactNode } from 'react'
import { Eraser, MessagesSquare, Columns2, Tags } from 'lucide-react'
import { useSearch } from 'wouter'
import type { PlaygroundSources } from '../../shared/contract/playground.ts'
import { useCall } from '../api/queries.ts'
import { useSettings } from '../api/settings.ts'
import { useCommands } from '../frame/commands.ts'
import { useCrumbs } from '../frame/crumbs.tsx'
import { goTo } from '../frame/location.ts'
import { Button } from '../parts/Button.tsx'
import { Segmented } from '../parts/Segmented.tsx'
import { SidePanel } from '../parts/SidePanel.tsx'
import { EmptyState, ErrorNotice, Loading } from '../parts/states.tsx'
import { BenchSection, KeepDialog } from '../playground/KeepDialog.tsx'
import { useBench } from '../playground/use-bench.ts'
import { Composer } from '../playground/Composer.tsx'
import { readSource } from '../playground/playground-state.ts'
import { SamplingPanel } from '../playground/SamplingPanel.tsx'
import { SideColumn } from '../playground/SideColumn.tsx'
import { usePlayground } from '../playground/use-playground.ts'
import '../playground/playground.css'

export function Playground(): ReactNode {
  useCrumbs([{ label: 'Playground' }])
  const { data: sources, error, refetch } = useCall('playground.sources', {})
  const settings = useSettings()
  // A run that trains has written checkpoints since this was asked.
  useEffect(() => void refetch(), [refetch])
  if (error !== null)
    return (
      <div className="page">
        <ErrorNotice error={error} onRetry={() => void refetch()} />
      </div>
    )
  if (sources === undefined || settings === undefined) return <Loading what="Looking for models" />
  if (sources.runs.length + sources.models.length === 0) {
    return (
      <EmptyState
        page
        icon={MessagesSquare}
        title="No model can write yet"
        text="Train a policy: as soon as a run has a checkpoint, it can be asked here. Or add a model of another program."
        action={
          <>
            <a className="btn btn-primary" href="#/train">
              Train a policy
            </a>
            <a className="btn btn-normal" href="#/models">
              Add a model
            </a>
          </>
        }
      />
    )
  }
  return <PlaygroundDesk sources={sources} />
}

function PlaygroundDesk({ sources }: { readonly sources: PlaygroundSources }): ReactNode {
  const playground = usePlayground(sources)
  const { choices, sides, change } = playground
  const bench = useBench(playground)
  const query = useSearch()
  // An address names its sides once; then they are the person's to change.
  const take = useEffectEvent((search: string) => {
    const wanted = new URLSearchParams(search)
    const [left, right] = [wanted.get('left') ?? '', wanted.get('right') ?? '']
    if (left === '' && right === '') return
    change({
      ...(readSource(left) === null ? {} : { left }),
      ...(readSource(right) === null ? {} : { right }),
      open: left !== '' && right !== '' ? 'both' : choices.open === 'both' ? 'both' : left === '' ? 'right' : 'left',
    })
    goTo('/playground', { replace: true })
  })
  useEffect(() => take(query), [query])
  useCommands([
    {
      id: 'playground.shade',
      title: choices.shaded ? 'Show plain text' : 'Shade tokens by log-prob',
      group: 'Playground',
      keys: ['p'],
      run: () => change({ shaded: !choices.shaded }),
    },
    {
      id: 'playground.sides',
      title: sides.length === 1 ? 'Open the second side' : 'Close the right side',
      group: 'Playground',
      keys: ['2'],
      run: () => change({ open: sides.length === 1 ? 'both' : 'left' }),
    },
    {
      id: 'playground.keep',
      title: sides.length === 2 ? 'Put the two answers on the bench as a pair' : 'Put the answer on the bench',
      group: 'Playground',
      keys: ['mod+b'],
      everywhere: true,
      disabled: !bench.ready,
      run: bench.keep,
    },
  ])
  return (
    <div className="page-split">
      <div className="pg-work">
        <div className="pg-tools">
          <h1>Playground</h1>
          <Segmented
            title="Mode"
            small
            value={choices.mode}
            choices={[
              { value: 'chat', label: 'chat' },
              { value: 'complete', label: 'complete' },
            ]}
            onChange={(mode) => change({ mode })}
          />
          <label className="check">
            <input
              type="checkbox"
              checked={choices.shaded}
              aria-keyshortcuts="p"
              onChange={(event) => change({ shaded: event.currentTarget.checked })}
            />
            log-probs
          </label>
          <span className="grow" />
          <Button
            small
            icon={Tags}
            keys="mod+b"
            disabled={!bench.ready}
            title={
              !bench.ready
                ? 'Once the open sides have written'
                : bench.bench === undefined
                  ? 'Where to is asked once'
                  : `Into ${bench.bench.name}`
            }
            onClick={bench.keep}
          >
            {sides.length === 2 ? 'Pair to the bench' : 'Answer to the bench'}
          </Button>
          {sides.length === 2 ? null : (
            <Button small icon={Columns2} keys="2" onClick={() => change({ open: 'both' })}>
              Second side
            </Button>
          )}
          <Button
            small
            icon={Eraser}
            disabled={playground.busy || playground.turns.length === 0}
            onClick={playground.clear}
          >
            Clear
          </Button>
        </div>
        <div className="pg-sides" data-sides={sides.length}>
          {sides.map((side) => (
            <SideColumn key={side} side={side} playground={playground} />
          ))}
        </div>
        <Composer playground={playground} />
      </div>
      <SidePanel id="playground" label="Conversation and sampling" width={300}>
        <SamplingPanel playground={playground} />
        <BenchSection bench={bench} />
      </SidePanel>
      {bench.asking ? (
        <KeepDialog kind={bench.kind} benches={bench.benches} onChoose={bench.choose} onClose={bench.close} />
      ) : null}
    </div>
  )
}
