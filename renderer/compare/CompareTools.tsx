import { useState, type ReactNode } from 'react'
import { Columns3, Download, ListChecks, MessagesSquare, Swords } from 'lucide-react'
import { useCall } from '../api/queries.ts'
import { goTo } from '../frame/location.ts'
import type { ChartModel } from '../charts/chart-model.ts'
import { useZoom } from '../charts/chart-link.ts'
import { Button } from '../parts/Button.tsx'
import { Dialog } from '../parts/Dialog.tsx'
import { MenuButton } from '../parts/MenuButton.tsx'
import { writerName } from '../playground/playground-state.ts'
import { Segmented } from '../parts/Segmented.tsx'
import { describeMetric, lowerFirst } from '../../shared/metric-names.ts'
import { divergences, sortMetrics, type IntervalKind } from './compare-charts.ts'
import { VersusDialog } from '../matches/VersusDialog.tsx'
import type { PlaygroundSources } from '../../shared/contract/playground.ts'
import { AddBaseline } from './AddBaseline.tsx'
import { exportMenu } from './export-menu.ts'
import type { CompareState, GroupBy } from './use-compare.ts'

const GROUPINGS = [
  { value: 'configuration', label: 'configuration' },
  { value: 'method', label: 'method' },
  { value: 'none', label: 'none' },
] as const satisfies readonly { value: GroupBy; label: string }[]

const INTERVALS = [
  { value: 't', label: '95 % t' },
  { value: 'bootstrap', label: 'bootstrap' },
  { value: 'sd', label: 's.d.' },
  { value: 'none', label: 'none' },
] as const satisfies readonly { value: IntervalKind; label: string }[]

export function CompareTools({
  state,
  model,
  onChooseRuns,
}: {
  readonly state: CompareState
  readonly model: ChartModel
  onChooseRuns(): void
}): ReactNode {
  const zoom = useZoom()
  const [picking, setPicking] = useState(false)
  const finished = state.runs.filter((run) => run.state === 'finished').length
  const configurations = state.comparison?.groups.length ?? 0
  return (
    <div className="compare-tools">
      <h1>Compare</h1>
      <Button small icon={ListChecks} title="Choose the runs" onClick={onChooseRuns}>
        {state.runs.length === 1 ? '1 run' : `${state.runs.length} runs`}
      </Button>
      <span className="compare-count text-3">
        <i />
        <span>
          {finished < state.runs.length ? `${finished} finished, ` : ''}
          {configurations} {configurations === 1 ? 'group' : 'groups'}
        </span>
      </span>
      <span className="compare-pair">
        <span>Group by</span>
        <Segmented
          title="Group by"
          small
          value={state.groupBy}
          choices={GROUPINGS}
          onChange={(groupBy) => state.change({ groupBy, baseline: null, hidden: new Set() })}
        />
      </span>
      <span className="compare-pair">
        <span>Interval</span>
        <Segmented
          title="Interval"
          small
          value={state.interval}
          choices={INTERVALS}
          onChange={(interval) => state.change({ interval })}
        />
      </span>
      <AddBaseline state={state} />
      <WriteWith state={state} />
      <Versus state={state} />
      <Button
        small
        icon={Columns3}
        aria-label="Choose the columns"
        title="Choose the columns"
        onClick={() => setPicking(true)}
      />
      <MenuButton
        small
        icon={Download}
        label="Export"
        text="Export"
        keys="x"
        command={{ id: 'compare.export', title: 'Export', group: 'Compare' }}
        items={exportMenu(state, model, zoom)}
      />
      {picking ? <ColumnPicker state={state} onClose={() => setPicking(false)} /> : null}
    </div>
  )
}

type Writer = PlaygroundSources['runs'][number]

/** Two of the runs that write, of different groups where there are some. */
function useWriters({ runs }: CompareState): {
  readonly sources: PlaygroundSources | undefined
  readonly first: Writer | undefined
  readonly second: Writer | undefined
} {
  const sources = useCall('playground.sources', {}).data
  const writers = runs.flatMap((run) => sources?.runs.filter((one) => one.runId === run.runId) ?? [])
  const [first] = writers
  return { sources, first, second: writers.find((one) => one.groupHash !== first?.groupHash) ?? writers[1] }
}

/** One of the runs against another, on the prompts that were held out. */
function Versus({ state }: { readonly state: CompareState }): ReactNode {
  const [open, setOpen] = useState(false)
  const { sources, first, second } = useWriters(state)
  if (sources === undefined || first === undefined) return null
  return (
    <>
      <Button
        small
        icon={Swords}
        title="Play one against the other on held-out prompts, with a judge"
        onClick={() => setOpen(true)}
      >
        Versus
      </Button>
      {open ? (
        <VersusDialog
          first={writerName(first)}
          second={second === undefined ? 'data:chosen' : writerName(second)}
          sources={sources}
          runs={state.runs}
          onClose={() => setOpen(false)}
        />
      ) : null}
    </>
  )
}

/** Both side by side in the Playground. */
function WriteWith({ state }: { readonly state: CompareState }): ReactNode {
  const { first, second } = useWriters(state)
  if (first === undefined) return null
  const title =
    second === undefined
      ? `Write with ${first.name} in the Playground`
      : `Write with ${first.name} s${first.seed} and ${second.name} s${second.seed} in the Playground`
  return (
    <Button
      small
      icon={MessagesSquare}
      aria-label={title}
      title={title}
      onClick={() =>
        goTo(`/playground?left=${writerName(first)}${second === undefined ? '' : `&right=${writerName(second)}`}`)
      }
    />
  )
}

function ColumnPicker({ state, onClose }: { readonly state: CompareState; onClose(): void }): ReactNode {
  const names = sortMetrics(state.comparison?.metricNames ?? []).filter((name) => name !== state.metric)
  const toggle = (name: string): void =>
    state.setColumns(
      state.columns.includes(name) ? state.columns.filter((one) => one !== name) : [...state.columns, name],
    )
  return (
    <Dialog title="Columns of the table" onClose={onClose}>
      <ul className="column-list">
        {names.map((name) => (
          <li key={name}>
            <label className="check">
              <input type="checkbox" checked={state.columns.includes(name)} onChange={() => toggle(name)} />
              {describeMetric(name, state.infos).label}
              <span className="mono small text-3">{name}</span>
            </label>
          </li>
        ))}
      </ul>
      {names.length === 0 ? <p className="text-3">These runs report no other metric.</p> : null}
    </Dialog>
  )
}

/** Which quantity, and where on its curve. */
export function MetricTools({
  state,
  logs,
}: {
  readonly state: CompareState
  readonly logs: { readonly xLog: boolean; readonly yLog: boolean; set(next: { xLog: boolean; yLog: boolean }): void }
}): ReactNode {
  const names = sortMetrics([...new Set([state.metric, ...(state.comparison?.metricNames ?? [])])])
  const lastStep = Math.max(0, ...(state.comparison?.curves ?? []).map((curve) => curve.step.at(-1) ?? 0))
  const kind = typeof state.at === 'number' ? 'step' : state.at
  const measures = divergences(state.comparison?.metricNames ?? [])
  return (
    <div className="metric-tools">
      <select
        className="select select-small"
        aria-label="Metric"
        value={state.metric}
        onChange={(event) => state.change({ metric: event.currentTarget.value })}
      >
        {names.map((name) => (
          <option key={name} value={name}>
            {describeMetric(name, state.infos).label}
          </option>
        ))}
      </select>
      <Segmented
        title="Value taken"
        small
        value={kind}
        choices={[
          { value: 'best', label: 'best checkpoint' },
          { value: 'last', label: 'last step' },
          { value: 'step', label: 'at step' },
        ]}
        onChange={(next) => state.change({ at: next === 'step' ? lastStep : next })}
      />
      {typeof state.at === 'number' ? <StepInput value={state.at} onChange={(at) => state.change({ at })} /> : null}
      {measures.length === 0 ? null : (
        <select
          className="select select-small"
          aria-label="Drawn against"
          title="What the curves are drawn against"
          value={state.against}
          onChange={(event) => state.change({ against: event.currentTarget.value })}
        >
          <option value="">against steps</option>
          {measures.map((name) => (
            <option key={name} value={name}>
              against {lowerFirst(describeMetric(name, state.infos).label)}
            </option>
          ))}
        </select>
      )}
      <label className="check small">
        <input
          type="checkbox"
          checked={logs.xLog}
          onChange={(event) => logs.set({ ...logs, xLog: event.currentTarget.checked })}
        />
        log x
      </label>
      <label className="check small">
        <input
          type="checkbox"
          checked={logs.yLog}
          onChange={(event) => logs.set({ ...logs, yLog: event.currentTarget.checked })}
        />
        log y
      </label>
    </div>
  )
}

function StepInput({ value, onChange }: { readonly value: number; onChange(step: number): void }): ReactNode {
  return (
    <input
      className="input input-small mono step-input"
      type="number"
      min={0}
      step={1}
      aria-label="Step"
      value={value}
      onChange={(event) => onChange(Math.max(0, Math.round(Number(event.currentTarget.value) || 0)))}
    />
  )
}
