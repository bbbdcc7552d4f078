import type { ReactNode } from 'react'
import type { DatasetDetail } from '../../shared/contract/datasets.ts'
import { formatCount } from '../../shared/units.ts'

const WIDTH = 360
const HEIGHT = 132
const LEFT = 34
const BOTTOM = 18
const TOP = 6

/** Outline of a histogram as steps. */
function outline(counts: readonly number[], x: (bin: number) => number, y: (count: number) => number): string {
  return counts.map((count, bin) => `${bin === 0 ? 'M' : 'L'}${x(bin)} ${y(count)}H${x(bin + 1)}`).join('')
}

/** Lengths of chosen and rejected completions, with their medians. */
export function LengthChart({ lengths }: { readonly lengths: DatasetDetail['lengths'] }): ReactNode {
  const bins = Math.max(lengths.chosen.length, lengths.rejected.length)
  const top = Math.max(1, ...lengths.chosen, ...lengths.rejected)
  const x = (bin: number): number => LEFT + (bin / Math.max(1, bins)) * (WIDTH - LEFT - 4)
  const y = (count: number): number => HEIGHT - BOTTOM - (count / top) * (HEIGHT - BOTTOM - TOP)
  const atWords = (words: number): number => Math.min(x(bins), x(words / lengths.binWidth))
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => Math.round(share * bins))
  return (
    <svg
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      className="length-chart"
      role="img"
      aria-label={`Histogram of completion lengths; medians ${formatCount(lengths.medianChosen)} words chosen, ${formatCount(lengths.medianRejected)} rejected`}
    >
      {[0, 0.5, 1].map((share) => (
        <g key={share}>
          <line x1={LEFT} x2={WIDTH - 4} y1={y(share * top)} y2={y(share * top)} className="grid-line" />
          <text x={LEFT - 5} y={y(share * top) + 3.5} textAnchor="end">
            {Math.round(share * top)}
          </text>
        </g>
      ))}
      {ticks.map((bin) => (
        <text key={bin} x={x(bin)} y={HEIGHT - 5} textAnchor={bin === bins ? 'end' : 'middle'}>
          {Math.round(bin * lengths.binWidth)}
        </text>
      ))}
      {(['chosen', 'rejected'] as const).map((side) => (
        <g key={side} className={`length-${side}`}>
          <path d={`M${x(0)} ${y(0)}L${outline(lengths[side], x, y).slice(1)}V${y(0)}Z`} className="length-area" />
          <path d={outline(lengths[side], x, y)} className="length-line" />
        </g>
      ))}
      {lengths.medianChosen === null ? null : (
        <line
          x1={atWords(lengths.medianChosen)}
          x2={atWords(lengths.medianChosen)}
          y1={TOP}
          y2={HEIGHT - BOTTOM}
          className="length-chosen median"
        />
      )}
      {lengths.medianRejected === null ? null : (
        <line
          x1={atWords(lengths.medianRejected)}
          x2={atWords(lengths.medianRejected)}
          y1={TOP}
          y2={HEIGHT - BOTTOM}
          className="length-rejected median"
        />
      )}
    </svg>
  )
}
