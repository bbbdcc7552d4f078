import type { ChartModel, ChartSeries, Range } from './chart-model.ts'

/** How the canvas maps values to device pixels, and what is visible. */
export interface Canvas {
  readonly context: CanvasRenderingContext2D
  /** Device pixels a CSS pixel. */
  readonly ratio: number
  readonly box: { readonly left: number; readonly top: number; readonly width: number; readonly height: number }
  readonly x: Range
  xAt(value: number): number
  yAt(value: number): number
  colour(token: string): string
  readonly bandOpacity: number
  readonly rawOpacity: number
}

const MANY_LINES = 40

type Values = readonly (number | null)[]

/** Draws bands, raw lines, lines, dots and reference lines inside the plotting area, in that order. */
export function drawModel(canvas: Canvas, model: ChartModel): void {
  const { context, box } = canvas
  context.save()
  context.beginPath()
  // A little over the edge, so that the first and the last dot are whole.
  const edge = 3 * canvas.ratio
  context.rect(box.left - edge, box.top - edge, box.width + 2 * edge, box.height + 2 * edge)
  context.clip()
  const many = model.series.length > MANY_LINES
  // Round joins cost most of the time of a crowded chart, where nobody can see them.
  context.lineJoin = many ? 'bevel' : 'round'
  context.lineCap = 'butt'
  for (const line of model.series) drawBand(canvas, model, line)
  for (const line of model.series) drawRaw(canvas, model, line)
  for (const reference of model.references) drawReference(canvas, reference.value)
  for (const line of model.series) drawLine(canvas, model, many ? { ...line, width: 1 } : line)
  context.restore()
  for (const reference of model.references) drawReferenceLabel(canvas, reference.value, reference.label)
}

function isDrawable(model: ChartModel, x: number, y: number | null | undefined): y is number {
  return y !== null && y !== undefined && Number.isFinite(y) && !(model.yLog && y <= 0) && !(model.xLog && x <= 0)
}

/** Indices that are visible, with one more on each side so that lines run to the edge. */
function visible(x: readonly number[], [from, to]: Range): readonly [number, number] {
  let first = 0
  let last = x.length - 1
  while (first < last && (x[first + 1] ?? 0) < from) first += 1
  while (last > first && (x[last - 1] ?? 0) > to) last -= 1
  return [first, last]
}

/**
 * Traces a curve. Where several points fall on one device pixel only the lowest and highest are drawn, so that a
 * curve costs at most a few line pieces a pixel however long it is.
 */
function trace(canvas: Canvas, model: ChartModel, x: readonly number[], y: Values): void {
  const { context } = canvas
  const [first, last] = visible(x, canvas.x)
  let open = false
  let pixel = Number.NaN
  let low = 0
  let high = 0
  let end = 0
  const flush = (): void => {
    if (low !== end) context.lineTo(pixel, low)
    if (high !== low) context.lineTo(pixel, high)
    if (end !== high) context.lineTo(pixel, end)
  }
  for (let at = first; at <= last; at += 1) {
    const across = x[at] ?? 0
    const value = y[at]
    if (!isDrawable(model, across, value)) {
      if (open) flush()
      open = false
      continue
    }
    const left = canvas.xAt(across)
    const top = canvas.yAt(value)
    if (!open) {
      context.moveTo(left, top)
      pixel = left
      low = high = end = top
      open = true
    } else if (left - pixel < canvas.ratio * 0.75) {
      low = Math.min(low, top)
      high = Math.max(high, top)
      end = top
    } else {
      flush()
      context.lineTo(left, top)
      pixel = left
      low = high = end = top
    }
  }
  if (open) flush()
}

function drawBand(canvas: Canvas, model: ChartModel, line: ChartSeries): void {
  const band = line.band
  if (band === undefined) return
  const { context } = canvas
  const points = line.x
    .map((x, at) => ({ x, low: band.low[at], high: band.high[at] }))
    .filter((point) => isDrawable(model, point.x, point.low) && isDrawable(model, point.x, point.high))
  if (points.length < 2) return
  context.beginPath()
  points.forEach((point, at) => {
    const top = canvas.yAt(point.high ?? 0)
    if (at === 0) context.moveTo(canvas.xAt(point.x), top)
    else context.lineTo(canvas.xAt(point.x), top)
  })
  for (const point of points.toReversed()) context.lineTo(canvas.xAt(point.x), canvas.yAt(point.low ?? 0))
  context.closePath()
  context.globalAlpha = canvas.bandOpacity
  context.fillStyle = canvas.colour(line.colour)
  context.fill()
  context.globalAlpha = 1
}

function drawRaw(canvas: Canvas, model: ChartModel, line: ChartSeries): void {
  if (line.raw === undefined) return
  const { context } = canvas
  context.beginPath()
  trace(canvas, model, line.x, line.raw)
  context.setLineDash([])
  context.lineWidth = canvas.ratio
  context.strokeStyle = canvas.colour(line.colour)
  context.globalAlpha = canvas.rawOpacity
  context.stroke()
  context.globalAlpha = 1
}

function drawLine(canvas: Canvas, model: ChartModel, line: ChartSeries): void {
  const { context, ratio } = canvas
  const colour = canvas.colour(line.colour)
  context.beginPath()
  trace(canvas, model, line.x, line.y)
  context.setLineDash(line.dash.map((part) => part * ratio))
  context.lineWidth = (line.faint === true ? 1 : (line.width ?? 1.75)) * ratio
  context.strokeStyle = colour
  context.globalAlpha = line.faint === true ? 0.45 : 1
  context.stroke()
  context.setLineDash([])
  const drawn = line.y.filter((value) => value !== null).length
  if ((line.dots === true && drawn <= 60) || drawn === 1) {
    context.fillStyle = colour
    line.x.forEach((x, at) => {
      const y = line.y[at]
      if (!isDrawable(model, x, y)) return
      context.beginPath()
      context.arc(canvas.xAt(x), canvas.yAt(y), 2.6 * ratio, 0, 2 * Math.PI)
      context.fill()
    })
  }
  context.globalAlpha = 1
}

function drawReference(canvas: Canvas, value: number): void {
  const { context, ratio, box } = canvas
  const top = Math.round(canvas.yAt(value)) + 0.5
  context.beginPath()
  context.moveTo(box.left, top)
  context.lineTo(box.left + box.width, top)
  context.setLineDash([4 * ratio, 3 * ratio])
  context.lineWidth = ratio
  context.strokeStyle = canvas.colour('--text-3')
  context.stroke()
  context.setLineDash([])
}

function drawReferenceLabel(canvas: Canvas, value: number, label: string): void {
  const { context, ratio, box } = canvas
  const top = canvas.yAt(value)
  if (top < box.top || top > box.top + box.height) return
  const below = top - box.top < 18 * ratio
  context.save()
  context.font = `${12 * ratio}px ${getComputedStyle(document.body).fontFamily}`
  context.textAlign = 'right'
  context.textBaseline = below ? 'top' : 'bottom'
  context.lineWidth = 3 * ratio
  context.strokeStyle = canvas.colour('--bg')
  context.fillStyle = canvas.colour('--text-3')
  const at = [box.left + box.width - 4 * ratio, top + (below ? 3 : -2) * ratio] as const
  context.strokeText(label, at[0], at[1])
  context.fillText(label, at[0], at[1])
  context.restore()
}
