import type { ReactNode } from 'react'
import './charts.css'
import { formatNumber } from '../../shared/units.ts'
import { ticks, tickText, type Range } from './chart-model.ts'
import { intervalRange, reachesZero, type IntervalRow } from './interval-marks.ts'

const VERDICTS: Readonly<Record<string, { readonly mark: string; readonly tone: string }>> = {
  higher: { mark: '▲ ', tone: 'var(--good)' },
  lower: { mark: '▼ ', tone: 'var(--bad)' },
}

interface IntervalPlotProps {
  readonly rows: readonly IntervalRow[]
  readonly width: number
  readonly label: string
  /** What "higher" means: without a goal the words carry no colour of good or bad. */
  readonly goal: 'min' | 'max' | 'none'
}

const ROW = 27

/** Differences from zero: a dot on a bar, an open dot and the words "cannot tell" where the interval reaches zero. */
export function IntervalPlot({ rows, width, label, goal }: IntervalPlotProps): ReactNode {
  const longest = Math.max(4, ...rows.map((row) => row.label.length))
  const from = Math.min(width * 0.38, longest * 7.4 + 12)
  const to = width - 78
  const range = intervalRange(rows, true)
  const at = (value: number): number => from + ((value - range[0]) / (range[1] - range[0])) * (to - from)
  const bottom = rows.length * ROW + 6
  return (
    <svg className="interval-plot" width={width} height={bottom + 22}>
      <title>{label}</title>
      {ticks(range, 4, false).map((value) => (
        <g key={value}>
          <line
            x1={at(value)}
            x2={at(value)}
            y1={2}
            y2={bottom}
            style={{ stroke: value === 0 ? 'var(--text-2)' : 'var(--grid)' }}
          />
          <text className="tick" x={at(value)} y={bottom + 15} textAnchor="middle">
            {tickText(value)}
          </text>
        </g>
      ))}
      {rows.map((row, index) => (
        <DifferenceRow
          key={row.key}
          row={row}
          y={index * ROW + ROW / 2 + 3}
          at={at}
          width={width}
          goal={goal}
          room={from}
        />
      ))}
    </svg>
  )
}

interface DifferenceRowProps {
  readonly row: IntervalRow
  readonly y: number
  readonly width: number
  readonly goal: 'min' | 'max' | 'none'
  readonly room: number
  at(value: number): number
}

function DifferenceRow({ row, y, at, width, goal, room }: DifferenceRowProps): ReactNode {
  const verdict = row.verdict === undefined ? undefined : VERDICTS[row.verdict]
  const good = (row.verdict === 'higher' && goal === 'max') || (row.verdict === 'lower' && goal === 'min')
  const tone = verdict === undefined || goal === 'none' ? 'var(--text-2)' : good ? 'var(--good)' : 'var(--bad)'
  const most = Math.max(4, Math.floor(room / 7.2))
  return (
    <g>
      <text x={0} y={y + 4} className="mono">
        {row.label.length > most ? `${row.label.slice(0, most - 1)}…` : row.label}
      </text>
      <title>{`${row.label}: ${formatNumber(row.mean)} [${formatNumber(row.low)}, ${formatNumber(row.high)}]`}</title>
      <IntervalMark row={row} y={y} at={at} caps open={reachesZero(row)} />
      <text x={width} y={y + 4} textAnchor="end" style={{ fill: tone }}>
        {verdict?.mark ?? ''}
        {row.verdict ?? ''}
      </text>
    </g>
  )
}

interface IntervalMarkProps {
  readonly row: Pick<IntervalRow, 'mean' | 'low' | 'high' | 'colour'>
  readonly y: number
  readonly caps: boolean
  readonly open: boolean
  at(value: number): number
}

function IntervalMark({ row, y, at, caps, open }: IntervalMarkProps): ReactNode {
  const stroke = `var(${row.colour})`
  const bar =
    row.low === null || row.high === null
      ? ''
      : `M${at(row.low)} ${y}H${at(row.high)}${caps ? `M${at(row.low)} ${y - 4}v8M${at(row.high)} ${y - 4}v8` : ''}`
  return (
    <>
      {bar === '' ? null : (
        <path d={bar} fill="none" strokeWidth={caps ? 1.6 : 3} strokeOpacity={caps ? 1 : 0.5} style={{ stroke }} />
      )}
      {row.mean === null ? null : (
        <circle
          cx={at(row.mean)}
          cy={y}
          r={4.25}
          strokeWidth={1.6}
          style={{ stroke, fill: open ? 'var(--bg)' : stroke }}
        />
      )}
    </>
  )
}

interface IntervalCellProps {
  readonly row: Pick<IntervalRow, 'mean' | 'low' | 'high' | 'colour'>
  readonly range: Range
  readonly width: number
  readonly height?: number
  /** A single run: an open dot without a bar. */
  readonly open?: boolean
  /** Where the baseline's mean stands. */
  readonly mark?: number | null
}

/** One interval in a table cell; all cells of the column share `range`. */
export function IntervalCell({
  row,
  range,
  width,
  height = 26,
  open = false,
  mark = null,
}: IntervalCellProps): ReactNode {
  const at = (value: number): number => 6 + ((value - range[0]) / (range[1] - range[0])) * (width - 12)
  return (
    <svg className="interval-plot" width={width} height={height} aria-hidden="true">
      {ticks(range, 4, false).map((value) => (
        <line key={value} x1={at(value)} x2={at(value)} y1={0} y2={height} style={{ stroke: 'var(--grid)' }} />
      ))}
      {mark === null ? null : (
        <line
          x1={at(mark)}
          x2={at(mark)}
          y1={0}
          y2={height}
          strokeDasharray="2 2"
          style={{ stroke: 'var(--text-3)' }}
        />
      )}
      <IntervalMark row={row} y={height / 2} at={at} caps={false} open={open} />
    </svg>
  )
}
