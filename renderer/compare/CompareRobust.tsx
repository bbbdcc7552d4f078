import { useState, type ReactNode } from 'react'
import type { Comparison } from '../../shared/contract/comparisons.ts'
import { formatNumber } from '../../shared/units.ts'
import { LineSwatch } from '../charts/ChartOverlay.tsx'
import { ChartLinkContext, createChartLink } from '../charts/chart-link.ts'
import type { ChartModel } from '../charts/chart-model.ts'
import { LineChart } from '../charts/LineChart.tsx'
import { Section } from '../parts/Panel.tsx'
import { lookOf } from './compare-charts.ts'
import './compare-items.css'
import type { CompareState } from './use-compare.ts'

type Robust = NonNullable<Comparison['robust']>

/** Of policies that act: interquartile means, the probability of improvement, and how scores are spread. */
export function CompareRobust({ state }: { readonly state: CompareState }): ReactNode {
  const [link] = useState(createChartLink) // its x is no step: it is not zoomed with the curves
  const robust = state.comparison?.robust ?? null
  if (robust === null || robust.groups.length === 0) return null
  const labelOf = (hash: string): string => state.comparison?.groups.find((one) => one.groupHash === hash)?.label ?? ''
  return (
    <Section title="Robust to lucky runs" note="95 % bootstrap over seeds">
      <div className="compare-items">
        <table className="table items-table robust-table" aria-label="Robust to lucky runs">
          <thead>
            <tr>
              <th scope="col">Configuration</th>
              <th scope="col" className="num" title="Mean of the middle half of the seeds">
                IQM
              </th>
              <th scope="col" className="num" title="That a run of it is above a run of the baseline">
                P(above)
              </th>
            </tr>
          </thead>
          <tbody>
            {robust.groups.map(({ groupHash, iqm }) => {
              const found = robust.improvements.find((one) => one.groupHash === groupHash)
              return (
                <tr key={groupHash}>
                  <td className="ellipsis">
                    <LineSwatch {...lookOf(state.looks, groupHash)} />{' '}
                    <span className="mono">{labelOf(groupHash)}</span>
                  </td>
                  <td className="num" title={boundsText(iqm)}>
                    {formatNumber(iqm.mean)}
                  </td>
                  <td className="num" title={found === undefined ? undefined : boundsText(found)}>
                    {found === undefined ? 'baseline' : found.probability.toFixed(2)}
                  </td>
                </tr>
              )
            })}
          </tbody>
        </table>
        <p className="small text-3">
          Share of {robust.of} above a {state.info.label.toLowerCase()}, with its band over seeds
        </p>
        <ChartLinkContext value={link}>
          <div className="robust-chart">
            <LineChart model={profilesOf(robust, state, labelOf)} tooltip legend={false} />
          </div>
        </ChartLinkContext>
      </div>
    </Section>
  )
}

function boundsText({ low, high }: { readonly low: number | null; readonly high: number | null }): string | undefined {
  return low === null || high === null ? undefined : `${formatNumber(low)} to ${formatNumber(high)}`
}

/** The higher a line, the better; the wider apart two lines are, the surer. */
function profilesOf(
  { thresholds, groups }: Robust,
  state: CompareState,
  labelOf: (hash: string) => string,
): ChartModel {
  return {
    title: 'Performance profiles',
    note: '',
    xTitle: state.info.label.toLowerCase(),
    yTitle: 'share above it',
    xLog: false,
    yLog: false,
    series: groups
      .filter(({ groupHash }) => !state.hidden.has(groupHash))
      .map(({ groupHash, share, low, high }) => ({
        key: groupHash,
        label: labelOf(groupHash),
        x: thresholds,
        y: share,
        ...lookOf(state.looks, groupHash),
        width: 2,
        band: { low, high },
      })),
    references: [],
    bandName: '95 % bootstrap',
  }
}
