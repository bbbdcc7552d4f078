import { useEffect, useLayoutEffect, useMemo, useRef, useState, type ReactNode } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import './charts.css'
import { useTheme } from '../frame/theme.ts'
import { ChartOverlay } from './ChartOverlay.tsx'
import { useChartLink, useZoom, type ChartLink } from './chart-link.ts'
import { tickText, ticks, xRange, yRange, type ChartModel, type Range } from './chart-model.ts'
import { drawModel, type Canvas } from './draw-series.ts'

/** Where the plotting area lies in CSS pixels, and what it spans. */
export interface PlotGeometry {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
  readonly x: Range
  readonly y: Range
}

interface LineChartProps {
  readonly model: ChartModel
  /** Says the values under the pointer in a small box at the crosshair. */
  readonly tooltip?: boolean
  /** Drawn in the plotting area; false where the page names the lines elsewhere. */
  readonly legend?: boolean
}

/**
 * Curves on a canvas at device pixels. uPlot gives axes, scales, pointer and zoom; the curves are drawn by
 * draw-series.ts, because runs need not share their x. Fills its parent.
 */
export function LineChart({ model, tooltip = false, legend = true }: LineChartProps): ReactNode {
  const host = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const shown = useRef(model)
  const link = useChartLink()
  const zoom = useZoom()
  const theme = useTheme()
  const [geometry, setGeometry] = useState<PlotGeometry | null>(null)
  const x = useMemo(() => zoom ?? xRange(model), [zoom, model])
  const y = useMemo(() => yRange(model, x), [model, x])
  const ranges = useRef({ x, y })
  useLayoutEffect(() => {
    shown.current = model
    ranges.current = { x, y }
  })

  useEffect(() => {
    const element = host.current
    if (element === null) return undefined
    const colour = readColours(element)
    const made = new uPlot(optionsOf(element, link, { xLog: model.xLog, yLog: model.yLog }, ranges.current, colour), [[0], [null]], element)
    made.hooks.draw = [
      () => {
        drawModel(canvasOf(made, colour, ranges.current), shown.current)
        setGeometry((before) => keepEqual(before, geometryOf(made, ranges.current)))
      },
    ]
    plot.current = made
    applyRanges(made, ranges.current)
    const observer = new ResizeObserver(() => {
      if (element.clientWidth > 0 && element.clientHeight > 0) made.setSize({ width: element.clientWidth, height: element.clientHeight })
    })
    observer.observe(element)
    return () => {
      observer.disconnect()
      plot.current = null
      made.destroy()
    }
  }, [theme, model.xLog, model.yLog, link])

  useEffect(() => {
    if (plot.current !== null) applyRanges(plot.current, { x, y })
  }, [model, x, y])

  return (
    <figure className="chart" aria-label={describe(model)}>
      <div className="chart-canvas" ref={host} aria-hidden="true" />
      {geometry === null ? null : <ChartOverlay model={model} geometry={geometry} tooltip={tooltip} legend={legend} />}
    </figure>
  )
}

function applyRanges(plot: uPlot, ranges: { readonly x: Range; readonly y: Range }): void {
  plot.batch(() => {
    plot.setScale('x', { min: ranges.x[0], max: ranges.x[1] })
    plot.setScale('y', { min: ranges.y[0], max: ranges.y[1] })
  })
  plot.redraw(true, true)
}

function readColours(element: Element): (token: string) => string {
  const style = getComputedStyle(element)
  const known = new Map<string, string>()
  return (token) => {
    const before = known.get(token)
    if (before !== undefined) return before
    const value = style.getPropertyValue(token).trim()
    known.set(token, value)
    return value
  }
}

function canvasOf(plot: uPlot, colour: (token: string) => string, ranges: { readonly x: Range }): Canvas {
  return {
    context: plot.ctx,
    ratio: uPlot.pxRatio,
    box: plot.bbox,
    x: ranges.x,
    xAt: (value) => plot.valToPos(value, 'x', true),
    yAt: (value) => plot.valToPos(value, 'y', true),
    colour,
    bandOpacity: Number(colour('--band')) || 0.15,
    rawOpacity: Number(colour('--raw')) || 0.3,
  }
}

function geometryOf(plot: uPlot, ranges: { readonly x: Range; readonly y: Range }): PlotGeometry {
  const ratio = uPlot.pxRatio
  const { left, top, width, height } = plot.bbox
  return { left: left / ratio, top: top / ratio, width: width / ratio, height: height / ratio, x: ranges.x, y: ranges.y }
}

function keepEqual(before: PlotGeometry | null, after: PlotGeometry): PlotGeometry {
  return before !== null && JSON.stringify(before) === JSON.stringify(after) ? before : after
}

type Logs = Pick<ChartModel, 'xLog' | 'yLog'>

function optionsOf(element: HTMLElement, link: ChartLink, log: Logs, ranges: { readonly x: Range; readonly y: Range }, colour: (token: string) => string): uPlot.Options {
  return {
    width: Math.max(40, element.clientWidth),
    height: Math.max(40, element.clientHeight),
    padding: [10, 12, 0, 0],
    legend: { show: false },
    scales: {
      x: { time: false, auto: false, min: ranges.x[0], max: ranges.x[1], distr: log.xLog ? 3 : 1 },
      y: { auto: false, min: ranges.y[0], max: ranges.y[1], distr: log.yLog ? 3 : 1 },
    },
    series: [{}, { show: false, scale: 'y' }],
    axes: axesOf(log, colour),
    cursor: cursorOf(link),
    hooks: {
      setSelect: [
        (plot) => {
          if (plot.select.width < 6) return
          const range = [plot.posToVal(plot.select.left, 'x'), plot.posToVal(plot.select.left + plot.select.width, 'x')] as const
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
          link.setZoom(range)
        },
      ],
      setCursor: [
        (plot) => {
          const left = plot.cursor.left ?? -1
          // Another chart may hold the crosshair: only the one under the pointer speaks.
          if (left >= 0 && plot.over.matches(':hover')) link.setCrosshair(plot.posToVal(left, 'x'))
        },
      ],
    },
  }
}

function cursorOf(link: ChartLink): uPlot.Cursor {
  return {
    x: false,
    y: false,
    points: { show: false },
    drag: { x: true, y: false, setScale: false, dist: 6 },
    bind: {
      dblclick: () => () => {
        link.setZoom(null)
        return null
      },
    },
  }
}

function axesOf(log: Logs, colour: (token: string) => string): uPlot.Axis[] {
  const shared = { stroke: colour('--text-3'), font: `11px ${colour('--mono')}` }
  return [
    {
      ...shared,
      size: 24,
      gap: 4,
      grid: { show: false },
      ticks: { show: true, stroke: colour('--axis'), width: 1, size: 4 },
      border: { show: true, stroke: colour('--axis'), width: 1 },
      splits: (plot, _axis, min, max) => ticks([min, max], Math.max(2, plot.bbox.width / uPlot.pxRatio / 62), log.xLog),
      values: (_plot, splits) => splits.map((value) => (value === null ? '' : tickText(value))),
      filter: (_plot, splits) => splits,
    },
    {
      ...shared,
      gap: 6,
      grid: { show: true, stroke: colour('--grid'), width: 1 },
      ticks: { show: false },
      splits: (plot, _axis, min, max) => ticks([min, max], Math.max(2, plot.bbox.height / uPlot.pxRatio / 34), log.yLog),
      values: (_plot, splits) => splits.map((value) => (value === null ? '' : tickText(value))),
      filter: (_plot, splits) => splits,
      size: (_plot, values) => 14 + 6.7 * Math.max(2, ...(values ?? []).map((value) => value.length)),
    },
  ]
}

function describe(model: ChartModel): string {
  const lines = model.series.filter((line) => line.faint !== true)
  const ends = lines.slice(0, 6).map((line) => {
    const last = line.y.findLast((value) => value !== null)
    return `${line.label} ${last === undefined || last === null ? 'has no values yet' : `ends at ${tickText(Number(last.toPrecision(3)))}`}`
  })
  return `${model.title} over ${model.xTitle}: ${ends.join('; ')}`
}
