import type { ReactNode } from 'react'
import { formatNumber } from '../../shared/units.ts'
import { useCrosshair } from './chart-link.ts'
import { crosshairText, emptiestCorner, fractionOf, type ChartModel, type ChartSeries } from './chart-model.ts'
import { nearestIndex } from './smoothing.ts'
import type { Frame } from './plot-marks.ts'

interface OverlayProps {
  readonly model: ChartModel
  readonly frame: Frame
  readonly tooltip: boolean
  readonly legend: boolean
}

const DOTS_AT_MOST = 16
/** Width the values under the pointer need; without it they stand on the left of the crosshair. */
const TOOLTIP_ROOM = 270

/** Crosshair, dots on the lines, legend: real elements over the canvas, so that moving the pointer redraws no curve. */
export function ChartOverlay({ model, frame, tooltip, legend }: OverlayProps): ReactNode {
  const { left, top, right, bottom } = frame
  return (
    <div className="chart-overlay" style={{ left, top, width: right - left, height: bottom - top }}>
      {legend ? <Legend model={model} frame={frame} /> : null}
      <span className="chart-x-title">{model.xTitle}</span>
      <Crosshair model={model} frame={frame} tooltip={tooltip} />
    </div>
  )
}

/** What the band is and how many stand behind it: "95 % interval, n = 5". */
function standsFor(line: ChartSeries, model: ChartModel): string {
  return [line.band === undefined ? '' : (model.bandName ?? ''), line.n === undefined ? '' : `n = ${line.n}`]
    .filter((part) => part !== '')
    .join(', ')
}

function Legend({ model, frame }: { readonly model: ChartModel; readonly frame: Frame }): ReactNode {
  const named = model.series.filter((line) => line.faint !== true && line.unnamed !== true)
  if (named.length === 0 || (named.length === 1 && model.bandName === null)) return null
  const [width, height] = [frame.right - frame.left, frame.bottom - frame.top]
  const shown = named.slice(0, Math.max(1, Math.floor(height / 20)))
  const letters = Math.max(...shown.map((line) => line.label.length + standsFor(line, model).length))
  const share = { width: (letters * 6.4 + 40) / width, height: (shown.length * 18 + 10) / height }
  return (
    <ul className={`chart-legend chart-legend-${emptiestCorner(model, frame.x, frame.y, share)}`}>
      {shown.map((line) => (
        <li key={line.key}>
          <LineSwatch colour={line.colour} dash={line.dash} />
          {line.label}
          {standsFor(line, model) === '' ? null : <span className="text-3">{standsFor(line, model)}</span>}
        </li>
      ))}
      {named.length > shown.length ? (
        <li className="text-3">
          {shown.length} of {named.length} lines
        </li>
      ) : null}
    </ul>
  )
}

export function LineSwatch({ colour, dash }: { readonly colour: string; readonly dash: readonly number[] }): ReactNode {
  return (
    <svg className="swatch" viewBox="0 0 16 8" aria-hidden="true">
      <line
        x1="0"
        y1="4"
        x2="16"
        y2="4"
        strokeWidth="2.5"
        strokeDasharray={dash.join(' ')}
        style={{ stroke: `var(${colour})` }}
      />
    </svg>
  )
}

/** The point of a line nearest to x, if the line reaches there. */
export function pointAt(
  line: ChartSeries,
  x: number,
  slack: number,
): { readonly x: number; readonly y: number; readonly at: number } | null {
  const first = line.x[0]
  const last = line.x.at(-1)
  if (first === undefined || last === undefined || x < first - slack || x > last + slack) return null
  const nearest = nearestIndex(line.x, x)
  for (const at of [nearest, nearest - 1, nearest + 1]) {
    const y = line.y[at]
    const across = line.x[at]
    if (y !== null && y !== undefined && across !== undefined) return { x: across, y, at }
  }
  return null
}

function Crosshair({
  model,
  frame,
  tooltip,
}: {
  readonly model: ChartModel
  readonly frame: Frame
  readonly tooltip: boolean
}): ReactNode {
  const x = useCrosshair()
  if (x === null || x < frame.x[0] || x > frame.x[1]) return null
  const [width, height] = [frame.right - frame.left, frame.bottom - frame.top]
  const left = fractionOf(x, frame.x, model.xLog) * width
  const slack = (frame.x[1] - frame.x[0]) * 0.01
  const points = model.series
    .filter((line) => line.faint !== true)
    .slice(0, DOTS_AT_MOST)
    .flatMap((line) => {
      const point = pointAt(line, x, slack)
      return point === null ? [] : [{ line, point }]
    })
  return (
    <>
      <div className="chart-crosshair" style={{ transform: `translateX(${left}px)` }} />
      {points.map(({ line, point }) => {
        const across = fractionOf(point.x, frame.x, model.xLog) * width
        const down = (1 - fractionOf(point.y, frame.y, model.yLog)) * height
        if (down < -1 || down > height + 1) return null
        return (
          <div
            key={line.key}
            className="chart-dot"
            style={{ transform: `translate(${across}px, ${down}px)`, background: `var(${line.colour})` }}
          />
        )
      })}
      {tooltip && points.length > 0 ? (
        <div
          className="chart-tooltip"
          style={left + TOOLTIP_ROOM > width ? { right: width - left + 10 } : { left: left + 10 }}
        >
          <div className="text-3">
            {model.xTitle} <span className="mono">{crosshairText(x, frame.x)}</span>
          </div>
          {points
            .toSorted((one, two) => two.point.y - one.point.y)
            .map(({ line, point }) => (
              <div key={line.key} className="row">
                <LineSwatch colour={line.colour} dash={line.dash} />
                <span className="grow ellipsis">{line.label}</span>
                <span className="mono">{formatNumber(point.y)}</span>
                {line.band === undefined ? null : (
                  <span className="mono text-3">
                    [{formatNumber(line.band.low[point.at])}, {formatNumber(line.band.high[point.at])}]
                  </span>
                )}
              </div>
            ))}
        </div>
      ) : null}
    </>
  )
}
