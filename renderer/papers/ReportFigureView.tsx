import { useMemo, type ReactNode } from 'react'
import type { ReportFigure } from '../../shared/contract/papers.ts'
import { IntervalPlot } from '../charts/IntervalPlot.tsx'
import { LineChart } from '../charts/LineChart.tsx'
import { useWidth } from '../charts/use-width.ts'
import type { ChartModel } from '../charts/chart-model.ts'
import { formatNumber } from '../../shared/units.ts'
import { LineSwatch } from '../charts/ChartOverlay.tsx'
import { Panel } from '../parts/Panel.tsx'

const COLOURS = ['--r1', '--r2', '--r3', '--r4', '--r5', '--r6', '--r7'] as const
const DASHES: readonly (readonly number[])[] = [[], [5, 3], [1.5, 2.5], [9, 4], [7, 2, 1.5, 2]]

function lookAt(index: number): { readonly colour: string; readonly dash: readonly number[] } {
  return { colour: COLOURS[index % COLOURS.length] ?? '--r1', dash: DASHES[index % DASHES.length] ?? [] }
}

export function ReportFigureView({ figure }: { readonly figure: ReportFigure }): ReactNode {
  switch (figure.kind) {
    case 'curves':
      return <Curves figure={figure} />
    case 'paired':
      return (
        <Panel title={figure.title} note={`${figure.items.length} queries`}>
          <Paired figure={figure} />
        </Panel>
      )
    case 'differences':
      return (
        <Panel title={figure.title} note={`${figure.metric}, less that of “${figure.from}”`}>
          <Differences figure={figure} />
        </Panel>
      )
    case 'simplex':
      return (
        <Panel title={figure.title}>
          <PathsOnSimplex figure={figure} />
        </Panel>
      )
    case 'texts':
      return <Texts figure={figure} />
  }
}

function Curves({ figure }: { readonly figure: Extract<ReportFigure, { kind: 'curves' }> }): ReactNode {
  const model = useMemo(
    (): ChartModel => ({
      title: figure.title,
      note: figure.y,
      xTitle: figure.x,
      yTitle: figure.y,
      xLog: false,
      yLog: false,
      series: figure.series.map(({ name, x, mean, low, high, n }, at) => ({
        key: name,
        label: name,
        ...lookAt(at),
        x,
        y: mean,
        n,
        dots: x.length < 20,
        ...(low === null || high === null ? {} : { band: { low, high } }),
      })),
      references: [],
      bandName: figure.series.some((one) => one.low !== null) ? '95 % interval over seeds' : null,
    }),
    [figure],
  )
  return (
    <Panel title={figure.title} note={figure.y}>
      <div className="figure-chart">
        <LineChart model={model} legend={false} tooltip />
      </div>
      <div className="row wrap gap-3 small">
        {model.series.map((line) => (
          <span key={line.key} className="row gap-1">
            <LineSwatch colour={line.colour} dash={line.dash} />
            {line.label}
          </span>
        ))}
        {model.bandName === null ? null : (
          <span className="text-3">
            bands: {model.bandName}, n = {figure.series[0]?.n}
          </span>
        )}
      </div>
    </Panel>
  )
}

const SIDE = 300
const PAD = 40

/** Each query is a dot: before across, after up; above the diagonal it gained. */
function Paired({
  figure: { items, from, to, metric, title },
}: {
  readonly figure: Extract<ReportFigure, { kind: 'paired' }>
}): ReactNode {
  const values = items.flatMap((item) => [item.before, item.after])
  const low = Math.min(0, ...values)
  const high = Math.max(1e-9, ...values)
  const at = (value: number): number => ((value - low) / (high - low)) * SIDE
  const gained = items.filter((item) => item.after > item.before).length
  const lost = items.filter((item) => item.after < item.before).length
  return (
    <div className="col gap-1">
      <svg
        viewBox={`0 0 ${SIDE + 2 * PAD} ${SIDE + 2 * PAD}`}
        className="paired"
        role="img"
        aria-label={`${title}: ${metric} of each query, ${from} across and ${to} up`}
      >
        <g transform={`translate(${PAD} ${PAD / 2})`}>
          <rect width={SIDE} height={SIDE} className="paired-box" />
          <line x1={0} y1={SIDE} x2={SIDE} y2={0} className="paired-equal" />
          {items.map((item) => (
            <circle
              key={item.id}
              cx={at(item.before)}
              cy={SIDE - at(item.after)}
              r={4}
              data-change={item.after > item.before ? 'up' : item.after < item.before ? 'down' : 'none'}
            >
              <title>{`${item.id}: ${formatNumber(item.before)} → ${formatNumber(item.after)}`}</title>
            </circle>
          ))}
          <text x={SIDE / 2} y={SIDE + 28} textAnchor="middle">
            {metric}, {from}
          </text>
          <text x={-SIDE / 2} y={-14} textAnchor="middle" transform="rotate(-90)">
            {metric}, {to}
          </text>
          {[low, high].map((value) => (
            <text key={value} x={at(value)} y={SIDE + 14} textAnchor="middle">
              {formatNumber(value, 2)}
            </text>
          ))}
        </g>
      </svg>
      <p className="small text-2">
        {gained} gained, {lost} lost, {items.length - gained - lost} as before.
      </p>
    </div>
  )
}

/** Each setting's difference from the usual one, with its interval. */
function Differences({ figure }: { readonly figure: Extract<ReportFigure, { kind: 'differences' }> }): ReactNode {
  const [ref, width] = useWidth<HTMLDivElement>()
  if (figure.rows.length === 0) return <p className="small text-2">None ended.</p>
  return (
    <div ref={ref}>
      {width === 0 ? null : (
        <IntervalPlot
          rows={figure.rows.map((row) => ({ ...row, key: row.name, label: row.name, colour: '--r1' as const }))}
          width={width}
          goal={figure.goal}
          label={`${figure.title}: ${figure.metric} less that of “${figure.from}”, 95 % intervals`}
        />
      )}
    </div>
  )
}

const EDGE = 320
const SIDE_PAD = 60

function placeOf([one = 0, two = 0]: readonly number[]): readonly [number, number] {
  return [SIDE_PAD + (one + two / 2) * EDGE, 24 + (1 - two) * EDGE * 0.866]
}

function PathsOnSimplex({
  figure: { arms, optimum, paths, title },
}: {
  readonly figure: Extract<ReportFigure, { kind: 'simplex' }>
}): ReactNode {
  const corners = [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ].map(placeOf)
  const [bestX, bestY] = placeOf(optimum)
  return (
    <div className="col gap-1">
      <svg
        viewBox={`0 0 ${EDGE + 2 * SIDE_PAD} ${EDGE * 0.866 + 56}`}
        className="simplex"
        role="img"
        aria-label={title}
      >
        <polygon points={corners.map((corner) => corner.join(',')).join(' ')} className="simplex-edge" />
        {corners.map(([x, y], arm) => (
          <text key={arms[arm] ?? arm} x={x} y={arm === 1 ? y - 8 : y + 18} textAnchor="middle">
            {arms[arm]}
          </text>
        ))}
        {paths.map((path, no) => {
          const { colour, dash } = lookAt(no)
          const [x, y] = placeOf(path.points.at(-1) ?? [])
          return (
            <g key={path.name} style={{ stroke: `var(${colour})` }}>
              <polyline
                points={path.points.map((point) => placeOf(point).join(',')).join(' ')}
                className="simplex-path"
                strokeDasharray={dash.join(' ')}
              />
              <circle cx={x} cy={y} r="4.5" style={{ fill: `var(${colour})` }} className="simplex-end">
                <title>{path.name}</title>
              </circle>
            </g>
          )
        })}
        <path d={`M${bestX - 6} ${bestY} h12 M${bestX} ${bestY - 6} v12`} className="simplex-best">
          <title>best policy π*</title>
        </path>
      </svg>
      <div className="row wrap small">
        {paths.map((path, no) => (
          <span key={path.name} className="row gap-1">
            <LineSwatch {...lookAt(no)} />
            {path.name}
          </span>
        ))}
        <span className="text-3">+ best policy π*</span>
      </div>
    </div>
  )
}

function Texts({ figure }: { readonly figure: Extract<ReportFigure, { kind: 'texts' }> }): ReactNode {
  return (
    <Panel title={figure.title} className="figure-wide">
      <div className="col gap-3">
        {figure.items.map((item) => (
          <div key={item.name} className="before-after">
            <p className="bold small">{item.name}</p>
            <div>
              <span className="small text-3">before</span>
              <p className="sample-text">{item.before}</p>
            </div>
            <div>
              <span className="small text-3">after</span>
              <p className="sample-text">{item.after}</p>
            </div>
            {item.note === '' ? null : <p className="small text-2 mono">{item.note}</p>}
          </div>
        ))}
      </div>
    </Panel>
  )
}
