import { useMemo, useState } from 'react'
import type { Input, Output } from '../../shared/contract.ts'
import type { RunSummary } from '../../shared/contract/runs.ts'
import type { ComparePoint } from '../../shared/compare-point.ts'
import type { Comparison } from '../../shared/contract/comparisons.ts'
import { isLive, type MetricInfo } from '../../shared/domain.ts'
import type { AppError } from '../../shared/errors.ts'
import { useCall } from '../api/queries.ts'
import { useViewState } from '../api/settings.ts'
import { runColourToken, groupDash } from '../parts/run-colour.ts'
import { describeMetric } from '../../shared/metric-names.ts'
import { defaultColumns, type IntervalKind } from './compare-charts.ts'
import { lookOfGroups, type Look } from './group-looks.ts'

export type GroupBy = 'configuration' | 'method' | 'none'

export interface CompareView {
  readonly interval: IntervalKind
  readonly groupBy: GroupBy
  readonly at: ComparePoint
  readonly metric: string
  readonly baseline: string | null
  /** A difference below it does not matter. */
  readonly margin: number | null
  readonly hidden: ReadonlySet<string>
  /** What the curves are drawn against; '': steps. */
  readonly against: string
}

export interface CompareState extends CompareView {
  readonly runs: readonly RunSummary[]
  readonly infos: readonly MetricInfo[]
  readonly info: MetricInfo
  readonly comparison: Comparison | undefined
  /** Curves of what they are drawn against. */
  readonly abscissa: Comparison['curves'] | null
  readonly error: AppError | null
  readonly input: Input<'comparisons.get'>
  readonly looks: ReadonlyMap<string, Look>
  readonly columns: readonly string[]
  change(change: Partial<CompareView>): void
  setColumns(columns: readonly string[]): void
}

const WHILE_LIVE_MS = 4000

function looksOf(comparison: Comparison | undefined, groupBy: GroupBy): ReadonlyMap<string, Look> {
  const groups = comparison?.groups ?? []
  if (groupBy !== 'none') return lookOfGroups(groups.map((group) => group.groupHash))
  // Single runs keep the colour they have everywhere.
  return new Map(
    groups.map((group) => [
      group.groupHash,
      { colour: runColourToken(group.runIds[0] ?? group.groupHash), dash: groupDash(group.groupHash) },
    ]),
  )
}

/** All of the Compare page's state but the chosen runs, which are in the address. */
export function useCompare(runs: readonly RunSummary[], algorithms: Output<'algorithms.list'>): CompareState {
  const [view, setView] = useState<Partial<CompareView>>({})
  const [columnText, setColumnText] = useViewState<string>('compare.columns', '')
  const interval = view.interval ?? 't'
  const groupBy = view.groupBy ?? 'configuration'
  const at = view.at ?? 'best'
  const baseline = view.baseline ?? null
  const margin = view.margin ?? null
  const input: Input<'comparisons.get'> = {
    runIds: runs.map((run) => run.runId),
    metric: view.metric ?? '', // the host knows which all of them have
    at,
    interval,
    groupBy,
    baseline,
    margin,
  }
  const { data, error } = useCall('comparisons.get', input, {
    keepPrevious: true,
    ...(runs.some((run) => isLive(run.state)) ? { refetchIntervalMs: WHILE_LIVE_MS } : {}),
  })
  const against = view.against ?? ''
  const other = useCall(
    'comparisons.get',
    { ...input, metric: against },
    { enabled: against !== '', keepPrevious: true },
  ).data
  const infos = useMemo(() => {
    const methods = new Set(runs.map((run) => run.method))
    return algorithms.filter((one) => methods.has(one.id)).flatMap((one) => one.metrics)
  }, [runs, algorithms])
  const metric = view.metric ?? data?.metric ?? ''
  const looks = useMemo(() => looksOf(data, groupBy), [data, groupBy])
  const names = data?.metricNames ?? []
  const columns =
    columnText === '' ? defaultColumns(names, metric) : columnText.split(' ').filter((name) => names.includes(name))
  return {
    interval,
    groupBy,
    at,
    metric,
    baseline,
    margin,
    hidden: view.hidden ?? new Set<string>(),
    against,
    abscissa: against === '' || other?.metric !== against ? null : other.curves,
    runs,
    infos,
    info: describeMetric(metric, infos),
    comparison: data,
    error,
    input,
    looks,
    columns,
    change: (change) => setView((before) => ({ ...before, ...change })),
    setColumns: (next) => setColumnText(next.length === 0 ? '-' : next.join(' ')),
  }
}
