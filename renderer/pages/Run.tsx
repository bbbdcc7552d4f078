import { useDeferredValue, useMemo, useState, type ReactNode } from 'react'
import { useParams } from 'wouter'
import { isLive } from '../../shared/domain.ts'
import type { RunDetail } from '../../shared/contract/runs.ts'
import { useCall } from '../api/queries.ts'
import { ChartLinkContext, createChartLink } from '../charts/chart-link.ts'
import { xRange } from '../charts/chart-model.ts'
import { useCrumbs } from '../frame/crumbs.tsx'
import { runColourToken } from '../parts/run-colour.ts'
import { SidePanel } from '../parts/SidePanel.tsx'
import { ErrorNotice, Loading } from '../parts/states.tsx'
import { judgeHealth } from '../run/health.ts'
import { RunBottom } from '../run/RunBottom.tsx'
import { buildChart, planCharts } from '../run/run-charts.ts'
import { ChartToolbar, RunCharts, type RunChart } from '../run/RunCharts.tsx'
import { RunHead } from '../run/RunHead.tsx'
import { RunSide } from '../run/RunSide.tsx'
import { RunTrouble, RunWaits } from '../run/RunStates.tsx'
import { itemsOf, useRunKind } from '../run/run-kind.ts'
import { useRunSeries } from '../run/use-run-series.ts'
import { useRunView } from '../run/run-view.ts'
import '../run/run.css'

export function Run(): ReactNode {
  const { runId = '' } = useParams<{ runId: string }>()
  const { data, error, refetch } = useCall('runs.get', { runId: runId as never }) // the address bar's id; the host checks it
  useCrumbs([
    { label: 'Runs', href: '/runs' },
    ...(data === undefined ? [] : [{ label: data.datasetName, href: `/data/${data.datasetId}` }]),
    { label: data?.name ?? runId },
  ])
  if (error !== null)
    return (
      <div className="page">
        <ErrorNotice error={error} onRetry={() => void refetch()} />
      </div>
    )
  if (data === undefined) return <Loading what="Reading the run" />
  return <RunView key={data.runId} run={data} />
}

function RunView({ run }: { readonly run: RunDetail }): ReactNode {
  const [link] = useState(createChartLink)
  const view = useRunView()
  const algorithms = useCall('algorithms.list', {}).data
  const infos = useMemo(() => algorithms?.find((one) => one.id === run.method)?.metrics ?? [], [algorithms, run.method])
  const { curves, discarded, loaded, error } = useRunSeries(run.runId, run.discarded.length)
  const smoothing = useDeferredValue(view.smoothing)
  const names = [...curves.keys()].join('\n')
  const plans = useMemo(
    () => planCharts(names === '' ? [] : names.split('\n'), infos, run.mainMetric),
    [names, infos, run.mainMetric],
  )
  const { xAxis, xLog } = view
  const logged = view.yLog.join(' ')
  const { batchSize, samplePrompts } = run.spec.training
  const items = itemsOf(useRunKind(run))
  const charts = useMemo(
    () =>
      plans.map((plan): RunChart => ({
        plan,
        model: buildChart(
          plan,
          curves,
          discarded,
          infos,
          { colour: runColourToken(run.runId), totalSteps: run.totalSteps, batchSize, samplePrompts, items },
          { xAxis, xLog, smoothing, yLog: logged.split(' ').includes(plan.id) },
        ),
      })),
    [
      plans,
      curves,
      discarded,
      infos,
      run.runId,
      run.totalSteps,
      batchSize,
      samplePrompts,
      items,
      xAxis,
      xLog,
      smoothing,
      logged,
    ],
  )
  const live = isLive(run.state)
  const referenceMoves = run.spec.training.referenceSyncEvery > 0
  const health = useMemo(
    () => judgeHealth({ curves, mainMetric: run.mainMetric, infos, totalSteps: run.totalSteps, live, referenceMoves }),
    [curves, run.mainMetric, infos, run.totalSteps, live, referenceMoves],
  )
  return (
    <ChartLinkContext value={link}>
      <div className="page-split">
        <div className="run-work">
          <RunHead run={run} />
          <RunTrouble run={run} />
          <ChartToolbar view={view} range={charts[0] === undefined ? [0, 1] : xRange(charts[0].model)} items={items} />
          {error === null ? null : (
            <div className="run-waits">
              <ErrorNotice error={error} />
            </div>
          )}
          {charts.length > 0 ? (
            <RunCharts name={run.name} charts={charts} view={view} />
          ) : (
            <div className="run-waits">{loaded ? <RunWaits run={run} /> : <Loading what="Reading the curves" />}</div>
          )}
          <RunBottom run={run} />
        </div>
        <SidePanel id="run" label="Health, values and lineage">
          <RunSide run={run} health={health} charts={charts} smoothing={smoothing} infos={infos} />
        </SidePanel>
      </div>
    </ChartLinkContext>
  )
}
