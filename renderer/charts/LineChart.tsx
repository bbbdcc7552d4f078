import { useLayoutEffect, useMemo, useRef, type ReactNode } from 'react'
import './charts.css'
import { useTheme } from '../frame/theme.ts'
import { ChartOverlay } from './ChartOverlay.tsx'
import { ChartPointer } from './ChartPointer.tsx'
import { useZoom } from './chart-link.ts'
import { tickText, ticks, xRange, yRange, type ChartModel } from './chart-model.ts'
import { drawMark, type Palette } from './marks.ts'
import { plotMarks, type Frame } from './plot-marks.ts'
import { useCanvasSize, type CanvasSize } from './use-canvas-size.ts'

interface LineChartProps {
  readonly model: ChartModel
  /** Says the values under the pointer in a small box at the crosshair. */
  readonly tooltip?: boolean
  /** Drawn in the plotting area; false where the page names the lines elsewhere. */
  readonly legend?: boolean
}

/** Curves on a canvas at device pixels. Fills its parent. */
export function LineChart({ model, tooltip = false, legend = true }: LineChartProps): ReactNode {
  const host = useRef<HTMLElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)
  const size = useCanvasSize(host)
  const zoom = useZoom()
  const theme = useTheme()
  const frame = useMemo(() => {
    if (size === null) return null
    const x = zoom ?? xRange(model)
    return frameOf(model, size, { x, y: yRange(model, x) })
  }, [model, size, zoom])

  useLayoutEffect(() => {
    if (canvas.current !== null && size !== null && frame !== null) draw(canvas.current, model, size, frame)
  }, [model, size, frame, theme])

  return (
    <figure className="chart" aria-label={describe(model)} ref={host}>
      <canvas className="chart-canvas" ref={canvas} aria-hidden="true" />
      {frame === null ? null : <ChartPointer model={model} frame={frame} />}
      {frame === null ? null : <ChartOverlay model={model} frame={frame} tooltip={tooltip} legend={legend} />}
    </figure>
  )
}

const AIR = { top: 10, right: 12, bottom: 24 } as const
const SMALLEST = 40
/** Of the figures on the y axis: 11 pixels high, all of one width. */
const LETTER = 6.7

function ticksAcross(width: number): number {
  return Math.max(2, width / 62)
}

function ticksUp(height: number): number {
  return Math.max(2, height / 34)
}

/** Where the plotting area lies: the y axis is as wide as its longest figure. */
function frameOf(model: ChartModel, { width, height }: CanvasSize, { x, y }: Pick<Frame, 'x' | 'y'>): Frame {
  const bottom = Math.max(SMALLEST, height) - AIR.bottom
  const longest = Math.max(2, ...ticks(y, ticksUp(bottom - AIR.top), model.yLog).map((value) => tickText(value).length))
  const left = Math.ceil(14 + LETTER * longest)
  return { left, right: Math.max(left + SMALLEST, width - AIR.right), top: AIR.top, bottom, x, y }
}

function draw(canvas: HTMLCanvasElement, model: ChartModel, { width, height, ratio }: CanvasSize, frame: Frame): void {
  const context = canvas.getContext('2d')
  if (context === null) return
  const colour = readTokens(canvas)
  canvas.width = Math.round(width * ratio)
  canvas.height = Math.round(height * ratio)
  context.scale(ratio, ratio)
  const across = frame.right - frame.left
  const marks = plotMarks(model, frame, colour, {
    bandOpacity: Number(colour('--band')),
    rawOpacity: Number(colour('--raw')),
    across: ticksAcross(across),
    up: ticksUp(frame.bottom - frame.top),
    points: Math.ceil(4 * across * ratio), // of each column of pixels the first, lowest, highest and last
  })
  const fonts = { sans: getComputedStyle(document.body).fontFamily, mono: colour('--mono') }
  for (const mark of marks) drawMark(context, mark, fonts)
}

function readTokens(element: Element): Palette {
  const style = getComputedStyle(element)
  const known = new Map<string, string>()
  return (token) => {
    const value = known.get(token) ?? style.getPropertyValue(token).trim()
    known.set(token, value)
    return value
  }
}

function describe(model: ChartModel): string {
  const lines = model.series.filter((line) => line.faint !== true)
  const ends = lines.slice(0, 6).map((line) => {
    const last = line.y.findLast((value) => value !== null)
    return `${line.label} ${last === undefined || last === null ? 'has no values yet' : `ends at ${tickText(Number(last.toPrecision(3)))}`}`
  })
  return `${model.title} over ${model.xTitle}: ${ends.join('; ')}`
}
