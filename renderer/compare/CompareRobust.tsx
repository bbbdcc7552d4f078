import type { ReactNode } from 'react'
import type { Comparison } from '../../shared/contract/comparisons.ts'
import { formatNumber } from '../../shared/units.ts'
import { LineSwatch } from '../charts/ChartOverlay.tsx'
import { ticks, tickText } from '../charts/chart-model.ts'
import { useWidth } from '../charts/use-width.ts'
import { Section } from '../parts/Panel.tsx'
import { lookOf } from './compare-charts.ts'
import type { CompareState } from './use-compare.ts'

type Robust = NonNullable<Comparison['robust']>

/** Of policies that act: interquartile means, the probability of improvement, and how scores are spread. */
export function CompareRobust({ state }: { readonly state: CompareState }): ReactNode {
  const [box, width] = useWidth<HTMLDivElement>()
  const robust = state.comparison?.robust ?? null
  if (robust === null || robust.groups.length === 0) return null
  const labelOf = (hash: string): string => state.comparison?.groups.find((one) => one.groupHash === hash)?.label ?? ''
  return (
    <Section title="Robust to lucky runs" note="95 % bootstrap over seeds">
      <div className="compare-items">
        <table className="table items-table robust-table">
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
        <div ref={box}>{width > 0 ? <Profiles robust={robust} state={state} width={width} /> : null}</div>
      </div>
    </Section>
  )
}

function boundsText({ low, high }: { readonly low: number | null; readonly high: number | null }): string | undefined {
  return low === null || high === null ? undefined : `${formatNumber(low)} to ${formatNumber(high)}`
}

const HEIGHT = 150
const LEFT = 34
const BOTTOM = 18

/** The higher a line, the better; the wider apart two lines are, the surer. */
function Profiles({
  robust,
  state,
  width,
}: {
  readonly robust: Robust
  readonly state: CompareState
  readonly width: number
}): ReactNode {
  const { thresholds } = robust
  const [low, high] = [thresholds[0] ?? 0, thresholds.at(-1) ?? 1]
  const x = (value: number): number => LEFT + ((value - low) / (high - low || 1)) * (width - LEFT - 4)
  const y = (share: number): number => 4 + (1 - share) * (HEIGHT - BOTTOM - 4)
  const line = (shares: readonly number[]): string =>
    shares.map((share, at) => `${at === 0 ? 'M' : 'L'}${x(thresholds[at]!).toFixed(1)} ${y(share).toFixed(1)}`).join('')
  const band = (from: readonly number[], to: readonly number[]): string =>
    `${line(to)}${from
      .map((share, at) => `L${x(thresholds[at]!).toFixed(1)} ${y(share).toFixed(1)}`)
      .toReversed()
      .join('')}Z`
  return (
    <svg className="interval-plot" width={width} height={HEIGHT}>
      <title>Performance profiles</title>
      {[0, 0.5, 1].map((share) => (
        <g key={share}>
          <line x1={LEFT} x2={width} y1={y(share)} y2={y(share)} style={{ stroke: 'var(--grid)' }} />
          <text className="tick" x={LEFT - 5} y={y(share) + (share === 1 ? 8 : 4)} textAnchor="end">
            {share}
          </text>
        </g>
      ))}
      {ticks([low, high], 4, false).map((value) => (
        <text key={value} className="tick" x={x(value)} y={HEIGHT - 4} textAnchor="middle">
          {tickText(value)}
        </text>
      ))}
      {robust.groups
        .filter(({ groupHash }) => !state.hidden.has(groupHash))
        .map((group) => {
          const { colour, dash } = lookOf(state.looks, group.groupHash)
          return (
            <g key={group.groupHash}>
              <path d={band(group.low, group.high)} style={{ fill: `var(${colour})`, fillOpacity: 0.14 }} />
              <path
                d={line(group.share)}
                fill="none"
                strokeWidth={1.8}
                strokeDasharray={dash.join(' ')}
                style={{ stroke: `var(${colour})` }}
              />
            </g>
          )
        })}
    </svg>
  )
}
