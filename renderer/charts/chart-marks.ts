import { fractionOf, ticks, tickText, xRange, yRange, type ChartModel, type ChartSeries, type Range } from './chart-model.ts'
import { pick, thinIndices } from './smoothing.ts'

/** The few things a figure is made of. Coordinates in pixels from the top left. */
export type Mark =
  | { readonly kind: 'path'; readonly points: readonly (readonly [number, number])[]; readonly colour: string; readonly width: number; readonly dash: readonly number[]; readonly opacity: number }
  | { readonly kind: 'area'; readonly points: readonly (readonly [number, number])[]; readonly colour: string; readonly opacity: number }
  | { readonly kind: 'dot'; readonly at: readonly [number, number]; readonly radius: number; readonly colour: string; readonly fill: string; readonly width: number }
  | { readonly kind: 'text'; readonly at: readonly [number, number]; readonly text: string; readonly colour: string; readonly size: number; readonly anchor: 'start' | 'middle' | 'end'; readonly bold: boolean; readonly mono: boolean; readonly turn: boolean }

export interface Figure {
  readonly width: number
  readonly height: number
  readonly background: string
  readonly marks: readonly Mark[]
}

/** Looks a token up: `--r1` → `#0068a8`. */
export type Palette = (token: string) => string

interface Frame {
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
  readonly x: Range
  readonly y: Range
}

const LEGEND_LINE = 18
const EXPORT_POINTS = 4000

export function text(at: readonly [number, number], value: string, colour: string, options: Partial<Omit<Extract<Mark, { kind: 'text' }>, 'kind' | 'at' | 'text' | 'colour'>> = {}): Mark {
  return { kind: 'text', at, text: value, colour, size: 11, anchor: 'start', bold: false, mono: false, turn: false, ...options }
}

/** A chart as a figure for paper: title, axis titles with units, legend with n, bands, reference lines. */
export function figureOfChart(model: ChartModel, palette: Palette, size: { readonly width: number; readonly height: number; readonly zoom: Range | null }): Figure {
  const named = model.series.filter((line) => line.faint !== true)
  const perRow = Math.max(1, Math.floor((size.width - 80) / 190))
  const legendRows = Math.ceil(named.length / perRow)
  const x = size.zoom ?? xRange(model)
  const frame: Frame = { left: 64, right: size.width - 20, top: 40 + legendRows * LEGEND_LINE, bottom: size.height - 48, x, y: yRange(model, x) }
  const note = [model.note, model.bandName === null ? '' : `band: ${model.bandName}`].filter((part) => part !== '').join(', ')
  return {
    width: size.width,
    height: size.height,
    background: palette('--bg'),
    marks: [
      text([frame.left, 22], model.title, palette('--text'), { size: 14, bold: true }),
      text([size.width - 20, 22], note, palette('--text-3'), { anchor: 'end' }),
      ...named.flatMap((line, at) => legendEntry(line, [frame.left + (at % perRow) * 190, 42 + Math.floor(at / perRow) * LEGEND_LINE], palette)),
      ...axes(model, frame, palette),
      ...model.series.flatMap((line) => seriesMarks(model, line, frame, palette)),
      ...references(model, frame, palette),
    ],
  }
}

function legendEntry(line: ChartSeries, [left, top]: readonly [number, number], palette: Palette): Mark[] {
  return [
    { kind: 'path', points: [[left, top], [left + 22, top]], colour: palette(line.colour), width: 2, dash: line.dash, opacity: 1 },
    text([left + 28, top + 4], line.n === undefined ? line.label : `${line.label}, n = ${line.n}`, palette('--text')),
  ]
}

function axes(model: ChartModel, frame: Frame, palette: Palette): Mark[] {
  const grey = palette('--text-3')
  const across = ticks(frame.x, 7, model.xLog).map((value) => ({ value, at: xAt(model, frame, value) }))
  const up = ticks(frame.y, 6, model.yLog).map((value) => ({ value, at: yAt(model, frame, value) }))
  return [
    ...up.map(({ at }): Mark => ({ kind: 'path', points: [[frame.left, at], [frame.right, at]], colour: palette('--grid'), width: 1, dash: [], opacity: 1 })),
    { kind: 'path', points: [[frame.left, frame.bottom], [frame.right, frame.bottom]], colour: palette('--axis'), width: 1, dash: [], opacity: 1 },
    ...up.map(({ value, at }) => text([frame.left - 8, at + 4], tickText(value), grey, { anchor: 'end', mono: true })),
    ...across.map(({ value, at }) => text([at, frame.bottom + 17], tickText(value), grey, { anchor: 'middle', mono: true })),
    text([(frame.left + frame.right) / 2, frame.bottom + 38], `${model.xTitle}${model.xLog ? ', log scale' : ''}`, palette('--text-2'), { anchor: 'middle' }),
    text([16, (frame.top + frame.bottom) / 2], `${model.yTitle}${model.yLog ? ', log scale' : ''}`, palette('--text-2'), { anchor: 'middle', turn: true }),
  ]
}

function xAt(model: ChartModel, frame: Frame, value: number): number {
  return frame.left + fractionOf(value, frame.x, model.xLog) * (frame.right - frame.left)
}

function yAt(model: ChartModel, frame: Frame, value: number): number {
  return frame.bottom - fractionOf(value, frame.y, model.yLog) * (frame.bottom - frame.top)
}

type Points = [number, number][]

/** Stretches of a curve that lie in the frame, cut at gaps. */
function stretches(model: ChartModel, frame: Frame, x: readonly number[], y: readonly (number | null)[]): Points[] {
  const indices = thinIndices(y, EXPORT_POINTS)
  const found: Points[] = []
  let current: Points = []
  const values = pick(y, indices)
  pick(x, indices).forEach((across, at) => {
    const value = values[at]
    const drawable = value !== null && value !== undefined && Number.isFinite(value) && !(model.yLog && value <= 0) && !(model.xLog && across <= 0)
    if (drawable && across >= frame.x[0] && across <= frame.x[1]) {
      current.push([xAt(model, frame, across), Math.min(frame.bottom, Math.max(frame.top, yAt(model, frame, value)))])
    } else if (!drawable && current.length > 0) {
      found.push(current)
      current = []
    }
  })
  return current.length > 0 ? [...found, current] : found
}

function seriesMarks(model: ChartModel, line: ChartSeries, frame: Frame, palette: Palette): Mark[] {
  const colour = palette(line.colour)
  const marks: Mark[] = []
  if (line.band !== undefined) {
    const low = stretches(model, frame, line.x, line.band.low).flat()
    const high = stretches(model, frame, line.x, line.band.high).flat()
    if (low.length > 1) marks.push({ kind: 'area', points: [...low, ...high.toReversed()], colour, opacity: 0.16 })
  }
  for (const points of line.raw === undefined ? [] : stretches(model, frame, line.x, line.raw)) {
    marks.push({ kind: 'path', points, colour, width: 1, dash: [], opacity: 0.3 })
  }
  for (const points of stretches(model, frame, line.x, line.y)) {
    marks.push({ kind: 'path', points, colour, width: line.faint === true ? 1 : (line.width ?? 1.8), dash: line.dash, opacity: line.faint === true ? 0.4 : 1 })
    if (line.dots === true || points.length === 1) {
      for (const at of points) marks.push({ kind: 'dot', at, radius: 2.6, colour, fill: colour, width: 0 })
    }
  }
  return marks
}

function references(model: ChartModel, frame: Frame, palette: Palette): Mark[] {
  return model.references
    .filter((reference) => reference.value >= frame.y[0] && reference.value <= frame.y[1])
    .flatMap((reference): Mark[] => {
      const at = yAt(model, frame, reference.value)
      return [
        { kind: 'path', points: [[frame.left, at], [frame.right, at]], colour: palette('--text-3'), width: 1, dash: [4, 3], opacity: 1 },
        text([frame.right, at - 5], reference.label, palette('--text-3'), { anchor: 'end' }),
      ]
    })
}
