import type { ReactNode } from 'react'
import type { RunSummary } from '../../shared/contract/runs.ts'
import { describeMetric } from '../../shared/metric-names.ts'
import { formatNumber } from '../../shared/units.ts'
import { useCall } from '../api/queries.ts'

/** What is shown of a run's main metric; says, where one points at it, which that is, and its best where there is one. */
export function MainMetric({ run, children }: { readonly run: RunSummary; readonly children: ReactNode }): ReactNode {
  const methods = useCall('algorithms.list', {}).data
  const infos = methods?.find((one) => one.id === run.method)?.metrics ?? []
  const words = run.mainMetric === null ? undefined : describeMetric(run.mainMetric, infos).label
  const best = run.best === null ? '' : `; best ${formatNumber(run.best.value)} at step ${run.best.step}`
  return <span title={words === undefined ? undefined : `${words}${best}`}>{children}</span>
}
