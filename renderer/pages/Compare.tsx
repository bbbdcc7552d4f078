import { useEffect, useMemo, useState, type ReactNode } from 'react'
import { ChartNoAxesCombined } from 'lucide-react'
import { useSearch } from 'wouter'
import type { Output } from '../../shared/contract.ts'
import type { RunSummary } from '../../shared/contract/runs.ts'
import { useCall } from '../api/queries.ts'
import { ChartLinkContext, createChartLink } from '../charts/chart-link.ts'
import { LineSwatch } from '../charts/ChartOverlay.tsx'
import { LineChart } from '../charts/LineChart.tsx'
import { INTERVAL_NAMES, overlayModel } from '../compare/compare-charts.ts'
import { CompareSamples } from '../compare/CompareSamples.tsx'
import { CompareSide } from '../compare/CompareSide.tsx'
import { CompareTable } from '../compare/CompareTable.tsx'
import { CompareTools, MetricTools } from '../compare/CompareTools.tsx'
import { RunChooser } from '../compare/RunChooser.tsx'
import { describeMetric, lowerFirst } from '../../shared/metric-names.ts'
import { useCompare } from '../compare/use-compare.ts'
import { useCrumbs } from '../frame/crumbs.tsx'
import { goTo } from '../frame/location.ts'
import { Dialog } from '../parts/Dialog.tsx'
import { SidePanel } from '../parts/SidePanel.tsx'
import { EmptyState, ErrorNotice, Loading } from '../parts/states.tsx'
import '../run/run.css'
import '../compare/compare.css'

function show(runIds: readonly string[]): void {
  goTo(`/compare?runs=${runIds.join(',')}`)
}

export function Compare(): ReactNode {
  const wanted = (new URLSearchParams(useSearch()).get('runs') ?? '').split(',').filter((id) => id !== '')
  const list = useCall('runs.list', {})
  const algorithms = useCall('algorithms.list', {})
  const error = list.error ?? algorithms.error
  const chosen = (list.data ?? []).filter((run) => wanted.includes(run.runId))
  useCrumbs([
    { label: 'Compare' },
    ...(chosen.length === 0
      ? [{ label: 'Choose runs' }]
      : [{ label: chosen.length === 1 ? '1 run' : `${chosen.length} runs` }]),
  ])
  if (error !== null)
    return (
      <div className="page">
        <ErrorNotice error={error} onRetry={() => void Promise.all([list.refetch(), algorithms.refetch()])} />
      </div>
    )
  if (list.data === undefined || algorithms.data === undefined) return <Loading what="Reading the runs" />
  if (list.data.length === 0)
    return (
      <EmptyState
        page
        icon={ChartNoAxesCombined}
        title="There is nothing to compare yet"
        text="Start several seeds of a method; with three or more, Pairlab can say what a difference means."
        action={
          <a className="btn btn-primary" href="#/train">
            Start runs
          </a>
        }
      />
    )
  if (chosen.length === 0) {
    return (
      <div className="page">
        <header className="page-head">
          <div className="grow">
            <h1>Compare</h1>
            <p className="text-2">
              {wanted.length === 0
                ? 'Choose the runs. Those that differ only in their seed become one row.'
                : 'The runs of this address are not here any more. Choose others.'}
            </p>
          </div>
        </header>
        <RunChooser runs={list.data} initial={[]} onCompare={show} />
      </div>
    )
  }
  return <CompareView all={list.data} runs={chosen} algorithms={algorithms.data} />
}

function CompareView({
  all,
  runs,
  algorithms,
}: {
  readonly all: readonly RunSummary[]
  readonly runs: readonly RunSummary[]
  readonly algorithms: Output<'algorithms.list'>
}): ReactNode {
  const state = useCompare(runs, algorithms)
  // A policy that acts writes nothing: there is no sample to come.
  const writes = runs.some((run) => algorithms.find((one) => one.id === run.method)?.data !== 'segment-pairs')
  const [link] = useState(createChartLink)
  const [choosing, setChoosing] = useState(false)
  const [logs, setLogs] = useState({ xLog: false, yLog: false })
  const { comparison, infos, interval, looks, hidden, against, abscissa } = state
  useEffect(() => link.setZoom(null), [link, against]) // a stretch of steps is none of a divergence
  const model = useMemo(() => {
    const info = describeMetric(comparison?.curveMetric ?? '', infos)
    const other = abscissa === null ? null : { info: describeMetric(against, infos), curves: abscissa }
    return overlayModel(comparison ?? EMPTY, { info, interval, looks, hidden, against: other, ...logs })
  }, [comparison, infos, interval, looks, hidden, against, abscissa, logs])
  return (
    <ChartLinkContext value={link}>
      <div className="page-split">
        <div className="compare-work">
          <CompareTools state={state} model={model} onChooseRuns={() => setChoosing(true)} />
          {state.error === null ? null : (
            <div className="run-trouble">
              <ErrorNotice error={state.error} />
            </div>
          )}
          {comparison === undefined && state.error === null ? <Loading what="Comparing" /> : null}
          {comparison === undefined ? null : (
            <>
              <CompareTable state={state} />
              <section className="compare-overlay" aria-label="Curves">
                <div className="compare-overlay-head">
                  <MetricTools state={state} logs={{ ...logs, set: setLogs }} />
                  <span className="grow" />
                  <OverlayLegend
                    model={model}
                    curves={comparison.curveMetric === comparison.metric ? null : model.title}
                    total={comparison.curves.length}
                    bandName={INTERVAL_NAMES[interval]}
                  />
                </div>
                {model.series.length === 0 ? (
                  <p className="run-empty">
                    {comparison.curves.length === 0
                      ? 'No run has a value of this metric yet.'
                      : 'Every configuration is hidden: turn an eye on above.'}
                  </p>
                ) : (
                  <LineChart model={model} tooltip legend={false} />
                )}
              </section>
              {writes ? <CompareSamples state={state} /> : null}
            </>
          )}
        </div>
        <SidePanel id="compare" label="Conclusions, differences and settings" width={400}>
          <CompareSide state={state} />
        </SidePanel>
        {choosing ? (
          <Dialog title="Runs to compare" width={920} onClose={() => setChoosing(false)}>
            <RunChooser
              runs={all}
              initial={runs.map((run) => run.runId)}
              onCompare={(ids) => {
                setChoosing(false)
                show(ids)
              }}
            />
          </Dialog>
        ) : null}
      </div>
    </ChartLinkContext>
  )
}

const EMPTY: Output<'comparisons.get'> = {
  metric: '',
  curveMetric: '',
  metricNames: [],
  groups: [],
  curves: [],
  differences: [],
  robust: null,
  diff: [],
  sameSettings: 0,
  conclusions: [],
  warnings: [],
}

const LEGEND_AT_MOST = 6

function OverlayLegend({
  model,
  curves,
  total,
  bandName,
}: {
  readonly model: ReturnType<typeof overlayModel>
  /** What is drawn, where it is not what the table shows. */
  readonly curves: string | null
  readonly total: number
  readonly bandName: string | null
}): ReactNode {
  const shown = model.series.slice(0, LEGEND_AT_MOST)
  return (
    <div className="overlay-legend">
      {curves === null ? null : <span className="text-3">curves: {lowerFirst(curves)};</span>}
      {model.bandName === null ? null : <span className="text-3">band: {bandName}</span>}
      {shown.map((line) => (
        <span key={line.key} className="row">
          <LineSwatch colour={line.colour} dash={line.dash} />
          <span className="mono ellipsis" title={line.label}>
            {line.label}
          </span>{' '}
          n = {line.n}
        </span>
      ))}
      {total > shown.length ? (
        <span className="text-3">
          {shown.length} of {total}
        </span>
      ) : null}
    </div>
  )
}
